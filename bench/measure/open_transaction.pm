# Whether a transaction that somebody has left open makes changes dearer.
package open_transaction;

use strict;
use warnings;

use Bench::Data 'small_transactions';
use Bench::Figures qw(quote ratios);

sub about
{
	return <<'TEXT';
A backlog of transactions of two changes is brought over while nothing else is open, and
beside a transaction that was begun before the backlog: one that has written at the source,
one in REPEATABLE READ that has read at the source, or at the target. CPU time a change, of
all of the source server and of the backends that apply together, from their start.
TEXT
}

# Where it is open, and what it has done
my $read = 'begin isolation level repeatable read; select count(*) from pgbench_accounts';
my @cases = (
	{ name => 'none' },
	{ name => 'writer, source', at => 'source',
		does => 'begin; insert into mark values (-1)' },
	{ name => 'reader, source', at => 'source', does => $read },
	{ name => 'reader, target', at => 'target', does => $read },
);

# Its goals are ratios of elvis to elvis.
sub with_itself { return 1; }

sub run
{
	my ($class, $bench) = @_;
	my $changes = $bench->quick ? 100_000 : 1_000_000;
	my @variants = $bench->delivering;
	my %route = $bench->routes;
	my (%us, @rows);

	for my $repetition (1 .. $bench->few_repetitions)
	{
		for my $name ($bench->rotate($repetition, @variants))
		{
			for my $case ($bench->rotate($repetition, @cases))
			{
				my $us = beside($route{$name}, $case, $changes);
				push @{ $us{$name}->{ $case->{name} } }, $us;
				$bench->raw('open_transaction',
					'repetition,variant,open,changes,cpu_us',
					qq($repetition,$name,"$case->{name}",$changes,$us));
			}
		}
	}
	$_->remove for values %route;
	for my $name (@variants)
	{
		my $of = $us{$name};
		push @rows, map { [ $name, $_, quote('%.2f', @{ $of->{$_} }),
			quote('%.2f', ratios($of->{$_}, $of->{none})) ] }
			map { $_->{name} } @cases;
	}
	if (my $of = $us{elvis})
	{
		$bench->goal("CPU a change, open transaction ($_) / none", '<=', 1.1,
			[ ratios($of->{$_}, $of->{none}) ])
			for map { $_->{name} } @cases[1 .. $#cases];
	}
	return $bench->table([ 'variant', 'open transaction', 'CPU us a change',
		'ratio to none' ], @rows);
}

sub beside
{
	my ($route, $case, $changes) = @_;
	my $at = $case->{at};
	my @open;

	$route->tidy;
	if ($at)
	{
		@open = ($route->$at->session('open'));
		$open[0]->query($case->{does});
	}
	small_transactions($route->source, $changes / 2);
	return $route->us_a_change($changes, @open);
}

1;
