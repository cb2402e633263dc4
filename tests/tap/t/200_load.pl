# While eight clients write, two replicas and one behind a relay follow, and hold the same
# rows when the clients have done.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Load;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon');
my $nice = Elvis::Node->new('nice', beside => $lyon);
my $metz = Elvis::Node->new('metz', beside => $lyon);
my @all = ($paris, $lyon, $nice, $metz);
my $daemon = Elvis::Daemon->new('tree', nodes => \@all, config => links_conf(\@all,
	[ 'paris', 'lyon' ], [ 'paris', 'nice' ], [ 'nice', 'metz' ]));

pgbench_tables(@all);
$daemon->ctl_ok('apply', '--adopt');
$daemon->start;

my $load = Elvis::Load->new($paris, clients => 8, seconds => long_or(30, 10));
is($load->finish, 0, 'eight clients write without an error') or diag $load->said;
cmp_ok($paris->sql('select count(*) from pgbench_history'), '>', 500, 'and write much');

$daemon->wait_caught_up;

ok(same_pgbench($paris, $lyon), 'a replica holds the same rows');
ok(same_pgbench($paris, $nice), 'a relay does, too');
ok(same_pgbench($paris, $metz), 'and the replica behind it');
is($_->sql('select count(*) from elvis.resolution'), 0, 'without a conflict at ' . $_->name)
  for @all;

$paris->sql('truncate pgbench_history, pgbench_tellers');
$daemon->wait_caught_up;

ok(same_pgbench(@all), 'tables truncated together are empty everywhere');
is($daemon->stop, 0, 'the daemon ends well');

done_testing();
