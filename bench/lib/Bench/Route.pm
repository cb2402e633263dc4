# A source and its targets under one variant, and what it takes to bring a backlog over.
package Bench::Route;

use strict;
use warnings;

use Bench::Cpu qw(cpu_of_backend cpu_of_process peak_megabytes);
use Bench::Data 'digest';
use Bench::Server;
use Bench::Wait;
use Carp;
use List::Util 'sum0';
use Time::HiRes 'time';

# new(PLACE, VARIANT OBJECT, NAME, targets => NUMBER, by default 1; conf => more of it;
# fill => what is to be done to every server first): linked, not started
sub new
{
	my ($class, $place, $variant, $name, %option) = @_;
	my $text = $variant->conf . ($option{conf} // '');
	my $self = bless { variant => $variant, marks => 0 }, $class;

	$self->{source} = Bench::Server->new($place, "$name-source", $text);
	$self->{targets} =
		[ map { Bench::Server->new($place, "$name-target$_", $text) }
			1 .. $option{targets} // 1 ];
	if ($option{fill})
	{
		$option{fill}->($_) for $self->{source}, @{ $self->{targets} };
	}
	$variant->link($self->{source}, @{ $self->{targets} });
	return $self;
}

sub variant { return $_[0]->{variant}; }
sub start { $_[0]->{variant}->start; return; }
sub stop { $_[0]->{variant}->stop; return; }
sub source { return $_[0]->{source}; }
sub target { return $_[0]->{targets}->[0]; }

# What earlier backlogs have left behind goes, as autovacuum would have it: keys used again would
# else be looked up among dead ones.
sub tidy
{
	my ($self) = @_;

	$_->sql('vacuum') for $self->{source}, @{ $self->{targets} };
	return;
}

# The last change of a backlog: when it is there, all is.
sub mark
{
	my ($self) = @_;

	my $number = ++$self->{marks};

	$self->{source}->sql("insert into $_ values ($number)") for $self->{variant}->marks;
	return;
}

sub wait_for_mark
{
	my ($self, $pause) = @_;

	my @questions = map { "select count(*) from $_ where id = $self->{marks}" }
		$self->{variant}->marks;

	for my $target (@{ $self->{targets} })
	{
		for my $question (@questions)
		{
			wait_until("a change to arrive at $target->{name}",
				sub { $target->sql($question) == 1 }, $pause // 0.002, 1800);
		}
	}
	return;
}

# What processes that take part have used so far, by their ids
sub usage
{
	my ($self) = @_;
	my $variant = $self->{variant};
	my @apply = map { $variant->apply_backends($_) } @{ $self->{targets} };

	return { source => { 0 => $self->{source}->cpu },
		apply => { map { $_ => cpu_of_backend($_) } @apply },
		daemon => { map { $_ => cpu_of_process($_) } $variant->daemons } };
}

# Seconds of all that are there now, since then
sub used_since
{
	my ($now, $then) = @_;

	return sum0(map { $now->{$_} - ($then->{$_} // 0) } keys %$now);
}

# Starts delivery and waits until the backlog is over.  Returns what it took: seconds of the
# clock, and of CPU: source server, apply backends, daemons; and the daemons' peak memory in
# MB.
sub bring_over
{
	my ($self) = @_;
	my $variant = $self->{variant};
	my ($before, $after, $begin, %took);

	$self->mark;
	$before = $self->usage;
	$begin = time;
	$variant->start;
	$self->wait_for_mark;
	$took{wall} = time - $begin;
	$after = $self->usage;
	$took{$_} = used_since($after->{$_}, $before->{$_}) for keys %$after;
	$took{daemon_peak} = sum0(map { peak_megabytes($_) } $variant->daemons);
	return \%took;
}

# Likewise, where delivery runs and is held while the work is done that makes the backlog: what
# its sessions have learnt before is not in it.
sub bring_held
{
	my ($self, $work) = @_;
	my @carriers = $self->{variant}->carriers($self->{source}, @{ $self->{targets} });
	my ($before, $after);

	kill STOP => @carriers;
	my $done = eval { $work->(); $self->mark; 1 };
	my $reason = $@;
	$before = $self->usage;
	kill CONT => @carriers;
	die $reason unless $done;
	$self->wait_for_mark;
	$after = $self->usage;
	return { map { $_ => used_since($after->{$_}, $before->{$_}) } keys %$after };
}

# Likewise, and stops it
sub catch_up
{
	my ($self) = @_;
	my $took = $self->bring_over;

	$self->stop;
	return $took;
}

# Likewise, of a backlog of $changes, beside transactions that are open in sessions and are
# rolled back then; CPU us a change, of the source server and the apply backends together
sub us_a_change
{
	my ($self, $changes, @open) = @_;
	my $took = $self->bring_over;

	$_->query('rollback') for @open;
	$self->stop;
	$self->verify;
	return ($took->{source} + $took->{apply}) / $changes * 1e6;
}

# A measurement of work that was not done is none.  Of all tables, or of those named.
sub verify
{
	my ($self, @of) = @_;
	my $right = digest($self->{source}, @of);

	for my $target (@{ $self->{targets} })
	{
		my $there = digest($target, @of);
		croak "$target->{name} differs from its source:\n$right\nand\n$there"
			if $there ne $right;
	}
	return;
}

sub remove
{
	my ($self) = @_;

	delete $self->{variant};
	$_->remove for $self->{source}, @{ $self->{targets} };
	return;
}

1;
