# Whether a change costs the same in a small backlog and in a large one.
package backlog_size;

use strict;
use warnings;

use Bench::Data 'small_transactions';
use Bench::Figures qw(median quote);
use List::Util 'min';

sub about
{
	return <<'TEXT';
A backlog of transactions of two changes, small and larger and larger, is brought over while
a transaction that has written is open at the source all along. CPU time a change, of all of
the source server and of the backends that apply together, from their start. Growth is that
of the largest backlog against the cheapest of the smaller ones.
TEXT
}

# Its goals are ratios of elvis to elvis.
sub with_itself { return 1; }

sub run
{
	my ($class, $bench) = @_;
	my @sizes = sizes($bench);
	my @variants = $bench->delivering;
	my %route = $bench->routes;
	my (%us, %growth);

	for my $repetition (1 .. $bench->few_repetitions)
	{
		for my $name ($bench->rotate($repetition, @variants))
		{
			my $most = $route{$name}->variant->most_changes;
			my @us;
			for my $size (grep { $_ <= $most } @sizes)
			{
				push @us, beside_open_transaction($route{$name}, $size);
				push @{ $us{$name}->{$size} }, $us[-1];
				$bench->raw('backlog_size',
					'repetition,variant,changes,cpu_us',
					"$repetition,$name,$size,$us[-1]");
			}
			push @{ $growth{$name} }, pop(@us) / min(@us) if @us > 1;
		}
	}
	$_->remove for values %route;
	$bench->goal("CPU a change, $sizes[-1] changes / fewer", '<=', 1.1, $growth{elvis});
	return (plot($bench, \%us, @variants),
		$bench->table([ 'variant', map({ "$_ changes, us" } @sizes), 'growth' ],
			map {
				my $name = $_;
				[ $name, map({ quote('%.2f', @{ $us{$name}->{$_} // [] }) }
						@sizes),
					quote('%.2f', @{ $growth{$name} // [] }) ]
			} @variants));
}

# From 10,000 on, ten times more each, or two if it is to be quick
sub sizes
{
	my ($bench) = @_;
	my @sizes = (10_000);

	until ($sizes[-1] >= $bench->largest_backlog)
	{
		push @sizes, $bench->quick ? $bench->largest_backlog
			: min($bench->largest_backlog, 10 * $sizes[-1]);
	}
	return @sizes;
}

sub plot
{
	my ($bench, $us, @variants) = @_;

	return $bench->plot(title => 'Cost of a change by size of the backlog', y => 'CPU us',
		x => 'changes', series => \@variants, points => { map {
			my $of = $us->{$_};
			$_ => [ map { [ $_, median(@{ $of->{$_} }) ] }
				sort { $a <=> $b } keys %$of ]
		} @variants });
}

sub beside_open_transaction
{
	my ($route, $size) = @_;
	my $open;

	$route->tidy;
	$open = $route->source->session('open');
	$open->query('begin; insert into mark values (-1)');
	small_transactions($route->source, $size / 2);
	return $route->us_a_change($size, $open);
}

1;
