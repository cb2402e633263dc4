# What capture adds to a small transaction.
package capture_tpcb;

use strict;
use warnings;

use Bench::Data 'same_work';
use Bench::Figures qw(median quote ratios);
use Bench::Server;

sub about
{
	return <<'TEXT';
TPC-B (pgbench's transaction, seven round trips, one connection), in the simple protocol,
which is pgbench's default, and with prepared statements: CPU time for a transaction, of its
backend from /proc/PID/schedstat, and of backend and client together, which is what the
machine spends. Client and backends are pinned to one CPU and the variants have their turns
of 300 transactions; a repetition is the median of its rounds, of each round's ratio to the
variant without replication.
TEXT
}

my @protocols = qw(simple prepared);
my @columns = qw(all backend);

sub run
{
	my ($class, $bench) = @_;
	my @variants = $bench->variants;
	my (%server, %figures);

	for my $name (@variants)
	{
		my $variant = $bench->variant($name);
		$server{$name} = Bench::Server->new($bench->place, "tpcb-$name",
			$variant->conf);
		$variant->capture($server{$name});
	}
	for my $repetition (1 .. $bench->repetitions)
	{
		for my $protocol (@protocols)
		{
			my $out = take_turns($bench, $protocol, %server);
			$bench->raw('capture_tpcb', 'repetition,protocol,round,variant,' .
				'transactions,wall_ns,backend_cpu_ns,client_cpu_ns',
				map { "$repetition,$protocol,$_" } split /\n/, $out);
			add_repetition($figures{$protocol} //= {}, digest_rounds($out));
		}
	}
	same_work(values %server);
	$_->remove for values %server;
	$bench->goal("TPC-B, $_: CPU per transaction with capture / without", '<=', 1.05,
		$figures{$_}->{elvis}->{all_ratio}) for @protocols;
	return (plot($bench, \%figures, @variants),
		$bench->table([ 'protocol', 'variant', 'CPU us a transaction',
			'ratio to none', 'of it backend', 'ratio to none' ],
			map {
				my $protocol = $_;
				map { [ $protocol, $_, row($figures{$protocol}->{$_}) ] }
					@variants
			} @protocols));
}

sub plot
{
	my ($bench, $figures, @variants) = @_;

	return $bench->plot(title => 'Capture: CPU of a TPC-B transaction, client included',
		y => 'us', series => \@variants, labels => \@protocols, values => { map {
			my $name = $_;
			$name => [ map { median(@{ $figures->{$_}->{$name}->{all} }) }
				@protocols ]
		} @variants });
}

# What the client says of the servers, given as name, server, ...
sub take_turns
{
	my ($bench, $protocol, %server) = @_;
	my @to = map { "$_=" . $server{$_}->conninfo } sort keys %server;

	return $bench->capture_output($bench->place->compile_client('tpcb'),
		'-M', $protocol, '-s', 300, '-r', $bench->quick ? 12 : 60,
		'-a', $bench->scale * 100_000, @to);
}

sub add_repetition
{
	my ($figures, $of) = @_;

	for my $name (keys %$of)
	{
		for my $column (@columns)
		{
			my $values = $of->{$name}->{$column};
			push @{ $figures->{$name}->{$column} }, median(@$values);
			push @{ $figures->{$name}->{"${column}_ratio"} },
				median(ratios($values, $of->{none}->{$column}));
		}
	}
	return;
}

sub row
{
	my ($figures) = @_;

	return map { (quote('%.1f', @{ $figures->{$_} }),
		quote('%.3f', @{ $figures->{"${_}_ratio"} })) } @columns;
}

# us a transaction, by variant, column and round; the first round warms up.
sub digest_rounds
{
	my ($out) = @_;
	my %of;

	for (split /\n/, $out)
	{
		my ($round, $name, $count, undef, $backend, $client) = split /,/;
		next if $round == 0;
		push @{ $of{$name}->{backend} }, $backend / $count / 1000;
		push @{ $of{$name}->{all} }, ($backend + $client) / $count / 1000;
	}
	return \%of;
}

1;
