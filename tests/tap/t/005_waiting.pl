# B7: whoever waits for a snapshot goes on when something captured commits, in this database and
# not in others; sessions that are killed while they wait leave no slot behind.
use strict;
use warnings;

use Elvis::Node;
use Elvis::Util;
use IPC::Run;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);

for my $node ($paris, $lyon)
{
	$node->sql('create table t (id serial primary key); create table other (id int)');
	$node->attach('t', 'master');
	$node->sql('select elvis.take_snapshot()');
}

# Begins to wait for what follows the newest snapshot; waits in the server at once.
sub wait_for
{
	my ($node) = @_;
	my ($out, $err) = ('', '');
	my $known = $node->sql('select elvis.newest_snapshot()');
	my $psql = IPC::Run::start(
		[ $node->cluster->installed_command('psql'), '-XAtq', '-d', $node->conninfo,
		  '-c', "select fresh, clock_timestamp() - statement_timestamp() < '900 ms' "
			. "from elvis.wait_snapshot($known, 0, 1000)" ],
		'>', \$out, '2>', \$err);

	return { psql => $psql, out => \$out, err => \$err };
}

my $waiting = "datname = current_database() and wait_event = 'Extension' and query ~ 'wait_snapshot'";

# False: it ended, its second over, before anybody saw it wait.
sub is_waiting
{
	my ($node, $waiter) = @_;

	while ($waiter->{psql}->pumpable)
	{
		return 1 if $node->sql("select exists (select from pg_stat_activity where $waiting)") eq 't';
		$waiter->{psql}->pump_nb;
	}
	return 0;
}

# Somebody who is not woken finds out when the second is over, never before.  On a busy machine one
# who is woken may have had to wait that long for the commit: then it is tried again.
sub is_woken
{
	my ($node) = @_;

	for (1 .. 30)
	{
		my $waiter = wait_for($node);

		$node->sql('insert into t default values') if is_waiting($node, $waiter);
		$waiter->{psql}->finish;
		return 1 if ${ $waiter->{out} } eq "t|t\n";
	}
	return 0;
}

ok(is_woken($paris), 'a commit wakes who waits');

my $waiter = wait_for($paris);
is_waiting($paris, $waiter);
$paris->sql('insert into other values (1)');
$lyon->sql('insert into t default values');
$waiter->{psql}->finish;
is(${ $waiter->{out} }, "f|f\n", 'what was not captured, or elsewhere, is no news');

# more often than there are slots
my $killed = 0;
while ($killed < 40)
{
	my @waiters = map { wait_for($paris) } 1 .. 8;

	while (grep { $_->{psql}->pumpable } @waiters)
	{
		$killed += $paris->sql(
			"select count(pg_terminate_backend(pid)) from pg_stat_activity where $waiting");
		$_->{psql}->pump_nb for grep { $_->{psql}->pumpable } @waiters;
	}
	$_->{psql}->finish for @waiters;
}
ok(is_woken($paris), 'killed waiters leave their slots');

# COMMIT PREPARED tells nobody; it is found by looking
my $known = $paris->sql('select elvis.newest_snapshot()');
$paris->sql("begin; insert into t default values; prepare transaction 'elvis_waited'");
$paris->sql("select elvis.wait_snapshot($known, 0, 0)");
$known = $paris->sql('select elvis.newest_snapshot()');
is($paris->sql("select fresh from elvis.wait_snapshot($known, 0, 50)"), 'f',
	'a prepared transaction is no news');
$waiter = wait_for($paris);
is_waiting($paris, $waiter);
$paris->sql("commit prepared 'elvis_waited'");
$waiter->{psql}->finish;
is($paris->sql("select fresh from elvis.wait_snapshot($known, 0, 1000)"), 't',
	'COMMIT PREPARED is');

done_testing();
