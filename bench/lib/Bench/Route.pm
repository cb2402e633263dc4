# A source and its targets under one variant, and what it takes to bring a backlog over.
package Bench::Route;

use strict;
use warnings;

use Bench::Cpu qw(cpu_of_backend cpu_of_process peak_megabytes);
use Bench::Data 'digest';
use Bench::Server;
use Bench::Wait;
use Carp;
use Time::HiRes 'time';

# new(PLACE, VARIANT OBJECT, NAME, NUMBER OF TARGETS, MORE CONF): linked, not started
sub new
{
	my ($class, $place, $variant, $name, $n, $conf) = @_;
	my $text = $variant->conf . ($conf // '');
	my $self = bless { variant => $variant, marks => 0 }, $class;

	$self->{source} = Bench::Server->new($place, "$name-source", $text);
	$self->{targets} =
		[ map { Bench::Server->new($place, "$name-target$_", $text) } 1 .. $n ];
	$variant->link($self->{source}, @{ $self->{targets} });
	return $self;
}

sub variant { return $_[0]->{variant}; }
sub start { $_[0]->{variant}->start; return; }
sub stop { $_[0]->{variant}->stop; return; }
sub source { return $_[0]->{source}; }
sub target { return $_[0]->{targets}->[0]; }

# The last change of a backlog: when it is there, all is.
sub mark
{
	my ($self) = @_;

	$self->{source}->sql('insert into mark values (' . ++$self->{marks} . ')');
	return;
}

sub wait_for_mark
{
	my ($self, $pause) = @_;

	for my $target (@{ $self->{targets} })
	{
		my $question = "select count(*) from mark where id = $self->{marks}";
		wait_until("a change to arrive at $target->{name}",
			sub { $target->sql($question) == 1 }, $pause // 0.002);
	}
	return;
}

sub apply_cpu
{
	my ($self) = @_;
	my $sum = 0;

	for my $target (@{ $self->{targets} })
	{
		$sum += cpu_of_backend($_) for $self->{variant}->apply_backends($target);
	}
	return $sum;
}

# Starts delivery and waits until the backlog is over.  Returns what it took: seconds of the
# clock, and of CPU: source server, apply backends, daemons; and the daemons' peak memory in
# MB.
sub bring_over
{
	my ($self) = @_;
	my $variant = $self->{variant};
	my %took = (daemon => 0, daemon_peak => 0);
	my $source_cpu = $self->{source}->cpu;
	my $begin;

	$self->mark;
	$begin = time;
	$variant->start;
	$self->wait_for_mark;
	$took{wall} = time - $begin;
	$took{apply} = $self->apply_cpu;
	$took{source} = $self->{source}->cpu - $source_cpu;
	for my $pid ($variant->daemons)
	{
		$took{daemon} += cpu_of_process($pid);
		$took{daemon_peak} += peak_megabytes($pid);
	}
	return \%took;
}

# Likewise, and stops it
sub catch_up
{
	my ($self) = @_;
	my $took = $self->bring_over;

	$self->stop;
	return $took;
}

# A measurement of work that was not done is none.
sub verify
{
	my ($self) = @_;
	my $right = digest($self->{source});

	for my $target (@{ $self->{targets} })
	{
		my $there = digest($target);
		croak "$target->{name} differs from its source:\n$right\nand\n$there"
			if $there ne $right;
	}
	return;
}

sub remove { $_->remove for $_[0]->{source}, @{ $_[0]->{targets} }; return; }

1;
