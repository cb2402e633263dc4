# What it costs to feed several targets.
package fanout;

use strict;
use warnings;

use Bench::Data 'tpcb_backlog';
use Bench::Figures qw(quote ratios);
use Bench::Route;

sub about
{
	return <<'TEXT';
CPU time of all processes of the source, and of the daemon, while it hands a TPC-B backlog,
made while delivery stood still, to one target and to more of them (servers of their own),
with the peak memory of the daemon. Links are new each time, and a small backlog goes over
first. Each of the targets is then compared with the source by checksum.
TEXT
}

my $raw = 'repetition,variant,targets,transactions,wall_s,source_cpu_s,apply_cpu_s,' .
	'daemon_cpu_s,daemon_peak_mb';
my @parts = qw(source daemon daemon_peak);

# Its goals are ratios of elvis to elvis.
sub with_itself { return 1; }

sub run
{
	my ($class, $bench) = @_;
	my @counts = $bench->quick ? (1, 4) : (1, 2, 4, 8);
	my $transactions = $bench->quick ? 20_000 : 40_000;
	my @variants = $bench->delivering;
	my (%of, %ratio);

	for my $repetition (1 .. $bench->few_repetitions)
	{
		for my $name ($bench->rotate($repetition, @variants))
		{
			for my $targets ($bench->rotate($repetition, @counts))
			{
				my $took = feed($bench, $name, $targets, $transactions);
				push @{ $of{$name}->{$targets}->{$_} }, $took->{$_}
					for @parts;
				$bench->raw('fanout', $raw, join ',', $repetition, $name,
					$targets, $transactions, @$took{qw(wall source
					apply daemon daemon_peak)});
			}
		}
	}
	for my $name (@variants)
	{
		$ratio{$name}->{$_} = [ ratios($of{$name}->{$_}->{source},
			$of{$name}->{1}->{source}) ] for @counts;
	}
	$bench->goal('source CPU for four targets / one', '<=', 1.15, $ratio{elvis}->{4});
	return $bench->table([ 'variant', 'targets', 'source CPU us a change',
		"/ one target's", 'daemon CPU us a change', 'daemon peak MB' ], map {
			my $name = $_;
			map { [ $name, $_, figures($transactions, $of{$name}->{$_},
				$ratio{$name}->{$_}) ] } @counts
		} @variants);
}

sub feed
{
	my ($bench, $name, $targets, $transactions) = @_;
	my $route = Bench::Route->new($bench->place, $bench->variant($name),
		"fanout-$name-$targets", targets => $targets);
	my $took;

	for my $count ($transactions / 20, $transactions)
	{
		tpcb_backlog($route->source, $count);
		$took = $route->catch_up;
	}
	$route->verify;
	$route->remove;
	return $took;
}

sub figures
{
	my ($transactions, $of, $ratio) = @_;
	my $us = 1e6 / $transactions / 4;

	return (quote('%.2f', map { $_ * $us } @{ $of->{source} }),
		quote('%.2f', @$ratio),
		quote('%.2f', map { $_ * $us } @{ $of->{daemon} }),
		quote('%.0f', @{ $of->{daemon_peak} }));
}

1;
