# What it costs the source to feed several targets.
package fanout;

use strict;
use warnings;

use Bench::Data 'tpcb_backlog';
use Bench::Figures qw(quote ratios);
use Bench::Route;

sub about
{
	return <<'TEXT';
CPU time of all processes of the source while it hands a TPC-B backlog, made while delivery
stood still, to one target and to four (servers of their own). Each of the targets is then
compared with the source by checksum.
TEXT
}

my $raw = 'repetition,variant,targets,transactions,wall_s,source_cpu_s,daemon_cpu_s,' .
	'daemon_peak_mb';

sub run
{
	my ($class, $bench) = @_;
	my $transactions = $bench->quick ? 20_000 : 50_000;
	my @variants = $bench->delivering;
	my (%route, %cpu, %ratio);

	for my $name (@variants)
	{
		$route{$name}->{$_} = Bench::Route->new($bench->place,
			$bench->variant($name), "fanout-$name-$_", targets => $_) for 1, 4;
	}
	for my $repetition (1 .. $bench->repetitions)
	{
		for my $name ($bench->rotate($repetition, @variants))
		{
			for my $targets (1, 4)
			{
				my $route = $route{$name}->{$targets};
				tpcb_backlog($route->source, $transactions);
				my $took = $route->catch_up;
				$route->verify;
				push @{ $cpu{$name}->{$targets} }, $took->{source};
				$bench->raw('fanout', $raw, join ',', $repetition, $name,
					$targets, $transactions,
					@$took{qw(wall source daemon daemon_peak)});
			}
		}
	}
	for my $name (@variants)
	{
		$ratio{$name} = [ ratios($cpu{$name}->{4}, $cpu{$name}->{1}) ];
		$_->remove for values %{ $route{$name} };
	}
	$bench->goal('source CPU for four targets / one', '<=', 1.15, $ratio{elvis});
	return $bench->table(
		[ 'variant', 'source CPU us a change, one target', 'four', 'ratio' ],
		map { [ $_, map({ a_change($transactions, @$_) } @{ $cpu{$_} }{ 1, 4 }),
			quote('%.2f', @{ $ratio{$_} }) ] } @variants);
}

# Of seconds for so many transactions of four changes
sub a_change
{
	my ($transactions, @seconds) = @_;

	return quote('%.2f', map { $_ / $transactions / 4 * 1e6 } @seconds);
}

1;
