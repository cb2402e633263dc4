# pgbench at paris: a replica, a relay and the relay's replica end with paris' rows, although
# the daemon is killed again and again and a target goes away meanwhile.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use IPC::Run;
use Test::More;
use Time::HiRes qw(sleep);

my @tables = map { "pgbench_$_" } qw(accounts branches history tellers);
my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $nice = Elvis::Node->new('nice');
my $oslo = Elvis::Node->new('oslo', beside => $paris);
my @nodes = ($paris, $lyon, $nice, $oslo);

sub pgbench
{
	my ($node, @words) = @_;
	my ($out, $err);

	return IPC::Run::start([ 'pgbench', '-n', @words, $node->conninfo ],
		'<', \undef, '>', \$out, '2>', \$err);
}

pgbench($_, '-i', '-I', 'tp')->finish for @nodes;

my $tables = 'tables = ( { match = "public.pgbench_*"; } );';
my $daemon = Elvis::Daemon->new('relay', nodes => \@nodes, config => <<"CONF");
nodes = ( { name = "paris"; id = 1; conninfo = "\@conninfo paris\@"; },
          { name = "lyon"; id = 2; conninfo = "\@conninfo lyon\@"; },
          { name = "nice"; id = 3; conninfo = "\@conninfo nice\@"; },
          { name = "oslo"; id = 4; conninfo = "\@conninfo oslo\@"; } );
retry_max = "500 ms";
links = ( { name = "paris_lyon"; from = "paris"; to = "lyon"; $tables },
          { name = "paris_nice"; from = "paris"; to = "nice"; $tables },
          { name = "lyon_oslo"; from = "lyon"; to = "oslo"; $tables } );
CONF
$daemon->ctl_ok('apply');
$daemon->start;

# generating truncates four tables together, then fills them in one transaction
ok(pgbench($paris, '-i', '-I', 'g')->finish, 'the tables are filled');
$daemon->wait_caught_up;
ok(same_rows($_, @nodes), "$_ is filled everywhere") for @tables;

my $load = pgbench($paris, '-c', 4, '-T', 8);
for my $round (1 .. 6)
{
	sleep 0.3 + rand 0.7;
	$daemon->kill9;
	$daemon->start;
	$nice->restart if $round == 3;
}
ok($load->finish, 'pgbench has run');
$daemon->wait_caught_up;
cmp_ok($paris->sql('select count(*) from pgbench_history'), '>', 100,
	'it has written something');
ok(same_rows($_, @nodes), "$_ is equal everywhere") for @tables;
is($_->sql('select count(*) from elvis.resolution'), 0, $_->name . ' met no conflict')
	for @nodes;

# what the relay got from paris does not go back there
is($paris->sql('select count(*) from elvis.position'), 0, 'nothing came to paris');
is($daemon->stop, 0, 'the daemon ends well');

done_testing();
