# A daemon begins, ends and refuses as it should, whatever it carries.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Test::More;

my $paris = Elvis::Node->new('paris');
$paris->sql('create table t (a int primary key, b text)');

my $config = <<'CONF';
nodes = ( { name = "paris"; id = 1; conninfo = "@conninfo paris@"; } );
links = ( { name = "paris_null"; from = "paris"; sink = { use = "null"; };
            tables = ( { match = "public.t"; } ); } );
CONF
my $daemon = Elvis::Daemon->new('paris_null', config => $config, nodes => [$paris]);
$daemon->ctl_ok('apply');

$daemon->start;
$paris->sql("insert into t select i, 'x' from generate_series(1, 1000) i");
$daemon->wait_caught_up;
ok($daemon->is_running, 'it carries what is written');

# its server goes away and comes back
$paris->restart;
$paris->sql("update t set b = 'y'");
$daemon->wait_caught_up;
ok($daemon->is_running, 'it outlives a restart of the database');

is($daemon->stop, 0, 'it ends well when asked to');

$daemon->start;
$paris->sql('delete from t where a > 500');
$daemon->wait_caught_up;
$daemon->kill9;
$daemon->start;
$paris->sql('delete from t');
$daemon->wait_caught_up;
is($daemon->stop, 0, 'it goes on after it was killed');

my $wrong = Elvis::Daemon->new('wrong', nodes => [$paris],
	config => $config . "no_such_setting = 1;\n");
$wrong->start;
isnt($wrong->wait_ended, 0, 'it does not start with a setting that it does not know');

done_testing();
