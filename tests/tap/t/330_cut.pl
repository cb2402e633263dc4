# Connections are cut at random under load, and a target stands still for a while: the daemon
# goes on by itself, nothing is lost, nothing comes twice, and it is said once and not for
# each try.  ELVIS_SEED=N repeats a run's choices.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Load;
use Elvis::Node;
use Elvis::Util;
use IO::Socket::UNIX;
use IPC::Run;
use PostgreSQL::Test::Utils ();
use Test::More;
use Time::HiRes qw(sleep);

my $seed = $ENV{ELVIS_SEED} // int(rand(1_000_000));
srand($seed);
note "ELVIS_SEED=$seed";

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon');
my @both = ($paris, $lyon);
my $daemon = Elvis::Daemon->new('paris_lyon', nodes => \@both,
	config => links_conf(\@both, [ 'paris', 'lyon' ]) . 'retry_max = "500 ms";');

pgbench_tables(@both);
$daemon->ctl_ok('apply', '--adopt');
$daemon->start;

# ---- cut ----

my $cut = 0;
my $load = Elvis::Load->new($paris, clients => 4, seconds => long_or(60, 8));
for (1 .. long_or(150, 20))
{
	sleep 0.1 + rand 0.4;
	$cut += $both[ int rand 2 ]->sql(<<'SQL');
select count(pg_terminate_backend(pid)) from pg_stat_activity
where application_name like 'elvisd%' and random() < 0.7
SQL
}
is($load->finish, 0, 'clients notice nothing of it') or diag $load->said;
cmp_ok($cut, '>', 10, 'many connections are cut');
$daemon->wait_caught_up;
ok(same_pgbench(@both), 'the same rows on both sides');
is($paris->sql('select state from elvis.subscriber'), 'running', 'a cut connection stops no link');

# cut while something is applied: what has become of it is found out, not guessed
$lyon->sql(<<'SQL');
create function cut_when_busy() returns bool language plpgsql as $$
begin
	for i in 1 .. 3000 loop
		perform pg_terminate_backend(pid) from pg_stat_activity
		where application_name = 'elvisd paris_lyon' and state <> 'idle';
		if found then return true; end if;
		perform pg_stat_clear_snapshot();
		perform pg_sleep(0.001);
	end loop;
	return false;
end $$;
SQL
my $hits = '';
for my $round (1 .. long_or(50, 8))
{
	my $cutter = IPC::Run::start([ 'psql', '-XAtqc', 'select cut_when_busy()', '-d',
		$lyon->conninfo ], '<', \undef, '>', \my $hit);

	$paris->sql("insert into pgbench_history select 1, 1, i, $round from "
		  . 'generate_series(1, 5000) i');
	$cutter->finish;
	$hits .= $hit;
}
like($hits, qr/t/, 'connections are cut while they apply');
$daemon->wait_caught_up;
ok(same_pgbench(@both), 'what was cut off while it was applied is there once');
ok($daemon->is_running, 'by the same daemon');

# ---- stands still ----

my ($server) = PostgreSQL::Test::Utils::slurp_file(
	$lyon->cluster->data_dir . '/postmaster.pid') =~ /^(\d+)/;
my @processes = `ps -o pid= --ppid $server` =~ /(\d+)/g;

# whatever happens, they are not left behind like that
END { kill 'CONT', $server, @processes if $server; }
kill 'STOP', $server, @processes;
$load = Elvis::Load->new($paris, clients => 2, seconds => 4);
is($load->finish, 0, 'clients do not wait for a target that stands still') or diag $load->said;
isnt($daemon->is_running, 0, 'nor does the daemon end');
kill 'CONT', $server, @processes;
$daemon->wait_caught_up;
ok(same_pgbench(@both), 'it has what it missed');

# ---- away ----

my $from = length $daemon->log_text;
$lyon->stop('immediate');
$paris->sql('insert into pgbench_history values (1, 1, 1, 1)');
$daemon->wait_for_log(qr/link paris_lyon/, $from);
# in the place of the server, somebody who counts how often it is tried
my $place = $lyon->cluster->host . '/.s.PGSQL.' . $lyon->cluster->port;
my $door = IO::Socket::UNIX->new(Local => $place, Listen => 5) or die "$place: $!";
$door->timeout(60);
my $tries = grep { my $caller = $door->accept; $caller && $caller->close } 1 .. 8;
close $door;
unlink $place;
is($tries, 8, 'it is tried again and again');
my $said = () = substr($daemon->log_text, $from) =~ /warning link paris_lyon/g;
cmp_ok($said, '<=', 2, 'a target that is away is said once, not at each try');
$lyon->start;
$daemon->wait_caught_up;
my $end = $daemon->wait_for_log(qr/info +link paris_lyon/, $from);
ok($end, 'and so is its return');
ok(same_pgbench(@both), 'it has what it missed then');

# ---- away from the start ----

# while a link waits for its target it has begun to connect to its source, which ends that
is($daemon->stop, 0, 'the daemon ends well');
$lyon->stop('immediate');
$paris->sql('insert into pgbench_history values (1, 1, 1, 2)');
$from = length $daemon->log_text;
$daemon->start;
$daemon->wait_for_log(qr/warning link paris_lyon/, $from);
$paris->poll("select count(*) = 2 from pg_stat_activity where application_name = 'elvisd paris'");
$paris->sql("select pg_terminate_backend(pid) from pg_stat_activity
	where application_name = 'elvisd paris'");
$lyon->start;
$daemon->wait_caught_up;
ok(same_pgbench(@both), 'a target that was away when the daemon started gets what it missed');
unlike(substr($daemon->log_text, $from), qr/reading/,
	'and what the source had ended meanwhile is begun anew without a word');

is($lyon->sql('select count(*) from elvis.resolution'), 0, 'without a conflict');
is($daemon->stop, 0, 'the daemon ends well again');

done_testing();
