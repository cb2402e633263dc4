# What capture adds to a statement that changes very many rows.
package capture_bulk;

use strict;
use warnings;

use Bench::Cpu 'cpu_of_backend';
use Bench::Data qw(bulk_statement same_work);
use Bench::Figures qw(median quote ratios);
use Bench::Server;
use Time::HiRes 'time';

sub about
{
	return <<'TEXT';
One statement that inserts, updates or deletes very many rows of 97 bytes (bulk), of 42
columns (wide), or with 16 kB out of line (document), of which an update changes one
integer: CPU time of its backend (on a quiet machine the time it takes; there is nothing to
wait for). The variants take turns, statement by statement.
TEXT
}

my %target = (insert => 1.35, update => 1.2, delete => 2.4);	# for bulk
my @kinds = qw(insert update delete);
my @tables = qw(bulk wide document);

# How many rows, quick or not
my %rows = (
	bulk => { insert => [ 200_000, 500_000 ], update => [ 100_000, 200_000 ],
		delete => [ 100_000, 200_000 ] },
	wide => { map { $_ => [ 20_000, 100_000 ] } @kinds },
	document => { map { $_ => [ 2_000, 10_000 ] } @kinds },
);

sub run
{
	my ($class, $bench) = @_;
	my @variants = $bench->variants;
	my @statements = map { my $table = $_; map { [ $_, $table ] } @kinds } @tables;
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
		$server{$_}->sql('truncate ' . join ', ', @tables) for @variants;
		for my $statement (@statements)
		{
			my $rows = rows($bench, @$statement);
			for my $name ($bench->rotate($repetition, @variants))
			{
				my ($cpu, $wall) =
					cost($server{$name}, @$statement, $rows);
				next if $repetition == 0;
				push @{ $cpu{"@$statement"}->{$name} }, $cpu;
				$bench->raw('capture_bulk',
					'repetition,kind,table,variant,rows,wall_s,cpu_s',
					join ',', $repetition, @$statement, $name, $rows,
					$wall, $cpu);
			}
		}
	}
	same_work(values %server);
	$_->remove for values %server;
	for my $statement (@statements)
	{
		my ($kind, $table) = @$statement;
		my $of = $cpu{"@$statement"};
		my $rows = rows($bench, @$statement);
		$bench->goal("one $kind of many rows, time with capture / without", '<=',
			$target{$kind}, [ ratios($of->{elvis}, $of->{none}) ])
			if $table eq 'bulk' && $of->{elvis};
		push @rows, map { [ "$kind $table, $rows rows", $_,
			quote('%.2f', map { $_ / $rows * 1e6 } @{ $of->{$_} }),
			quote('%.2f', ratios($of->{$_}, $of->{none} // [])) ] } @variants;
	}
	return (plot($bench, \%cpu, @variants),
		$bench->table([ 'statement', 'variant', 'CPU us a row', 'ratio to none' ],
			@rows));
}

sub rows
{
	my ($bench, $kind, $table) = @_;

	return $rows{$table}->{$kind}->[ $bench->quick ? 0 : 1 ];
}

sub plot
{
	my ($bench, $cpu, @variants) = @_;
	my @captures = grep { $_ ne 'none' } @variants;
	my @labels = map { my $table = $_; map { "$_ $table" } @kinds } @tables;

	return $cpu->{ $labels[0] }->{none} ? $bench->plot(
		title => 'Capture: CPU of one large statement', y => 'ratio to none',
		logarithmic => 1,
		series => \@captures, labels => \@labels, values => { map {
			my $name = $_;
			$name => [ map { median(ratios($cpu->{$_}->{$name},
				$cpu->{$_}->{none})) } @labels ]
		} @captures }) : ();
}

sub cost
{
	my ($server, $kind, $table, $rows) = @_;
	my $session = $server->session('measured');
	my ($cpu, $begin) = (cpu_of_backend($session->{backend}), time);

	$session->query(bulk_statement($kind, $table, 1, $rows));
	return (cpu_of_backend($session->{backend}) - $cpu, time - $begin);
}

1;
