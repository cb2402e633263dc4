# A copy taken while eight clients write, and killed in the middle, ends with the same rows:
# what is in the copy is not applied again, what is not in it is not lost.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Gate;
use Elvis::Load;
use Elvis::Node;
use Elvis::Util;
use IPC::Run;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon');
my $nice = Elvis::Node->new('nice', beside => $lyon);
my @all = ($paris, $lyon, $nice);
my $daemon = Elvis::Daemon->new('copy', nodes => \@all,
	config => links_conf(\@all, [ 'paris', 'lyon' ], [ 'lyon', 'nice' ])
	  . 'retry_max = "500 ms";');

pgbench_tables(@all);
$_->sql('truncate pgbench_accounts, pgbench_branches, pgbench_tellers') for $lyon, $nice;
my ($status) = $daemon->ctl('apply');
is($status, 6, 'links whose tables hold rows do not start from now by themselves');
$daemon->start;

my $gate = Elvis::Gate->new($lyon, 'pgbench_accounts');
$gate->shut(50_000);
my $load = Elvis::Load->new($paris, clients => 8, seconds => long_or(60, 10));
ok($paris->poll('select count(*) > 100 from pgbench_history'), 'clients write');

# killed while it copies the largest table
my @command = (Elvis::Daemon::program('elvisctl'), $daemon->what, 'copy', 'paris_lyon');
my $copy = IPC::Run::start(\@command, '<', \undef, '>', \my $out, '2>', \my $err);
ok($gate->reached, 'a copy is in the middle of it');
$copy->kill_kill(grace => 0);
$gate->open;
$gate->remove;
is($lyon->sql('select count(*) from pgbench_accounts'), 0, 'nothing is left of half a table');

$daemon->ctl_ok('copy', 'paris_lyon');
is($load->finish, 0, 'clients notice nothing of it') or diag $load->said;
$daemon->wait_caught_up;

ok(same_pgbench($paris, $lyon), 'the copy and what came after are the same');
ok(same_pgbench($paris, $nice), 'and the relay has passed on both');
is($_->sql('select count(*) from elvis.resolution'), 0, 'without a conflict at ' . $_->name)
  for $lyon, $nice;
is($daemon->stop, 0, 'the daemon ends well');

done_testing();
