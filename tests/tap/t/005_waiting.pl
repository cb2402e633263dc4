# B7: whoever waits for a snapshot goes on when something captured commits, in this database and
# not in others; sessions that are killed while they wait leave no slot behind.
use strict;
use warnings;

use Elvis::Node;
use Elvis::Util;
use IPC::Run;
use Test::More;
use Time::HiRes qw(time);

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
		  '-c', "select fresh from elvis.wait_snapshot($known, 0, 1000)" ],
		'>', \$out, '2>', \$err);

	return { psql => $psql, out => \$out, err => \$err };
}

sub is_waiting
{
	my ($node, $n) = @_;

	return $node->poll(<<"SQL");
select count(*) = $n from pg_stat_activity
where datname = current_database() and wait_event = 'Extension' and query ~ 'wait_snapshot'
SQL
}

# From commit to answer, in seconds: the median of many, because any one may be unlucky.  Without
# being woken it would be anything up to a second.
sub median_latency
{
	my ($node) = @_;
	my @seconds;

	while (@seconds < 9)
	{
		my $waiter = wait_for($node);
		my $begin;

		is_waiting($node, 1) or die 'nobody waits';
		$begin = time;
		$node->sql('insert into t default values');
		$waiter->{psql}->finish;
		push @seconds, time - $begin if ${ $waiter->{out} } eq "t\n";
	}
	return (sort { $a <=> $b } @seconds)[4];
}

cmp_ok(median_latency($paris), '<', 0.25, 'a commit wakes who waits');

my $waiter = wait_for($paris);
is_waiting($paris, 1);
$paris->sql('insert into other values (1)');
$lyon->sql('insert into t default values');
$waiter->{psql}->finish;
is(${ $waiter->{out} }, "f\n", 'what was not captured, or elsewhere, is no news');

# as often as there are slots, and more
for my $round (1 .. 5)
{
	my @killed = map { wait_for($paris) } 1 .. 8;

	is_waiting($paris, 8);
	$paris->sql(<<'SQL');
select pg_terminate_backend(pid) from pg_stat_activity
where datname = current_database() and wait_event = 'Extension' and query ~ 'wait_snapshot'
SQL
	$_->{psql}->finish for @killed;
	is_waiting($paris, 0);
}
cmp_ok(median_latency($paris), '<', 0.25, 'killed waiters leave their slots');

# COMMIT PREPARED tells nobody; it is found by looking
my $known = $paris->sql('select elvis.newest_snapshot()');
$paris->sql("begin; insert into t default values; prepare transaction 'elvis_waited'");
$paris->sql("select elvis.wait_snapshot($known, 0, 0)");
$known = $paris->sql('select elvis.newest_snapshot()');
is($paris->sql("select fresh from elvis.wait_snapshot($known, 0, 50)"), 'f',
	'a prepared transaction is no news');
$waiter = wait_for($paris);
is_waiting($paris, 1);
$paris->sql("commit prepared 'elvis_waited'");
$waiter->{psql}->finish;
is($paris->sql("select fresh from elvis.wait_snapshot($known, 0, 1000)"), 't',
	'COMMIT PREPARED is');

done_testing();
