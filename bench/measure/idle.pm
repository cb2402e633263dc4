# What it costs to wait for changes that do not come.
package idle;

use strict;
use warnings;

use Bench::Cpu 'cpu_of_process';
use Bench::Figures 'quote';
use Time::HiRes qw(sleep time);

sub about
{
	return <<'TEXT';
CPU time while delivery runs and nothing is written: all processes of the source, all of the
target, and the daemon, in percent of one core. Servers with nothing on them are there to
compare.
TEXT
}

my @parts = qw(source target daemon);

sub run
{
	my ($class, $bench) = @_;
	my $seconds = $bench->quick ? 4 : 30;
	my @variants = $bench->delivering;
	my %route = $bench->routes;
	my %percent;

	for my $name (@variants)
	{
		$route{$name}->mark;
		$route{$name}->start;
		$route{$name}->wait_for_mark;
	}
	sleep 2;
	for my $repetition (1 .. $bench->repetitions)
	{
		my %before = map { $_ => usage($route{$_}) } @variants;
		my $begin = time;
		sleep $seconds;
		for my $name (@variants)
		{
			my $after = usage($route{$name});
			my $took = time - $begin;
			push @{ $percent{$name}->{$_} },
				100 * ($after->{$_} - $before{$name}->{$_}) / $took
				for @parts;
			$bench->raw('idle',
				'repetition,variant,source_pct,target_pct,daemon_pct',
				join ',', $repetition, $name,
				map { $percent{$name}->{$_}->[-1] } @parts);
		}
	}
	for my $route (values %route)
	{
		$route->stop;
		$route->verify;
		$route->remove;
	}
	if ($percent{elvis})
	{
		$bench->goal("idle, $_, percent of a core", '<=', 0.3,
			$percent{elvis}->{$_}) for @parts;
	}
	return $bench->table([ 'variant', @parts ],
		map {
			my $name = $_;
			[ $name, map { quote('%.2f', @{ $percent{$name}->{$_} }) } @parts ]
		} @variants);
}

sub usage
{
	my ($route) = @_;
	my $daemon = 0;

	$daemon += cpu_of_process($_) for $route->variant->daemons;
	return { source => $route->source->cpu, target => $route->target->cpu,
		daemon => $daemon };
}

1;
