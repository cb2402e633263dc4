# How soon after its start delivery delivers.
package start;

use strict;
use warnings;

use Bench::Figures 'quote';
use Time::HiRes 'time';

sub about
{
	return <<'TEXT';
One change waits; seconds from the command that starts delivery until it is visible at the
target, looked for each millisecond.
TEXT
}

sub run
{
	my ($class, $bench) = @_;
	my @variants = $bench->delivering;
	my %route = $bench->routes;
	my %seconds;

	for my $repetition (1 .. 2 * $bench->repetitions)
	{
		for my $name ($bench->rotate($repetition, @variants))
		{
			my $route = $route{$name};
			$route->mark;
			my $begin = time;
			$route->start;
			$route->wait_for_mark(0.001);
			push @{ $seconds{$name} }, time - $begin;
			$route->stop;
			$bench->raw('start', 'repetition,variant,seconds',
				"$repetition,$name,$seconds{$name}->[-1]");
		}
	}
	for my $route (values %route)
	{
		$route->verify;
		$route->remove;
	}
	$bench->goal('start to first change applied, s', '<=', 0.1, $seconds{elvis});
	return $bench->table([ 'variant', 'seconds' ],
		map { [ $_, quote('%.3f', @{ $seconds{$_} }) ] } @variants);
}

1;
