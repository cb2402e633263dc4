# A large table is copied in parts: by several processes, in one snapshot, while it is written.
# Whatever is killed in the middle, it is known as unfinished, and begun anew by the next copy.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Gate;
use Elvis::Node;
use Elvis::Util;
use IPC::Run;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon');
my @all = ($paris, $lyon);
my $rows = 40_000;

for my $node (@all)
{
	$node->sql("create table $_ (id int primary key, n int, at timestamptz, v text)")
	  for 'large', 'everywhere';
}
$paris->sql("insert into $_ select i, 0, clock_timestamp(), repeat('v', 1000) "
	  . "from generate_series(1, $rows) i")
  for 'large', 'everywhere';

# without CASCADE the server does not truncate what others refer to
$lyon->sql('create table notes (large int references large)');

my $everywhere = '{ match = "public.everywhere"; '
  . 'policy = { use = "last_writer_wins"; column = "at"; }; }';
my $daemon = Elvis::Daemon->new('parts', nodes => \@all, config => links_conf(\@all,
		[ 'paris', 'lyon', qq(tables = ( $everywhere, "public.large" );) ],
		[ 'lyon', 'paris', qq(tables = ( $everywhere );) ]));
is(($daemon->ctl('apply'))[0], 6, 'a copy is needed');
$daemon->start;

sub start_copy
{
	my ($out, @words) = @_;
	my @command = (Elvis::Daemon::program('elvisctl'), $daemon->what, 'copy', 'paris_lyon', '--jobs', 2, '--table',
		@words);

	return IPC::Run::start(\@command, '<', \undef, '>', $out, '2>&1');
}

sub pid_of
{
	my ($harness) = @_;

	return $harness->{KIDS}[0]{PID};
}

sub unfinished
{
	return $lyon->sql('select count(*) from elvis.position_table where parts_left > 0');
}

sub sessions_are_gone
{
	return $lyon->poll(
		q(select count(*) = 0 from pg_stat_activity where application_name = 'elvisctl copy'));
}

# A copy of which one part stands still, and the other has arrived
sub half_a_copy
{
	my ($gate, @words) = @_;
	my $said;

	$gate->shut($rows / 4);
	my $copy = start_copy(\$said, @words);
	ok($gate->reached, 'one process is in the middle of its part') or diag $said;
	ok($lyon->poll('select exists (select from elvis.position_table where parts_left = 1)'),
		'another has brought its own');
	return $copy;
}

# ---- rows of somebody else ----

$lyon->sql("set session_replication_role = replica; insert into large values (0, 0, now(), 'mine')");
my @copy = ('copy', 'paris_lyon', '--jobs', 2, '--table', 'public.large');
like(($daemon->ctl(@copy))[2], qr/has rows already/, 'a table with rows is not copied over');
is($lyon->sql('select count(*) from large'), 1, 'nor touched');
$lyon->sql('set session_replication_role = replica; delete from large');

# ---- killed under load ----

my $script = "$PostgreSQL::Test::Utils::tmp_check/writer.sql";
PostgreSQL::Test::Utils::append_to_file($script, <<"SQL");
\\set id random(1, $rows)
\\set other random(1, $rows)
update large set n = n + 1, v = v || 'w' where id = :id;
delete from large where id = :other;
insert into large values (:other, 0, now(), 'new') on conflict (id) do nothing;
SQL
my $load = IPC::Run::start([ 'pgbench', '-n', '-c', 2, '-T', 3600, '-f', $script, $paris->conninfo ],
	'<', \undef, '>', \my $said, '2>&1');

my $gate = Elvis::Gate->new($lyon, 'large');
my $copy = half_a_copy($gate, 'public.large');
cmp_ok($lyon->sql('select count(*) from large'), '>', $rows / 4, 'which can be seen');
my $vacuum = IPC::Run::start([ 'psql', '-qXd', $paris->conninfo, '-c', 'vacuum full large' ]);
ok($paris->poll(q(select exists (select from pg_locks where relation = 'large'::regclass
	and mode = 'AccessExclusiveLock' and not granted))),
	'who would move rows to other pages waits');
$copy->kill_kill(grace => 0);
$gate->open;
ok(sessions_are_gone(), 'none of its processes outlives a copy that is killed');
is($vacuum->finish, 1, 'nor does the lock');
is(unfinished(), 1, 'it is known that the table is not whole');
isnt(($daemon->ctl('resume', 'paris_lyon'))[0], 0, 'so that the link does not run');
$gate->remove;

$gate = Elvis::Gate->new($lyon, 'large');
$copy = half_a_copy($gate, 'public.large');
# the other may have ended, with nothing left to do
my ($worker) = map { /(\d+) [^Z]/ } `ps -o pid=,stat= --ppid @{[ pid_of($copy) ]}`;
kill 'KILL', $worker;
$copy->finish;
isnt($copy->result(0), 0, 'a copy fails when one of its processes is killed');
$gate->open;
ok(sessions_are_gone(), 'and the others give up');
is(unfinished(), 1, 'the table is still unfinished');
$gate->remove;

$daemon->ctl_ok(@copy);
is(unfinished(), 0, 'the next copy finishes it, without being told to empty it');
$load->signal('INT');
$load->finish;
$daemon->wait_caught_up;
ok(same_rows('large', @all), 'copy and stream together are the source');
is($lyon->sql('select count(*) from elvis.resolution'), 0, 'without a conflict');
is($lyon->sql(q(select count(*) from elvis.position_table where relid = 'large'::regclass)), 0,
	'and the copy has been left behind');
$lyon->sql('drop table notes');

# ---- where the target writes too ----

$gate = Elvis::Gate->new($lyon, 'everywhere');
$gate->shut($rows / 4);
$copy = start_copy(\$said, 'public.everywhere');
ok($gate->reached, 'a table that is written at both ends is copied');
is($lyon->sql('select count(*) from elvis.position_table') . '|'
	  . $lyon->sql('select count(*) from everywhere'), '0|0', 'in one part');
$gate->open;
ok($copy->finish, 'and arrives');
$gate->remove;
ok(same_rows('everywhere', @all), 'whole');

# ---- filled anew while the link runs ----

$gate = Elvis::Gate->new($lyon, 'large');
$copy = half_a_copy($gate, 'public.large', '--truncate');
$paris->sql('update large set n = -1');
$copy->kill_kill(grace => 0);
$gate->open;
ok(sessions_are_gone(), 'a copy of a table that joins is killed');
$gate->remove;
isnt(($daemon->ctl('resume', 'paris_lyon'))[0], 0, 'the link does not go on by accident');
$daemon->ctl_ok(@copy);
$daemon->wait_caught_up;
ok(same_rows('large', @all), 'but with another copy');
is($lyon->sql('select count(*) from elvis.resolution'), 0, 'without a conflict');

$gate = Elvis::Gate->new($lyon, 'large');
$copy = half_a_copy($gate, 'public.large', '--truncate');
$copy->kill_kill(grace => 0);
$gate->open;
sessions_are_gone();
$gate->remove;
$daemon->ctl_ok('resume', '--accept', 'paris_lyon');
is(unfinished(), 0, 'an operator may take it as it is');
is(($daemon->ctl(@copy))[0], 3,
	'then its rows are not to be emptied without being told');
$daemon->ctl_ok(@copy, '--truncate');
$daemon->wait_caught_up;
ok(same_rows('large', @all), 'but may be');
is($daemon->stop, 0, 'the daemon ends well');

done_testing();
