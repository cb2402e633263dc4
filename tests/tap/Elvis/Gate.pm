# A gate: whoever writes rows into a table of a node, a copy or a daemon that applies, stands
# still at the row of that number, counted from now, until the test lets it pass.
#
#	my $gate = Elvis::Gate->new($lyon, 'pgbench_accounts');
#	$gate->shut(50_000);
#	ok($gate->reached, 'somebody stands in the middle');
#	$gate->open;
#	$gate->remove;
package Elvis::Gate;

use strict;
use warnings;

sub new
{
	my ($class, $node, $table) = @_;

	$node->sql(<<"SQL");
create sequence public.gate_row;
create function public.gate() returns trigger language plpgsql as \$\$
declare
	row bigint := nextval('public.gate_row');
begin
	perform pg_advisory_lock_shared(row), pg_advisory_unlock_shared(row);
	return new;
end
\$\$;
create trigger gate before insert on $table for each row execute function public.gate();
alter table $table enable always trigger gate;
SQL
	return bless { node => $node, table => $table }, $class;
}

# The lock is a prepared transaction's: it needs no session, and outlives the server.
sub shut
{
	my ($self, $row) = @_;

	$self->{node}->sql(
		"begin; select pg_advisory_xact_lock($row); prepare transaction 'gate'");
	return;
}

# True once somebody stands there
sub reached
{
	my ($self) = @_;

	return $self->{node}->poll(
		q(select exists (select from pg_locks where locktype = 'advisory' and not granted)));
}

sub open
{
	my ($self) = @_;

	$self->{node}->sql("commit prepared 'gate'");
	return;
}

# Waits for those who are writing.
sub remove
{
	my ($self) = @_;

	$self->{node}->sql("drop trigger gate on $self->{table}; drop function public.gate(); "
		  . 'drop sequence public.gate_row');
	return;
}

1;
