# A feed of JSON lines beside a replica: both get everything, and neither waits for the other.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use PostgreSQL::Test::Utils ();
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon');
my $feed = "$PostgreSQL::Test::Utils::tmp_check/feed.jsonl";

$_->sql('create table t (id int primary key, v text)') for $paris, $lyon;

my $daemon = Elvis::Daemon->new('feed', nodes => [ $paris, $lyon ], config => <<"CONF");
nodes = ( { name = "paris"; id = 1; conninfo = "\@conninfo paris\@"; },
          { name = "lyon"; id = 2; conninfo = "\@conninfo lyon\@"; } );
retry_max = "500 ms";
links = ( { name = "paris_lyon"; from = "paris"; to = "lyon";
            tables = ( { match = "public.t"; } ); },
          { name = "paris_feed"; from = "paris"; sink = { use = "jsonl"; path = "$feed"; };
            tables = ( { match = "public.t"; } ); } );
CONF
$daemon->ctl_ok('apply');
$daemon->start;

# The feed's lines, each one event
sub events { return split /\n/, PostgreSQL::Test::Utils::slurp_file($feed); }

for my $round (1 .. 5)
{
	$paris->sql("insert into t select i, 'x' from generate_series(${round}000, ${round}999) i");
	$daemon->kill9;
	$daemon->start;
}
$daemon->wait_caught_up;
ok(same_rows('t', $paris, $lyon), 'the replica is equal');
my %ids = map { /"after":\{"id":(\d+)/ ? ($1 => 1) : () } events();
is(scalar keys %ids, 5000, 'the feed has every row');
is(scalar events(), 5000, 'and each once, although the daemon was killed');

$lyon->stop;
$paris->sql("update t set v = 'y' where id < 1100");
poll_until { events() == 5100 } 30;
is(scalar events(), 5100, 'the feed goes on while the replica is away');
$lyon->start;
$daemon->wait_caught_up;
ok(same_rows('t', $paris, $lyon), 'and the replica catches up');
is($daemon->stop, 0, 'the daemon ends well');

done_testing();
