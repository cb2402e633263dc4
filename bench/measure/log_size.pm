# How much is written down for a change.
package log_size;

use strict;
use warnings;

use Bench::Data 'tpcb_backlog';
use Bench::Figures 'quote';
use Bench::Server;

sub about
{
	return <<'TEXT';
Growth of the change log, its indexes included, for a change of TPC-B (three updates and an
insert a transaction, four clients); for variants that keep a log of their own.
TEXT
}

sub run
{
	my ($class, $bench) = @_;
	my $transactions = $bench->quick ? 5_000 : 50_000;
	my (@rows, %bytes);

	for my $name ($bench->variants)
	{
		my $variant = $bench->variant($name);
		my $server = Bench::Server->new($bench->place, "log-$name", $variant->conf);
		$variant->capture($server);
		if (defined(my $before = $variant->log_bytes($server)))
		{
			for my $repetition (1 .. $bench->repetitions)
			{
				tpcb_backlog($server, $transactions);
				my $after = $variant->log_bytes($server);
				push @{ $bytes{$name} },
					($after - $before) / $transactions / 4;
				$before = $after;
				$bench->raw('log_size', 'repetition,variant,bytes_a_change',
					"$repetition,$name,$bytes{$name}->[-1]");
			}
			push @rows, [ $name, quote('%.1f', @{ $bytes{$name} }) ];
		}
		$server->remove;
	}
	$bench->goal('log bytes a TPC-B change', '<=', 80, $bytes{elvis});
	return $bench->table([ 'variant', 'bytes a change' ], @rows);
}

1;
