# How long after its commit at the source a transaction is committed at the target.
package latency;

use strict;
use warnings;

use Bench::Figures qw(median percentile quote ratios);
use Bench::Wait;

sub about
{
	return <<'TEXT';
TPC-B at 200 transactions/s by one client while delivery runs. The time from commit to
commit is read afterwards out of both servers' WAL: the commit record of the transaction
that wrote a row of pgbench_history at the source, and of the one that wrote its copy at the
target, both stamped by the machine's one clock. So nothing polls and no trigger watches.
(Not pg_xact_commit_timestamp: for what the native worker applies that is the source's.)
A repetition's percentiles are over its transactions, the first second's left out.
TEXT
}

my @percentiles = (50, 95, 99, 100);
my %goal = (50 => 0.6, 99 => 1.0);

sub run
{
	my ($class, $bench) = @_;
	my $seconds = $bench->quick ? 4 : 20;
	my @variants = $bench->delivering;
	my %route = $bench->routes(conf => "wal_keep_size = 4GB\n");
	my %ms;

	for my $repetition (1 .. $bench->repetitions)
	{
		for my $name ($bench->rotate($repetition, @variants))
		{
			my @of = delays($route{$name}, $seconds);
			for my $p (@percentiles)
			{
				push @{ $ms{$p}->{$name} }, percentile($p, @of);
			}
			$bench->raw('latency',
				'repetition,variant,transactions,p50_ms,p95_ms,p99_ms,max_ms',
				join ',', $repetition, $name, scalar @of,
				map { $ms{$_}->{$name}->[-1] } @percentiles);
		}
	}
	$_->remove for values %route;
	for my $p (sort keys %goal)
	{
		next unless $ms{$p}->{elvis} && $ms{$p}->{native};
		$bench->goal("commit to commit, p$p / native's", '<=', $goal{$p},
			[ ratios($ms{$p}->{elvis}, $ms{$p}->{native}) ]);
	}
	return (plot($bench, \%ms, @variants), $bench->table(
		[ 'variant', map { (label($_) . ' ms', "ratio to native's") } @percentiles ],
		map { [ $_, figures($_, @ms{@percentiles}) ] } @variants));
}

sub label { return $_[0] == 100 ? 'max' : "p$_[0]"; }

sub plot
{
	my ($bench, $ms, @variants) = @_;
	my @labels = map { label($_) } @percentiles;

	return $bench->plot(title => 'Commit to commit at 200 transactions/s', y => 'ms',
		logarithmic => 1, series => \@variants, labels => \@labels, values => { map {
			my $name = $_;
			$name => [ map { median(@{ $ms->{$_}->{$name} }) } @percentiles ]
		} @variants });
}

# Of each percentile's times by variant
sub figures
{
	my ($name, @of) = @_;

	return map { (quote('%.2f', @{ $_->{$name} }),
		quote('%.2f', ratios($_->{$name}, $_->{native} // []))) } @of;
}

# In ms, of every transaction but the first second's
sub delays
{
	my ($route, $seconds) = @_;
	my ($source, $target) = ($route->source, $route->target);
	my %from = map { $_ => wal_end($_) } $source, $target;
	my $place = $source->{place};
	my (%left, %arrived, @delays);

	my $begin = $source->sql('select localtimestamp');
	$route->mark;
	$route->start;
	$route->wait_for_mark;
	$place->run("$place->{bin}/pgbench", '-n', '-M', 'prepared', '-R', 200,
		'-T', $seconds, '-h', $source->{dir}, '-U', 'bench', 'bench');
	$route->mark;
	$route->wait_for_mark;
	$route->stop;
	$route->verify;

	%left = commits($source, $from{$source}, $begin);
	%arrived = commits($target, $from{$target}, $begin);
	my ($first) = sort { $a <=> $b } values %left;
	for (keys %left)
	{
		push @delays, ($arrived{$_} - $left{$_}) * 1000 if $left{$_} > $first + 1;
	}
	return @delays;
}

sub wal_end { return $_[0]->sql('select pg_current_wal_insert_lsn()'); }

# For each row of history since $begin, by what tells it from others: when its transaction
# committed, in seconds of the day
sub commits
{
	my ($server, $from, $begin) = @_;
	my $to = wal_end($server);
	my (%at, %of);

	# what was committed asynchronously is there, but not in the files yet
	wait_until("the WAL to be written", sub {
		$server->sql("select pg_current_wal_flush_lsn() >= '$to'") eq 't' });
	open my $wal, '-|', "$server->{place}->{bin}/pg_waldump",
		'-p', "$server->{dir}/pg_wal", '-r', 'Transaction', '-s', $from, '-e', $to
		or die "pg_waldump: $!";
	while (<$wal>)
	{
		next unless /tx:\s+(\d+), .* COMMIT \S+ (\d+):(\d+):([\d.]+)/;
		$at{$1} = $2 * 3600 + $3 * 60 + $4;
	}
	close $wal or die "pg_waldump failed";
	my $rows = $server->sql("select xmin, mtime, aid, delta from pgbench_history " .
		"where mtime >= '$begin'");
	for (split /\n/, $rows)
	{
		my ($xid, $row) = split /\|/, $_, 2;
		$of{$row} = $at{$xid} // die "the WAL has no commit of transaction $xid";
	}
	return %of;
}

1;
