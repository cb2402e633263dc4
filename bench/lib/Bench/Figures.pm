# From repetitions to what is quoted: the median, with the least and the greatest.
package Bench::Figures;

use strict;
use warnings;

use Exporter 'import';

our @EXPORT_OK = qw(median quote ratios percentile);

sub percentile
{
	my ($p, @values) = @_;
	my @sorted = sort { $a <=> $b } @values;

	return undef unless @sorted;
	return $sorted[int($p / 100 * $#sorted + 0.5)];
}

sub median
{
	my @sorted = sort { $a <=> $b } @_;

	return undef unless @sorted;
	return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

# "1.05 (1.04-1.07)"
sub quote
{
	my ($format, @values) = @_;
	my @sorted = sort { $a <=> $b } @values;

	return '-' unless @sorted;
	return sprintf "$format ($format-$format)", median(@sorted), $sorted[0],
		$sorted[-1];
}

# Repetition by repetition, because only what ran side by side may be compared
sub ratios
{
	my ($values, $base) = @_;

	return map { $base->[$_] ? $values->[$_] / $base->[$_] : () }
		grep { defined $base->[$_] } 0 .. $#$values;
}

1;
