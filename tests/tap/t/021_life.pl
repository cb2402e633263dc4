# A daemon is asked to end in the middle of its work, to read its configuration again, and works
# for a link that was stopped.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use IPC::Run;
use Test::More;
use Time::HiRes qw(time);

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);

$_->sql('create table one (id int primary key, v text);'
	. 'create table two (id int primary key, v text);') for $paris, $lyon;

sub config
{
	my ($match, $policy) = @_;

	return <<"CONF";
nodes = ( { name = "paris"; id = 1; conninfo = "\@conninfo paris\@"; },
          { name = "lyon"; id = 2; conninfo = "\@conninfo lyon\@"; } );
retry_max = "500 ms";
links = ( { name = "paris_lyon"; from = "paris"; to = "lyon";
            tables = ( { match = "$match"; policy = "$policy"; } ); } );
CONF
}

my $daemon = Elvis::Daemon->new('life', nodes => [ $paris, $lyon ],
	config => config('public.one', 'strict'));

sub state_of_link { return $paris->sql('select state from elvis.subscriber'); }

# Row 1 of lyon, as somebody who may write a replica would make it
sub disturb
{
	my ($sql) = @_;

	$lyon->sql("set session_replication_role = replica; $sql");
	return;
}

$daemon->ctl_ok('apply');
$daemon->start;
$paris->sql("insert into one select i, 'x' from generate_series(1, 1000) i");
$daemon->wait_caught_up;

# --- the end

$paris->sql("insert into one select i, 'x' from generate_series(1001, 300000) i");
poll_until { $lyon->sql("select count(*) from pg_stat_activity where state <> 'idle'
	and query like '%elvis.apply%' and pid <> pg_backend_pid()") > 0 } 20;
my $before = time;
is($daemon->stop, 0, 'it ends well in the middle of a large transaction');
cmp_ok(time - $before, '<', 10, 'within seconds');
$daemon->start;
$daemon->wait_caught_up;
ok(same_rows('one', $paris, $lyon), 'and nothing is lost or done twice');

# a target where a lock is held does not hold the end up either
my $holder = $lyon->{cluster}->background_psql($lyon->name);
$holder->query_safe('begin; lock table one in access exclusive mode');
$paris->sql("update one set v = 'y' where id = 1");
poll_until { $lyon->sql("select count(*) from pg_locks where not granted") > 0 } 20;
$before = time;
is($daemon->stop, 0, 'it ends well while the target waits for a lock');
cmp_ok(time - $before, '<', 10, 'within seconds');
$daemon->start;
$holder->query_safe('rollback');
$holder->quit;
$daemon->wait_caught_up;
ok(same_rows('one', $paris, $lyon), 'and goes on when the lock is gone');

# --- reload

$daemon->write_config("links = (\n");
my $at = length $daemon->log_text;
$daemon->reload;
$daemon->wait_for_log(qr/not reloaded/, $at);
$paris->sql("update one set v = 'z' where id = 2");
poll_until { $lyon->sql("select v from one where id = 2") eq 'z' } 20;
is($lyon->sql("select v from one where id = 2"), 'z', 'a bad configuration changes nothing');

$daemon->write_config(config('public.*', 'strict'));
$daemon->ctl_ok('apply');
$at = length $daemon->log_text;
$daemon->reload;
$daemon->wait_for_log(qr/reloaded/, $at);
$paris->sql("insert into two values (1, 'a')");
$daemon->wait_caught_up;
ok(same_rows($_, $paris, $lyon), "$_ follows the new configuration") for 'one', 'two';

# --- stopped and resumed

disturb("update one set v = 'lyon' where id = 1");
$paris->sql("update one set v = 'paris' where id = 1");
poll_until { state_of_link() eq 'stopped' } 20;
is(state_of_link(), 'stopped', 'strict stops the link');
is($lyon->sql("select kind || ' ' || verdict || ' ' || policy from elvis.resolution"),
	'update_differs stop strict', 'and the conflict is recorded');
is($lyon->sql("select v from one where id = 1"), 'lyon', 'the local row stays');

$daemon->restart;
$paris->sql("update one set v = 'later' where id = 3");
$daemon->wait_for_log(qr/is stopped/, $at);
is(state_of_link(), 'stopped', 'a restart does not resume it');
isnt($lyon->sql("select v from one where id = 3"), 'later', 'and nothing more arrives');

disturb("update one set v = 'y' where id = 1");
$daemon->ctl_ok('resume', 'paris_lyon');
$daemon->wait_caught_up;
ok(same_rows('one', $paris, $lyon), 'it goes on where it stopped when it is resumed');

# --- another policy by reload

$daemon->write_config(config('public.*', 'apply_remote'));
$at = length $daemon->log_text;
$daemon->reload;
$daemon->wait_for_log(qr/reloaded/, $at);
disturb("update one set v = 'lyon' where id = 1");
$paris->sql("update one set v = 'remote' where id = 1");
$daemon->wait_caught_up;
ok(same_rows('one', $paris, $lyon), 'a new policy is in force after a reload');

# --- what the link owned is given to another, under a session that has written as its owner

my $route = $lyon->sql('select distinct link from elvis.route');
$lyon->sql("set session_replication_role = replica;
	update elvis.route set link = '00000000-0000-0000-0000-000000000001'");
$at = length $daemon->log_text;
$paris->sql("update one set v = 'not mine' where id = 1");
$daemon->wait_for_log(qr/come here by two links/, $at);
is($lyon->sql('select v from one where id = 1'), 'remote', 'it hears of it, and writes nothing');
$lyon->sql("update elvis.route set link = '$route'");
$daemon->wait_caught_up;
ok(same_rows('one', $paris, $lyon), 'it goes on when that is given back');

# --- and while the session looks who the owner is: it has its snapshot, and waits for the index

is($daemon->stop, 0, 'the daemon ends');
my $giver = IPC::Run::start([ 'psql', '-qXAtd', $lyon->conninfo ], '<', \my $in, '>', \my $out);
$in = "set session_replication_role = replica; begin; update elvis.route set link = "
  . "'00000000-0000-0000-0000-000000000001'; reindex index elvis.route_pkey; select 'given';\n";
$giver->pump until $out =~ /given/;
$daemon->start;
$paris->sql("update one set v = 'mine' where id = 1");
ok($lyon->poll(q(select exists (select from pg_locks where not granted
	and relation = 'elvis.route_pkey'::regclass))), 'it looks');
$in = "commit;\n\\q\n";
$giver->finish;
$at = length $daemon->log_text;
$paris->sql("update one set v = 'not mine' where id = 1");
$daemon->wait_for_log(qr/come here by two links/, $at);
is($lyon->sql("select v from one where id = 1"), 'mine', 'what it has seen is not remembered');
$lyon->sql("update elvis.route set link = '$route'");
$daemon->wait_caught_up;

is($daemon->stop, 0, 'the daemon ends well');
done_testing();
