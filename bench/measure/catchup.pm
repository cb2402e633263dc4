# How fast a backlog is brought over, and what it costs at the target.
package catchup;

use strict;
use warnings;

use Bench::Data qw(bulk_backlog tables_of tpcb_backlog);
use Bench::Figures qw(median quote ratios);

sub about
{
	return <<'TEXT';
Delivery stands still while a backlog is made: TPC-B by four clients (four changes a
transaction), or rows of 97 bytes inserted, updated or deleted, by statements of 1,000 rows
or by one; and rows of 42 columns (wide), and of 16 kB out of line (document), of which an
update changes one integer. Then delivery is started, and the clock runs until the last
change is visible at the target; the start is part of it. CPU time, in us a change, is that
of the backends that apply, of all of the source server, and of the daemon, as the kernel
counts it. After each backlog the tables that it changed are compared by checksum, and after
the last one all of them.
TEXT
}

# What it is called, what is done to which table, rows a statement (0: all), and the goals:
# changes a second and apply CPU a change, against native's.
my @columns = qw(name kind table size rate cpu);
my @backlogs = map { my %of; @of{@columns} = @$_; \%of }
	[ 'TPC-B', 'tpcb', 'pgbench', 0, 3, 0.45 ],
	[ 'inserts of 1000', 'insert', 'bulk', 1000, 5, 0.35 ],
	[ 'updates of 1000', 'update', 'bulk', 1000, 2.5, 0.6 ],
	[ 'deletes of 1000', 'delete', 'bulk', 1000, 2.5, 0.5 ],
	[ 'one insert', 'insert', 'bulk', 0, 5, 0.35 ],
	[ 'one update', 'update', 'bulk', 0, 2.5, 0.6 ],
	[ 'one delete', 'delete', 'bulk', 0, 2.5, 0.5 ],
	map { my $table = $_; map { [ "$table, ${_}s", $_, $table, 1000 ] }
		qw(insert update delete) } qw(wide document);

# How many changes, quick or not, by what is done and to which table
my %changes = (
	pgbench => { tpcb => [ 60_000, 200_000 ] },
	bulk => { insert => [ 200_000, 500_000 ], update => [ 100_000, 200_000 ],
		delete => [ 200_000, 500_000 ] },
	wide => { map { $_ => [ 40_000, 200_000 ] } qw(insert update delete) },
	document => { map { $_ => [ 4_000, 20_000 ] } qw(insert update delete) },
);

my $raw = 'repetition,backlog,variant,changes,wall_us,apply_us,source_us,daemon_us';

sub run
{
	my ($class, $bench) = @_;
	my @variants = $bench->delivering;
	my %route = $bench->routes;
	my (%took, @rows);

	for my $repetition (1 .. $bench->repetitions)
	{
		for my $backlog (grep { $repetition <= turns($bench, $_) } @backlogs)
		{
			my $n = changes($bench, $backlog);
			my @here = grep { $bench->takes_part($_, $backlog->{name}) } @variants;
			for my $name ($bench->rotate($repetition, @here))
			{
				my %us = bring_over($route{$name}, $backlog, $n);
				my $of = $took{ $backlog->{name} }->{$name} //= {};
				push @{ $of->{$_} }, $us{$_} for keys %us;
				$bench->raw('catchup', $raw, join ',', $repetition,
					$backlog->{name}, $name, $n,
					@us{qw(wall apply source daemon)});
			}
		}
	}
	$_->verify for values %route;
	$_->remove for values %route;
	for my $backlog (@backlogs)
	{
		my $of = $took{ $backlog->{name} };
		set_goals($bench, $backlog, $of)
			if $backlog->{rate} && $of->{elvis} && $of->{native};
		my $label = "$backlog->{name}, " . changes($bench, $backlog) . ' changes';
		push @rows, map { [ $label, $_, figures($of->{$_}, $of->{native}) ] }
			grep { $of->{$_} } @variants;
	}
	return (plot($bench, \%took, @variants),
		$bench->table([ 'backlog', 'variant', '1000 changes/s', "/ native's",
			'apply CPU', "/ native's", 'source CPU', 'daemon CPU',
			'/ apply CPU' ], @rows));
}

# What is no goal of ours is done less often.
sub turns
{
	my ($bench, $backlog) = @_;

	return $backlog->{rate} ? $bench->repetitions : $bench->few_repetitions;
}

sub changes
{
	my ($bench, $backlog) = @_;
	my $of = $changes{ $backlog->{table} }->{ $backlog->{kind} };

	return $of->[ $bench->quick ? 0 : 1 ];
}

# One for rows of ordinary size, and one for the others, where a change is much more
sub plot
{
	my ($bench, $took, @variants) = @_;
	my %of = ('' => [ grep { $_->{rate} } @backlogs ],
		'_wide' => [ grep { !$_->{rate} } @backlogs ]);

	return map {
		my @labels = map { $_->{name} } @{ $of{$_} };
		my @here = grep {
			my $name = $_;
			grep { $_->{$name} } @$took{@labels}
		} @variants;
		$bench->plot(suffix => $_, title => 'Catching up with a backlog',
			y => '1000 changes/s', series => \@here, labels => \@labels,
			values => { map {
				my $name = $_;
				$name => [ map { rate_of($_->{$name}) } @$took{@labels} ]
			} @here })
	} sort keys %of;
}

# In us a change: wall, and CPU of apply, source and daemon
sub bring_over
{
	my ($route, $backlog, $n) = @_;
	my $took;

	$route->tidy;
	if ($backlog->{kind} eq 'tpcb')
	{
		tpcb_backlog($route->source, $n / 4);
	}
	else
	{
		bulk_backlog($route->source, @$backlog{qw(kind table)}, $n,
			$backlog->{size} || $n);
	}
	$took = $route->catch_up;
	$route->verify(grep { /^$backlog->{table}/ } tables_of($route->source));
	return map { $_ => $took->{$_} / $n * 1e6 } qw(wall apply source daemon);
}

# 1000 changes a second, or undef where it took no part
sub rate_of
{
	my ($of) = @_;

	return $of ? 1000 / median(@{ $of->{wall} }) : undef;
}

sub rates { return map { 1e6 / $_ } @_; }

sub figures
{
	my ($of, $native) = @_;

	return (quote('%.1f', map { $_ / 1000 } rates(@{ $of->{wall} })),
		$native ? quote('%.2f', ratios($native->{wall}, $of->{wall})) : '-',
		quote('%.2f', @{ $of->{apply} }),
		$native ? quote('%.2f', ratios($of->{apply}, $native->{apply})) : '-',
		quote('%.2f', @{ $of->{source} }), quote('%.2f', @{ $of->{daemon} }),
		quote('%.2f', ratios($of->{daemon}, $of->{apply})));
}

sub set_goals
{
	my ($bench, $backlog, $of) = @_;
	my ($elvis, $native) = @$of{qw(elvis native)};

	$bench->goal("$backlog->{name}: changes a second / native's", '>=',
		$backlog->{rate}, [ ratios($native->{wall}, $elvis->{wall}) ]);
	$bench->goal("$backlog->{name}: apply CPU a change / native's", '<=',
		$backlog->{cpu}, [ ratios($elvis->{apply}, $native->{apply}) ]);
	$bench->goal("$backlog->{name}: daemon CPU / apply CPU", '<=', 0.1,
		[ ratios($elvis->{daemon}, $elvis->{apply}) ]);
	return;
}

1;
