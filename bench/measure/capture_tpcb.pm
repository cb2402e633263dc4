# What capture adds to a small transaction.
package capture_tpcb;

use strict;
use warnings;

use Bench::Data 'same_work';
use Bench::Figures qw(median quote);
use Bench::Server;

sub about
{
	return <<'TEXT';
TPC-B (pgbench's transaction, prepared, seven round trips, one connection): CPU time for a
transaction, of its backend from /proc/PID/schedstat, and of backend and client together,
which is what the machine spends. Client and backends are pinned to one CPU and the variants
have their turns of 300 transactions; a repetition is the median of its rounds, of each
round's ratio to the variant without replication.
TEXT
}

my @columns = qw(all backend);

sub run
{
	my ($class, $bench) = @_;
	my @variants = $bench->variants;
	my $client = $bench->place->compile_client('tpcb');
	my (%server, %cost, %ratio);

	for my $name (@variants)
	{
		my $variant = $bench->variant($name);
		$server{$name} = Bench::Server->new($bench->place, "tpcb-$name", $variant->conf);
		$variant->capture($server{$name});
	}
	my @to = map { "$_=" . $server{$_}->conninfo } @variants;
	for my $repetition (1 .. $bench->repetitions)
	{
		my $out = $bench->capture_output($client, '-s', 300, '-r', $bench->quick ? 20 : 60,
			'-a', $bench->scale * 100_000, @to);
		my $of = digest_rounds($out);
		$bench->raw('capture_tpcb',
			'repetition,round,variant,transactions,wall_ns,backend_cpu_ns,client_cpu_ns',
			map { "$repetition,$_" } split /\n/, $out);
		for my $column (@columns)
		{
			my $base = $of->{none}->{$column};
			for my $name (@variants)
			{
				my $values = $of->{$name}->{$column};
				push @{ $cost{$name}->{$column} }, median(@$values);
				push @{ $ratio{$name}->{$column} },
					median(map { $values->[$_] / $base->[$_] } 0 .. $#$base);
			}
		}
	}
	same_work(values %server);
	$_->remove for values %server;
	$bench->goal('TPC-B, CPU per transaction with capture / without', '<=', 1.05,
		$ratio{elvis}->{all});
	return $bench->table([ 'variant', 'CPU us a transaction', 'ratio to none',
		'of it backend', 'ratio to none' ],
		map {
			my $name = $_;
			[ $name, map { (quote('%.1f', @{ $cost{$name}->{$_} }),
				quote('%.3f', @{ $ratio{$name}->{$_} })) } @columns ]
		} @variants);
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
