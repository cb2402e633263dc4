# elvisctl status, wait, pause, resume, skip, conflicts, forget: an operator and a link.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use JSON::PP;
use Test::More;

my $paris = Elvis::Node->new('paris', bare => 1);
my $lyon = Elvis::Node->new('lyon', bare => 1, beside => $paris);

$_->sql('create table t (id int primary key, v text)') for $paris, $lyon;
my $daemon = Elvis::Daemon->new('steer', from => $paris, to => $lyon, tables => 'public.*');

sub link_status
{
	my ($name) = @_;

	return decode_json($daemon->ctl_ok('--json', 'status'))->{links}->[0]->{$name};
}

# ---- before and without a daemon ----

is(link_status('state'), 'new', 'a link that was not set up is new');
$daemon->ctl_ok('apply');
is(link_status('state'), 'running', 'set up, it is to run');
ok(!link_status('daemon'), 'but no daemon is there');
ok(!link_status('behind'), 'and nothing to do');
is(($daemon->ctl('wait', '--timeout', '0'))[0], 0, 'so there is nothing to wait for');

$paris->sql("insert into t values (1, 'a'), (2, 'b')");
ok(link_status('behind'), 'a change is noticed');
is(($daemon->ctl('wait', '--timeout', '0'))[0], 5, 'waiting in vain has its own status');

my $taken = $paris->sql('select max(id) from elvis.snapshots()');
$paris->sql("insert into t values (30, 'c')");
like(($daemon->ctl('wait', '--timeout', '0'))[2], qr/to reach (?!$taken;)\d/,
	'what is committed behind a snapshot that is there already is waited for as well');

$daemon->start;
is(($daemon->ctl('wait'))[0], 0, 'waiting ends when the change has arrived');
ok(same_rows('t', $paris, $lyon), 'which it has');
$paris->sql('delete from t where id = 30');
$daemon->wait_caught_up;
ok(link_status('daemon'), 'a daemon is seen');
ok(!link_status('behind'), 'and not behind');

# ---- pause ----

$daemon->ctl_ok('pause', 'source_target', '--reason', 'lunch');
is(link_status('reason'), 'lunch', 'a pause has a reason');
$paris->sql("insert into t values (3, 'c')");
my ($status, undef, $err) = $daemon->ctl('wait');
is($status, 1, 'nobody waits for a paused link');
like($err, qr/lunch/, '... and is told why');
is($lyon->sql('select count(*) from t'), 2, 'nothing is delivered meanwhile');
$daemon->ctl_ok('resume', 'source_target');
$daemon->wait_caught_up;
ok(same_rows('t', $paris, $lyon), 'resumed, it goes on');

# ---- a stop, mended ----

sub behind_its_back { $lyon->sql("set session_replication_role = replica; $_[0]"); return; }
sub stops { return poll_until { link_status('state') eq 'stopped' }; }

behind_its_back("update t set v = 'x' where id = 1");
$paris->sql("update t set v = 'changed' where id = 1");
$paris->sql("insert into t values (4, 'd')");
ok(stops(), 'a conflict under strict stops the link');
is(($daemon->ctl('wait'))[0], 1, 'nobody waits for a stopped link');
is(($daemon->ctl('pause', 'source_target'))[0], 1, 'a stop is not covered by a pause');

my $conflict = decode_json($daemon->ctl_ok('--json', 'conflicts', 'list'))->[0];
is($conflict->{kind}, 'update_differs', 'the conflict is listed');
my $shown = decode_json($daemon->ctl_ok('--json', 'conflicts', 'show', $conflict->{id}));
is_deeply([ $shown->{local}->{v}, $shown->{remote}->{v} ], [ 'x', 'changed' ], 'with both sides');
is(($daemon->ctl('conflicts', 'show', $conflict->{id} . '9'))[0], 3, 'one that is not there is not shown');

$daemon->restart;
poll_until { link_status('daemon') };
is(link_status('state'), 'stopped', 'it stays stopped when the daemon is restarted');
behind_its_back("update t set v = 'a' where id = 1");
$daemon->ctl_ok('resume', 'source_target');
$daemon->wait_caught_up;
ok(same_rows('t', $paris, $lyon), 'mended and resumed it goes on');
is(($daemon->ctl('skip', 'source_target'))[0], 1, 'what runs has nothing to skip');

# ---- a stop, skipped ----

behind_its_back("update t set v = 'kept' where id = 2");
$paris->sql(<<'SQL');
begin;
update t set v = 'first' where id = 1;
update t set v = 'never' where id = 2;
update t set v = 'third' where id = 3;
commit;
SQL
ok(stops(), 'it stops again');
is($lyon->sql("select string_agg(v, ',' order by id) from t"), 'changed,kept,c,d',
	'with nothing of that transaction done');
$daemon->ctl_ok('skip', 'source_target');
$daemon->wait_caught_up;
is($lyon->sql("select string_agg(v, ',' order by id) from t"), 'first,kept,third,d',
	'exactly that one change is passed');
$paris->sql("update t set v = 'never'");
ok(stops(), 'but not the next one to that row');
$daemon->ctl_ok('skip', 'source_target');
$daemon->wait_caught_up;
is($lyon->sql("select count(*) from t where v = 'never'"), 3, 'which can be skipped in its turn');
behind_its_back("update t set v = 'never' where id = 2");

# ---- forget, begin anew ----

$daemon->stop;
$daemon->ctl_ok('forget', 'source_target');
is($lyon->sql('select count(*) from elvis.position') + $paris->sql('select count(*) from elvis.subscriber'),
	0, 'neither side knows a forgotten link');
is(($daemon->ctl('resume', 'source_target'))[0], 3, 'which cannot be resumed');
is(($daemon->ctl('apply'))[0], 6, 'nor begins from now, since there are rows');
$daemon->ctl_ok('apply', '--adopt');
$daemon->start;
$paris->sql("update t set v = 'again'");
$daemon->wait_caught_up;
ok(same_rows('t', $paris, $lyon), 'unless both sides are said to hold the same');

# ---- a database goes away ----

my $config = Elvis::Daemon->new('away', nodes => [ $paris, $lyon ], config => <<'CONF');
nodes = ( { name = "paris"; id = 1; conninfo = "@conninfo paris@"; },
          { name = "lyon"; id = 2; conninfo = "host=/nowhere dbname=lyon"; } );
links = ( { name = "l"; from = "paris"; to = "lyon"; tables = "public.*"; } );
CONF
($status, my $out) = $config->ctl('--json', 'status');
is($status, 4, 'a status that is not known in whole has its own exit status');
is(decode_json($out)->{links}->[0]->{state}, 'unknown', 'and says so');
is(decode_json($out)->{nodes}->[0]->{trouble}, undef, 'what can be asked is told');
$daemon->stop;

done_testing();
