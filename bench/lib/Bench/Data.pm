# The tables that are replicated, what happens to them, and how to tell that two databases
# hold the same.
package Bench::Data;

use strict;
use warnings;

use Carp;
use Exporter 'import';

our @EXPORT_OK = qw(@tables fill bulk_statement bulk_backlog small_transactions tpcb_backlog
	digest same_work);

our @tables = qw(pgbench_accounts pgbench_branches pgbench_tellers pgbench_history bulk
	mark);

# A row of `bulk` is as long as one of pgbench_accounts; a row of `mark` says, once it has
# arrived, that all before it has.
sub fill
{
	my ($server, $scale) = @_;
	my $place = $server->{place};

	$place->run("$place->{bin}/createdb", '-h', $server->{dir}, '-U', 'bench', 'bench');
	$place->run("$place->{bin}/pgbench", '-i', '-q', '-s', $scale, '-h', $server->{dir},
		'-U', 'bench', 'bench');
	$server->sql(<<'SQL');
create table bulk (id int primary key, a int not null, b int not null,
	filler char(84) not null);
create table mark (id int primary key);
SQL
	$server->sql('vacuum (freeze, analyze)');
	$server->sql('checkpoint');
	return;
}

my %bulk = (
	insert => 'insert into bulk ' .
		'select id, id %% 1000, 0, repeat(chr(97 + id %% 26), 84) ' .
		'from generate_series(%d, %d) id',
	update => 'update bulk set b = b + 1 where id between %d and %d',
	delete => 'delete from bulk where id between %d and %d',
);

# One statement of $kind over the rows $first to $last
sub bulk_statement
{
	my ($kind, $first, $last) = @_;

	return sprintf $bulk{$kind}, $first, $last;
}

# $count changes of $kind to the rows from 1, $size a transaction
sub bulk_backlog
{
	my ($server, $kind, $count, $size) = @_;
	my $session = $server->session('backlog');

	for (my $first = 1; $first <= $count; $first += $size)
	{
		$session->query(bulk_statement($kind, $first, $first + $size - 1));
	}
	return;
}

# $count transactions by 4 clients
sub tpcb_backlog
{
	my ($server, $count) = @_;
	my $place = $server->{place};

	$place->run("$place->{bin}/pgbench", '-n', '-M', 'prepared', '-c', 4, '-j', 1,
		'-t', $count / 4, '-h', $server->{dir}, '-U', 'bench', 'bench');
	return;
}

#  transactions of an update and an insert, one after the other, as fast as may be
sub small_transactions
{
	my ($server, $count) = @_;

	$server->session('backlog')->query(<<"SQL");
do \$\$
begin
	for i in 1 .. $count loop
		update pgbench_accounts set abalance = abalance + 1
		where aid = 1 + i * 7919::bigint % 100000;
		insert into pgbench_history (aid, delta) values (i, 1);
		commit;
	end loop;
end
\$\$
SQL
	return;
}

# Rows, and a sum over them that no order changes; of all tables, or of those named
sub digest
{
	my ($server, @of) = @_;

	return join "\n", map {
		"$_ " . $server->session('digest')->query(
			"select count(*), sum(hashtextextended(t::text, 0)) from $_ t")
	} @of ? @of : @tables;
}

# Dies unless the servers, who were given the same work, have done it.  The rows of history
# hold the time and so differ.
sub same_work
{
	my (@servers) = @_;
	my @done = map { digest($_, grep { $_ ne "pgbench_history" } @tables) } @servers;

	$_ eq $done[0] or croak "servers differ:\n$done[0]\nand\n$_" for @done;
	return;
}

1;
