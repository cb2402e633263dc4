# What capture adds to a statement that changes very many rows.
package capture_bulk;

use strict;
use warnings;

use Bench::Cpu 'cpu_of_backend';
use Bench::Data qw(bulk_statement same_work);
use Bench::Figures qw(quote ratios);
use Bench::Server;
use Time::HiRes 'time';

sub about
{
	return <<'TEXT';
One statement that inserts, updates or deletes very many rows of 97 bytes: CPU time of its
backend (on a quiet machine the time it takes; there is nothing to wait for). The variants
take turns, statement by statement.
TEXT
}

my %target = (insert => 1.35, update => 1.2, delete => 2.4);

sub run
{
	my ($class, $bench) = @_;
	my %rows = $bench->quick ? (insert => 200_000, update => 100_000, delete => 100_000)
		: (insert => 500_000, update => 200_000, delete => 200_000);
	my @variants = $bench->variants;
	my (%server, %cpu, @rows);

	for my $name (@variants)
	{
		my $variant = $bench->variant($name);
		$server{$name} = Bench::Server->new($bench->place, "bulk-$name",
			$variant->conf);
		$variant->capture($server{$name});
	}
	# the first only warms up
	for my $repetition (0 .. $bench->repetitions)
	{
		$server{$_}->sql('truncate bulk') for @variants;
		for my $kind (qw(insert update delete))
		{
			for my $name ($bench->rotate($repetition, @variants))
			{
				my ($cpu, $wall) =
					cost($server{$name}, $kind, $rows{$kind});
				next if $repetition == 0;
				push @{ $cpu{$kind}->{$name} }, $cpu;
				$bench->raw('capture_bulk',
					'repetition,kind,variant,rows,wall_s,cpu_s',
					"$repetition,$kind,$name,$rows{$kind},$wall,$cpu");
			}
		}
	}
	same_work(values %server);
	$_->remove for values %server;
	for my $kind (qw(insert update delete))
	{
		my $of = $cpu{$kind};
		$bench->goal("one $kind of many rows, time with capture / without", '<=',
			$target{$kind}, [ ratios($of->{elvis}, $of->{none}) ])
			if $of->{elvis};
		push @rows, map { [ "$kind $rows{$kind}", $_,
			quote('%.2f', map { $_ / $rows{$kind} * 1e6 } @{ $of->{$_} }),
			quote('%.2f', ratios($of->{$_}, $of->{none})) ] } @variants;
	}
	return $bench->table([ 'statement', 'variant', 'CPU us a row', 'ratio to none' ],
		@rows);
}

sub cost
{
	my ($server, $kind, $rows) = @_;
	my $session = $server->session('measured');
	my ($cpu, $begin) = (cpu_of_backend($session->{backend}), time);

	$session->query(bulk_statement($kind, 1, $rows));
	return (cpu_of_backend($session->{backend}) - $cpu, time - $begin);
}

1;
