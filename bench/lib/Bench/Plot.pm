# Pictures of medians, drawn by gnuplot where it is installed, as text (SVG).
package Bench::Plot;

use strict;
use warnings;

use Carp;

# gnuplot's beginning of each: one colour a series, quiet lines
my $common = <<'PLOT';
set terminal svg noenhanced size 800,400 dynamic font 'sans,12' background 'white'
set border 3 linecolor 'gray40'
set tics nomirror
set grid ytics linecolor 'gray85'
set key outside right top
set yrange [0:*]
PLOT

sub is_there
{
	return scalar grep { -x "$_/gnuplot" } split /:/, $ENV{PATH} // '';
}

# draw(DIRECTORY, NAME, title => TEXT, y => what is counted, series => [names],
# logarithmic => whether y is; and either
#              labels => [...], values => { series => [a value or undef for each label] }
# or           x => what is counted, points => { series => [[x, y], ...] }, x on a log scale)
# Makes plots/NAME.svg; returns the line that shows it, or nothing without gnuplot.
sub draw
{
	my ($dir, $name, %plot) = @_;
	my $file = "plots/$name.svg";
	my ($settings, @blocks) = $plot{labels} ? bars(%plot) : lines(%plot);

	return unless is_there();
	mkdir "$dir/plots";
	open my $gnuplot, '|-', 'gnuplot' or croak "gnuplot: $!";
	print $gnuplot $common, "set output '$dir/$file'\n",
		"set title '$plot{title}'\nset ylabel '$plot{y}'\n",
		$plot{logarithmic} ? "set logscale y\nset yrange [*:*]\n" : (),
		$settings, @blocks;
	close $gnuplot or croak "gnuplot failed on $name";
	return "![$plot{title}]($file)\n";
}

sub bars
{
	my (%plot) = @_;
	my @series = @{ $plot{series} };
	my @columns = map { "'-' using 2:xtic(1) title '$_'" } @series;
	my @blocks = map {
		my $values = $plot{values}->{$_};
		(map({ sprintf qq("%s" %s\n), $plot{labels}->[$_], $values->[$_] // 'NaN' }
			0 .. $#{ $plot{labels} }), "e\n")
	} @series;

	return (<<"PLOT", @blocks);
set style data histogram
set style histogram clustered gap 1
set style fill solid 0.8 noborder
set xtics rotate by -25 noenhanced
plot ${\join ', ', @columns}
PLOT
}

sub lines
{
	my (%plot) = @_;
	my @series = @{ $plot{series} };
	my @columns = map { "'-' using 1:2 with linespoints title '$_'" } @series;
	my @blocks = map { (map({ "$_->[0] $_->[1]\n" } @{ $plot{points}->{$_} }), "e\n") }
		@series;

	return (<<"PLOT", @blocks);
set logscale x
set format x '%.0s%c'
set xlabel '$plot{x}'
plot ${\join ', ', @columns}
PLOT
}

1;
