# What was written while no daemon ran has no snapshots in it.  It is taken in bites, and a
# daemon killed between two of them goes on where it was.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Gate;
use Elvis::Load;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon');
my $daemon = Elvis::Daemon->new('paris_lyon', nodes => [ $paris, $lyon ],
	config => links_conf([ $paris, $lyon ], [ 'paris', 'lyon' ])
	  . 'target_bytes = "4 kB"; retry_max = "500 ms";');

pgbench_tables($paris, $lyon);
$daemon->ctl_ok('apply', '--adopt');

# when a snapshot was taken last, and where the link is: inside of a batch, or between two
my $newest = 'select max(id) from elvis.snapshots()';
my $place = "select from_id || ' ' || to_id || ' ' || seq from elvis.position";
my $inside = 'select to_id <> 0 from elvis.position';

my $before = $paris->sql($newest);
my $load = Elvis::Load->new($paris, clients => 4, transactions => long_or(20_000, 3_000));
is($load->finish, 0, 'a backlog is written') or diag $load->said;
is($paris->sql($newest), $before, 'that no snapshot cuts');

# every transaction inserts one row into the history: so many are applied before each stop
my $stride = long_or(1500, 500);
my $gone = q(select count(*) = 0 from pg_stat_activity
	where application_name like 'elvisd%' and query ilike '%elvis.%');
my $gate = Elvis::Gate->new($lyon, 'pgbench_history');
my $rounds = long_or(10, 3);
my %seen;
for my $round (1 .. $rounds)
{
	$gate->shut($round * $stride);
	$daemon->start;
	ok($gate->reached, 'the link is in the middle of it');
	$daemon->kill9;
	$gate->open;
	ok($lyon->poll($gone), 'and ends there');
	is($lyon->sql($inside), 't', 'inside of a batch');
	$seen{ $lyon->sql($place) }++;
}
is(scalar keys %seen, $rounds, 'each time further on');
$gate->remove;

$daemon->start;
$daemon->wait_caught_up;

ok(same_pgbench($paris, $lyon), 'the same rows on both sides');
is($lyon->sql('select count(*) from elvis.resolution'), 0, 'without a conflict');

done_testing();
