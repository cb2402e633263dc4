# How fast a new target is filled.
package copy;

use strict;
use warnings;

use Bench::Data qw(bulk_statement digest tables_of);
use Bench::Figures qw(median quote ratios);
use Bench::Server;
use Carp;
use Time::HiRes 'time';

sub about
{
	return <<'TEXT';
All tables of a source at rest, a large one with rows of 97 bytes, one of 42 columns and one of
documents of 16 kB, are brought to a new target: by what a variant has for that, up to the
moment when all rows are there, and by pg_dump piped into psql, rows alone into the
same empty tables, or tables and all. CPU time is that of all of both servers; what clients
use comes on top of it. Each copy has servers of its own, and is compared with its source by
checksum.
TEXT
}

# Ways to copy: from a source, which the variant has made ready, to a target whose tables are
# empty.  A variant's own way comes in two steps, of which the second is measured.
my $rows = 'pg_dump, rows';
my $whole = 'pg_dump, all';
my %dump = (
	$rows => { ready => sub { return; }, go => sub { dump_into(@_, '--data-only') } },
	$whole => { ready => \&drop_tables, go => sub { dump_into(@_, '--table=public.*') } },
);

# Of so many rows of the large table the others have one
my %share = (bulk => 1, wide => 10, document => 200);

sub run
{
	my ($class, $bench) = @_;
	my $changes = $bench->quick ? 200_000 : 5_000_000;
	my @variants = grep { $bench->variant($_)->copies } $bench->delivering;
	my @ways = ($rows, $whole, @variants);
	my (%wall, %cpu);

	for my $repetition (1 .. $bench->few_repetitions)
	{
		for my $name ($bench->rotate($repetition, @ways))
		{
			my ($wall, $cpu) = once($bench, $name, $changes);
			push @{ $wall{$name} }, $wall;
			push @{ $cpu{$name} }, $cpu;
			$bench->raw('copy', 'repetition,way,wall_s,servers_cpu_s',
				qq($repetition,"$name",$wall,$cpu));
		}
	}
	$bench->goal("copy: speed / that of $_", '>=', 1.5,
		[ ratios($wall{$_}, $wall{elvis} // []) ]) for $rows, $whole;
	return ($bench->plot(title => 'Filling a new target', y => 's', series => ['time'],
			labels => \@ways,
			values => { time => [ map { median(@{ $wall{$_} }) } @ways ] }),
		$bench->table([ 'way', 's', 'speed / that of pg_dump, rows', '/ pg_dump, all',
			'CPU of servers, s' ], map { [ $_, quote('%.2f', @{ $wall{$_} }),
			quote('%.2f', ratios($wall{$rows}, $wall{$_})),
			quote('%.2f', ratios($wall{$whole}, $wall{$_})),
			quote('%.2f', @{ $cpu{$_} }) ] } @ways));
}

# Seconds, and of CPU
sub once
{
	my ($bench, $name, $rows) = @_;
	my $way = $dump{$name} // of_variant($bench->variant($name));
	my ($source, $target) = map { Bench::Server->new($bench->place, "copy-$_",
		$way->{conf} // '') } qw(source target);
	my ($begin, $cpu, $wall);

	$source->sql(bulk_statement('insert', $_, 1, $rows / $share{$_})) for sort keys %share;
	$source->sql('vacuum analyze');
	$target->sql('truncate ' . join ', ', tables_of($target));
	$_->sql('checkpoint') for $source, $target;
	$way->{ready}->($source, $target);
	$cpu = $source->cpu + $target->cpu;
	$begin = time;
	$way->{go}->($source, $target);
	$wall = time - $begin;
	$cpu = $source->cpu + $target->cpu - $cpu;
	digest($source) eq digest($target) or croak "$name: the copy differs from its source";
	$_->remove for $source, $target;
	return ($wall, $cpu);
}

sub of_variant
{
	my ($variant) = @_;

	return { conf => $variant->conf, ready => sub { $variant->prepare_copy(@_) },
		go => sub { $variant->copy(@_) } };
}

sub drop_tables
{
	my ($source, $target) = @_;

	$target->sql('drop table ' . join ', ', tables_of($target));
	return;
}

sub dump_into
{
	my ($source, $target, @options) = @_;
	my $place = $source->{place};

	$place->run('sh', '-c', 'from=$1 to=$2 bin=$3; shift 3; ' .
		'"$bin/pg_dump" "$@" "$from" | "$bin/psql" -Xq -v ON_ERROR_STOP=1 -d "$to"',
		'sh', $source->conninfo, $target->conninfo, $place->{bin}, @options);
	return;
}

1;
