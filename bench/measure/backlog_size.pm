# Whether a change costs the same in a small backlog and in a large one.
package backlog_size;

use strict;
use warnings;

use Bench::Data 'small_transactions';
use Bench::Figures qw(quote ratios);

sub about
{
	return <<'TEXT';
A backlog of transactions of two changes, small and twenty times as large, is brought over
while a transaction that has written is open at the source all along. CPU time a change, of
all of the source server and of the backends that apply together, from their start.
TEXT
}

sub run
{
	my ($class, $bench) = @_;
	my $small = $bench->quick ? 10_000 : 100_000;
	my @sizes = ($small, 20 * $small);
	my @variants = $bench->delivering;
	my %route = $bench->routes;
	my (%us, %ratio);

	for my $repetition (1 .. $bench->repetitions)
	{
		for my $name ($bench->rotate($repetition, @variants))
		{
			for my $size (@sizes)
			{
				my $us = beside_open_transaction($route{$name}, $size);
				push @{ $us{$name}->{$size} }, $us;
				$bench->raw('backlog_size',
					'repetition,variant,changes,cpu_us',
					"$repetition,$name,$size,$us");
			}
		}
	}
	for my $name (@variants)
	{
		$ratio{$name} = [ ratios(@{ $us{$name} }{ reverse @sizes }) ];
		$route{$name}->remove;
	}
	$bench->goal('CPU a change, large backlog / small', '<=', 1.1, $ratio{elvis});
	return $bench->table([ 'variant', map({ "$_ changes, us" } @sizes), 'ratio' ],
		map {
			my $name = $_;
			[ $name, map({ quote('%.2f', @{ $us{$name}->{$_} }) } @sizes),
				quote('%.2f', @{ $ratio{$name} }) ]
		} @variants);
}

sub beside_open_transaction
{
	my ($route, $size) = @_;
	my $open = $route->source->session('open');
	my $took;

	$open->query('begin; insert into mark values (-1)');
	small_transactions($route->source, $size / 2);
	$took = $route->bring_over;
	$open->query('rollback');
	$route->stop;
	$route->verify;
	return ($took->{source} + $took->{apply}) / $size * 1e6;
}

1;
