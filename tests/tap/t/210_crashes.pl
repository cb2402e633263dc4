# The daemon, the source and the target are killed at random moments under load: nothing is
# lost, and nothing is applied twice.  ELVIS_SEED=N repeats a run's choices.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Load;
use Elvis::Node;
use Elvis::Util;
use Test::More;
use Time::HiRes qw(sleep);

my $seed = $ENV{ELVIS_SEED} // int(rand(1_000_000));
srand($seed);
note "ELVIS_SEED=$seed";

my $paris = Elvis::Node->new('paris', fsync => 1);
my $lyon = Elvis::Node->new('lyon', fsync => 1);
my $daemon = Elvis::Daemon->new('paris_lyon', nodes => [ $paris, $lyon ],
	config => links_conf([ $paris, $lyon ], [ 'paris', 'lyon' ]) . 'retry_max = "500 ms";');

sub revive
{
	my ($node) = @_;

	return sub { $node->kill9; $node->start; };
}

my %victim = (
	daemon => sub { $daemon->kill9; $daemon->start; },
	source => revive($paris),
	target => revive($lyon),
);
my @kinds = sort keys %victim;

pgbench_tables($paris, $lyon);
$daemon->ctl_ok('apply', '--adopt');
$daemon->start;

my %died;
for my $round (1 .. long_or(30, 6))
{
	# each of them for sure, then whoever it hits
	my $kind = $round <= @kinds ? $kinds[ $round - 1 ] : $kinds[ int rand @kinds ];
	my $settings = rand() < 0.5 ? '-c synchronous_commit=off' : '';
	my $wait = 0.3 + rand 1.5;

	note sprintf '%d: %s after %.2f s %s', $round, $kind, $wait, $settings;
	my $load = Elvis::Load->new($paris, clients => 4, seconds => 3, settings => $settings);
	sleep $wait;
	$victim{$kind}->();
	$load->finish;
	$died{$kind}++;
}
is(scalar keys %died, 3, 'each of them has died');

$daemon->wait_caught_up;

ok(same_pgbench($paris, $lyon), 'the same rows on both sides');
is($lyon->sql('select count(*) from elvis.resolution'), 0, 'without a conflict');
is($lyon->sql(<<'SQL'), 't', 'and what was applied belongs together');
select (select sum(delta) from pgbench_history) = (select sum(abalance) from pgbench_accounts)
SQL

done_testing();
