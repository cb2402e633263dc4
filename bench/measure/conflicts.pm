# How many conflicts are settled in a second.
package conflicts;

use strict;
use warnings;

use Bench::Data 'bulk_backlog';
use Bench::Figures qw(quote);
use Bench::Route;
use Carp;

sub about
{
	return <<'TEXT';
Rows of 97 bytes are updated at the source, by statements of 1,000, that have been changed at
the target meanwhile: each change is a conflict (update_differs), settled and recorded. With
some policies the target knows the answer beforehand; another is asked about every one by the
daemon, and its answer sent back. The clock runs from the start of delivery until the last
change is visible. Afterwards the resolutions are counted, and the rows at the target are
those that the policy wants. Of the peers none records conflicts.
TEXT
}

# Rules for the table, the goal in conflicts a second, and which rows there are to be in the
# end, after so many rounds
my @policies = (
	{ name => 'skip', way => 'told beforehand', use => '"skip"', goal => 30_000,
		wanted => 'b = 0 and a = id % 1000 + ROUNDS' },
	{ name => 'last_writer_wins', way => 'told beforehand', goal => 30_000,
		use => '( { use = "last_writer_wins"; column = "b"; } )',
		wanted => 'b = ROUNDS and a = id % 1000' },
	{ name => 'merge_columns', way => 'asked', use => '"merge_columns"', goal => 5_000,
		wanted => 'b = ROUNDS and a = id % 1000 + ROUNDS' },
);

sub run
{
	my ($class, $bench) = @_;
	my $n = $bench->quick ? 20_000 : 100_000;
	my (%route, %rate, %cpu);

	return "elvis is not here.\n" unless grep { $_ eq 'elvis' } $bench->delivering;
	for my $policy (@policies)
	{
		$route{ $policy->{name} } = begin($bench, $policy, $n);
	}
	for my $round (1 .. $bench->repetitions)
	{
		for my $policy ($bench->rotate($round, @policies))
		{
			my $name = $policy->{name};
			my $took = meet($route{$name}, $n);
			verify($route{$name}, $policy, $round, $n);
			push @{ $rate{$name} }, $n / $took->{wall};
			push @{ $cpu{$_}->{$name} }, $took->{$_} / $n * 1e6
				for qw(apply daemon);
			$bench->raw('conflicts',
				'repetition,policy,conflicts,wall_s,apply_cpu_s,daemon_cpu_s',
				join ',', $round, $name, $n, @$took{qw(wall apply daemon)});
		}
	}
	$_->remove for values %route;
	$bench->goal("conflicts a second, $_->{name} ($_->{way})", '>=', $_->{goal},
		$rate{ $_->{name} }) for @policies;
	return $bench->table([ 'policy', '', 'conflicts/s', 'apply CPU us a conflict',
		'daemon CPU us' ], map { [ $_->{name}, $_->{way},
			quote('%.0f', @{ $rate{ $_->{name} } }),
			quote('%.1f', @{ $cpu{apply}->{ $_->{name} } }),
			quote('%.1f', @{ $cpu{daemon}->{ $_->{name} } }) ] } @policies);
}

# Both sides hold the rows.
sub begin
{
	my ($bench, $policy, $n) = @_;
	my $rule = qq({ match = "public.bulk"; policy = $policy->{use}; });
	my $route = Bench::Route->new($bench->place, $bench->variant('elvis', rules => $rule),
		"conflicts-$policy->{name}");

	bulk_backlog($route->source, 'insert', 'bulk', $n, 1000);
	$route->catch_up;
	$route->verify;
	return $route;
}

# Every row is changed on both sides, and then delivery meets it; what that took
sub meet
{
	my ($route, $n) = @_;

	$route->target->sql('begin; set local session_replication_role = replica; ' .
		'update bulk set a = a + 1; commit; vacuum bulk');
	bulk_backlog($route->source, 'update', 'bulk', $n, 1000);
	return $route->catch_up;
}

sub verify
{
	my ($route, $policy, $rounds, $n) = @_;
	my $wanted = $policy->{wanted} =~ s/ROUNDS/$rounds/gr;
	my $rows = $route->target->sql("select count(*) from bulk where $wanted");
	my $recorded = $route->target->sql('select count(*) from elvis.resolution');

	$rows == $n or croak "$policy->{name}: $rows rows of $n are as they should be";
	$recorded == $n * $rounds or croak "$policy->{name}: $recorded resolutions, not " .
		$n * $rounds;
	return;
}

1;
