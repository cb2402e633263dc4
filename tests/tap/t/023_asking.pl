# A policy that has to be asked: each of its verdicts is carried out on the row that was met, what
# follows builds upon it, and all is recorded in the commit that does it.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use PostgreSQL::Test::Utils 'slurp_file';
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $policy = "$ENV{ELVIS_BUILDDIR}/tests/plugins/.libs/asks.so";

$_->sql('create table t (id int primary key, v text)') for $paris, $lyon;
my $config = <<"CONF";
nodes = ( { name = "paris"; id = 1; conninfo = "\@conninfo paris\@"; },
          { name = "lyon"; id = 2; conninfo = "\@conninfo lyon\@"; } );
retry_max = "200 ms";
links = ( { name = "paris_lyon"; from = "paris"; to = "lyon"; granularity = "batch";
            tables = ( { match = "public.t"; policy = "$policy"; } ); } );
CONF
my $daemon = Elvis::Daemon->new('asking', nodes => [ $paris, $lyon ], config => $config);
$daemon->ctl_ok('apply');
$daemon->start;
$paris->sql("insert into t select i, 'x' from generate_series(1, 2000) i");
$daemon->wait_caught_up;

sub disturb
{
	my ($sql) = @_;

	$lyon->sql("set session_replication_role = replica; $sql");
	return;
}

sub value { return $lyon->sql("select v from t where id = $_[0]"); }

disturb("update t set v = 'lyon' where id <= 100");
$paris->sql("begin;
	update t set v = 'keep' where id = 1;
	update t set v = 'apply' where id = 2;
	update t set v = 'merge' where id = 3;
	update t set v = 'plain' where id = 200;
	update t set v = 'apply again' where id = 2;
	commit");
$daemon->wait_caught_up;
is(value(1), 'lyon', 'a row is kept');
is(value(2), 'apply again', 'a row is overwritten, and what follows fits it');
is(value(3), 'lyon+merge', 'a row is merged');
is(value(200), 'plain', 'the rest of the transaction is carried out');
is($lyon->sql("select string_agg(key->>'id' || ' ' || verdict || ' ' || policy, ', ' order by id)
	from elvis.resolution"), '1 keep_local asks, 2 apply_remote asks, 3 merge asks',
	'each is recorded once');

# retry: the transaction is rolled back and tried again, and the third attempt is told so
$paris->sql("begin;
	update t set v = 'before' where id = 201;
	update t set v = 'retry' where id = 4;
	update t set v = 'after' where id = 202;
	commit");
$daemon->wait_caught_up;
is(value(4), 'retry', 'a retry ends when the policy has another verdict');
is(join(' ', map { value($_) } 201, 202), 'before after', 'its transaction is done once');
is($lyon->sql("select count(*) from elvis.resolution where key->>'id' = '4'"), 1,
	'and one resolution is left');

# many questions in a transaction of many pieces
disturb("update t set v = 'lyon' where id > 1000");
$paris->sql("update t set v = 'apply ' || repeat('x', 1000) where id > 1000");
$daemon->wait_caught_up;
ok($lyon->sql("select bool_and(v like 'apply x%') from t where id > 1000") eq 't',
	'a thousand questions are answered');

# transactions that were sent behind one with a question go again after its answer: each expects
# what the one before it made of the row
my $before = $lyon->sql("select max(id) from elvis.resolution");
my $log = -s $lyon->cluster->logfile;
$daemon->stop;
disturb("update t set v = 'lyon' where id in (500, 501)");
$paris->sql("update t set v = 'apply $_' where id = 500") for 1 .. 40;
$paris->sql("update t set v = 'merge' where id = 501");
$paris->sql("update t set v = 'apply $_' where id in (500, 501)") for 41 .. 60;
$daemon->write_config($config =~ s/granularity = "batch"/granularity = "transaction"/r);
$daemon->start;
$daemon->wait_caught_up;
is(join(' ', map { value($_) } 500, 501), 'apply 60 apply 60', 'what follows a question is not lost');
is($lyon->sql("select string_agg((key->>'id') || ' ' || verdict, ', ' order by id)
	from elvis.resolution where id > $before"), '500 apply_remote, 501 merge, 501 apply_remote',
	'nor asked about where it fits');
like(slurp_file($lyon->cluster->logfile, $log),
	qr/the transaction that this one follows was not applied/, 'it had been sent already');

# an abstention leads to strict at the end of the chain
disturb("update t set v = 'lyon' where id = 300");
$paris->sql("update t set v = 'whatever' where id = 300");
poll_until { $paris->sql('select state from elvis.subscriber') eq 'stopped' } 30;
is($lyon->sql("select verdict || ' ' || policy from elvis.resolution order by id desc limit 1"),
	'stop strict', 'nobody having decided, strict does');
is(value(300), 'lyon', 'and nothing is written');

$daemon->stop;
done_testing();
