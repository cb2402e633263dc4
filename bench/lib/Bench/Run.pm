# One run: what is measured, on what, and the report of it.
package Bench::Run;

use strict;
use warnings;

use Bench::Data 'fill';
use Bench::Figures qw(median quote);
use Bench::Machine;
use Bench::Place;
use Bench::Plot;
use Bench::Route;
use Bench::Server;
use Carp;
use List::Util 'min';

# new(work => directory, bench => directory of the programs, quick => bool,
#     repetitions and backlog => as asked for, or undef, variants => [names],
#     peers => [those that others have made], commit => of the sources); makes the
#     template of all servers.
sub new
{
	my ($class, %option) = @_;
	my $self = bless { %option, goals => [], raw => {}, missing => {},
		failed => {} }, $class;

	$self->{place} = Bench::Place->new($option{bench}, $option{work});
	$self->{ready} = [ grep { $self->is_ready($_) } @{ $option{variants} } ];
	Bench::Server->make_template($self->{place}, sub { fill($_[0], $self->scale) });
	return $self;
}

sub is_ready
{
	my ($self, $name) = @_;
	my $reason = $self->variant($name)->missing;

	$self->{missing}->{$name} = $reason if $reason;
	return !$reason;
}

sub place { return $_[0]->{place}; }
sub quick { return $_[0]->{quick}; }
sub repetitions { return $_[0]->{repetitions} // ($_[0]->{quick} ? 2 : 5); }

# Of what takes long
sub few_repetitions
{
	my ($self) = @_;

	return min(3, $self->repetitions);
}

sub largest_backlog
{
	my ($self) = @_;

	return $self->{backlog} // ($self->{quick} ? 200_000 : 10_000_000);
}

sub scale { return $_[0]->{quick} ? 2 : 10; }

# A fresh object of the variant of this name, with settings of its own
sub variant
{
	my ($self, $name, %setting) = @_;

	require "$self->{bench}/variant/$name.pm";
	return $name->new($self->{place}, %setting);
}

# Names of the variants that run here and can do what is measured, `none` first; delivering:
# those that have a target
sub variants
{
	my ($self) = @_;

	return grep { $self->takes_part($_) && !$self->unable($_) } @{ $self->{ready} };
}

# Is it meant for what is measured, or for this case of it?
sub takes_part
{
	my ($self, $name, $case) = @_;

	return $self->variant($name)->takes_part($self->{measuring}, $case);
}

# Why it cannot take part in what is measured, or ''
sub unable
{
	my ($self, $name) = @_;

	return $self->{failed}->{ $self->{measuring} }->{$name} //
		$self->variant($name)->cannot($self->{measuring});
}

# In a quick run a measurement that compares elvis with elvis is of elvis alone.
sub delivering
{
	my ($self) = @_;
	my @those = grep { $self->variant($_)->delivers } $self->variants;

	return @those unless $self->quick && $self->{measuring}->can('with_itself');
	return grep { $_ eq 'elvis' } @those;
}

# By the names of those that deliver, a route each.  label: for the names of the servers,
# where a measurement has several; for what else may be said see Route.
sub routes
{
	my ($self, %option) = @_;
	my $label = $option{label} // '';

	return map { $_ => Bench::Route->new($self->place, $self->variant($_),
		"$self->{measuring}$label-$_", %option) } $self->delivering;
}

# The list, begun at another place each time
sub rotate
{
	my ($self, $by, @list) = @_;

	return map { $list[($by + $_) % @list] } 0 .. $#list;
}

sub capture_output
{
	my ($self, @command) = @_;

	open my $pipe, '-|', @command or croak "@command: $!";
	local $/;
	my $out = <$pipe>;
	close $pipe or croak "@command failed";
	return $out;
}

# Lines of numbers as they were taken, kept in raw/NAME.csv
sub raw
{
	my ($self, $name, $head, @lines) = @_;

	push @{ $self->{raw}->{$name} //= [$head] }, @lines;
	return;
}

# What was to be reached ('<=' or '>='), and what was in each repetition
sub goal
{
	my ($self, $what, $sense, $bound, $values) = @_;

	return unless $values && @$values;
	push @{ $self->{goals} }, { what => $what, sense => $sense, bound => $bound,
		values => $values };
	return;
}

sub table
{
	my ($self, $head, @rows) = @_;

	return join '', map { '| ' . join(' | ', @$_) . " |\n" }
		$head, [ map { '---' } @$head ], @rows;
}

# Runs one measurement; its section of the report.  A peer that fails is left out of it and
# the others begin anew; if one of ours does, there is only the reason.
sub measure
{
	my ($self, $name) = @_;
	my $began = time;
	my $parts;

	require "$self->{bench}/measure/$name.pm";
	$self->{measuring} = $name;
	until ($parts = eval { [ $name->run($self) ] })
	{
		my $reason = $@;
		die $reason if $reason =~ /^interrupted/;
		Bench::Server->remove_all;
		delete $self->{raw}->{$name};
		print STDERR $reason;
		last unless $self->blame($reason);
	}
	$self->{incomplete} = 1 unless $parts;
	return join "\n", "## $name\n", $name->about, $parts ? @$parts : "It failed.\n",
		$self->left_out,
		sprintf "Took %d s; load average when it ended: %s.\n", time - $began,
		Bench::Machine::load();
}

# Finds the peer by the server that the reason speaks of; false if there is none.
sub blame
{
	my ($self, $reason) = @_;
	my ($peer) = grep { $reason =~ /-$_\b/ } @{ $self->{peers} };

	return 0 unless $peer && !$self->unable($peer);
	$self->{failed}->{ $self->{measuring} }->{$peer} =
		'it failed: ' . ($reason =~ s/\Q$self->{work}\E\///gr =~ /^(.*)/)[0];
	return 1;
}

sub left_out
{
	my ($self) = @_;

	return map {
		my $reason = $self->unable($_);
		$reason ? "Left out: $_, $reason.\n" : ()
	} @{ $self->{ready} };
}

# A picture of what was measured, see Plot; what it is to be in the report
sub plot
{
	my ($self, %plot) = @_;
	my $name = $self->{measuring} . ($plot{suffix} // '');

	return Bench::Plot::draw($self->{work}, $name, %plot);
}

sub goals
{
	my ($self) = @_;

	return '' unless @{ $self->{goals} };
	return "## Goals\n\n" .
		"Median of the repetitions, with the least and the greatest.\n\n" .
		$self->table([ 'what', 'goal', 'measured', '' ], map {
			my $median = median(@{ $_->{values} });
			my $met = $_->{sense} eq '<=' ? $median <= $_->{bound}
				: $median >= $_->{bound};
			[ $_->{what}, "$_->{sense} $_->{bound}",
				quote($median < 10 ? '%.2f' : '%.0f', @{ $_->{values} }),
				$met ? 'met' : 'missed' ]
		} @{ $self->{goals} });
}

sub variants_table
{
	my ($self) = @_;

	return "## Variants\n\n" . $self->table([ 'variant', 'what', 'version' ], map {
		my $variant = $self->variant($_);
		my $missing = $self->{missing}->{$_};
		[ $_, $variant->about, $missing ? "not run: $missing" : $variant->version ]
	} @{ $self->{variants} });
}

sub head
{
	my ($self) = @_;
	my $kind = $self->{quick} ? 'A quick run: small backlogs, few repetitions.' :
		'A full run.';

	return "# What it costs, and how fast it is\n\n$kind Made by `bench/run`; " .
		"bench/README.md says how to\nread it. " .
		"Only figures of one run may be compared.\n\n" .
		Bench::Machine::describe($self->{place}, $self->{commit});
}

1;
