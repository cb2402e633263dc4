# Load: pgbench at a node while something happens.
#
#	pgbench_tables($paris, $lyon);		# the same rows everywhere
#	my $load = Elvis::Load->new($paris, clients => 8, seconds => 10);
#	...
#	is($load->finish, 0, 'nothing went wrong');
#	ok(same_pgbench($paris, $lyon), 'the same rows');
#
# Options: clients, seconds or transactions (of each client), settings => what the sessions
# set, script => what they do instead of pgbench's own transaction.  pgbench_history has no
# key: what is applied twice is there twice.
package Elvis::Load;

use strict;
use warnings;

use Elvis::Util;
use Exporter 'import';
use IPC::Run;
use PostgreSQL::Test::Utils ();

our @EXPORT = qw(long_or pgbench_tables same_pgbench);

my @tables = qw(pgbench_accounts pgbench_branches pgbench_tellers pgbench_history);

# long_or(30, 10): the first where there is time, as in make check-long
sub long_or
{
	my ($long, $short) = @_;

	return $ENV{ELVIS_LONG} ? $long : $short;
}

sub pgbench_tables
{
	for my $node (@_)
	{
		my $said;

		IPC::Run::run([ 'pgbench', '-i', '-q', $node->conninfo ], '&>', \$said)
		  or die "pgbench -i: $said";
	}
	return;
}

sub same_pgbench
{
	my @nodes = @_;

	return !grep { !same_rows($_, @nodes) } @tables;
}

sub new
{
	my ($class, $node, %option) = @_;
	my $self = bless { said => '' }, $class;
	my @length = $option{transactions} ? ('-t', $option{transactions})
	  : ('-T', $option{seconds});
	my @command = ('pgbench', '-n', '-c', $option{clients}, '-j', 2, @length,
		script($option{script}), $node->conninfo);

	local $ENV{PGOPTIONS} = $option{settings} if $option{settings};
	$self->{harness} = IPC::Run::start(\@command, '<', \undef, '&>', \$self->{said});
	return $self;
}

sub script
{
	my ($text) = @_;

	return () unless defined $text;
	my $file = PostgreSQL::Test::Utils::tempdir() . '/script';
	PostgreSQL::Test::Utils::append_to_file($file, $text);
	return ('-f', $file);
}

# Waits for its end: pgbench's exit status
sub finish
{
	my ($self) = @_;

	$self->{harness}->finish;
	return $self->{harness}->result(0);
}

sub said { return $_[0]->{said}; }

1;
