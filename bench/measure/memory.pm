# The most memory the daemon takes.
package memory;

use strict;
use warnings;

use Bench::Data qw(bulk_backlog tpcb_backlog);
use Bench::Route;
use List::Util 'min';

sub about
{
	return <<'TEXT';
Peak resident memory (VmHWM) of the daemon that feeds two targets: one transaction of very
many rows, and then a TPC-B backlog of as many changes.
TEXT
}

sub run
{
	my ($class, $bench) = @_;
	my $most = $bench->quick ? 200_000 : 2_000_000;
	my @variants = grep { $bench->variant($_)->has_daemon } $bench->delivering;
	my (%n, %peak, %cache);

	for my $name (@variants)
	{
		my $variant = $bench->variant($name);
		my $changes = $n{$name} = min($most, $variant->most_changes);
		my $route = Bench::Route->new($bench->place, $variant, "memory-$name",
			targets => 2);

		bulk_backlog($route->source, 'insert', 'bulk', $changes, $changes);
		$peak{$name}->{transaction} =
			one_peak($bench, $route, $name, 'transaction');
		tpcb_backlog($route->source, $changes / 4);
		$peak{$name}->{tpcb} = one_peak($bench, $route, $name, 'tpcb');
		$cache{$name} = $variant->cache_megabytes;
		$route->remove;
	}
	$bench->goal('peak memory of the daemon, MB', '<=', $cache{elvis} + 30,
		[ values %{ $peak{elvis} } ]) if $peak{elvis};
	return $bench->table([ 'variant', 'cache setting MB', 'changes', 'in one transaction, MB',
		'TPC-B, MB' ],
		map { [ $_, $cache{$_} || '-', $n{$_}, sprintf('%.0f', $peak{$_}->{transaction}),
			sprintf('%.0f', $peak{$_}->{tpcb}) ] } @variants);
}

sub one_peak
{
	my ($bench, $route, $name, $kind) = @_;
	my $took = $route->catch_up;

	$route->verify;
	$bench->raw('memory', 'variant,backlog,daemon_peak_mb',
		"$name,$kind,$took->{daemon_peak}");
	return $took->{daemon_peak};
}

1;
