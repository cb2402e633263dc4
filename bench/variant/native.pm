# PostgreSQL's own logical replication.
package native;

use strict;
use warnings;
use parent 'Bench::Variant';

use Bench::Data 'tables_of';
use Bench::Slot;
use Bench::Wait;

sub about { return "PostgreSQL's logical replication, one publication and subscription"; }
sub delivers { return 1; }

sub conf { return $Bench::Slot::conf; }

sub publish
{
	my ($source) = @_;

	$source->sql('create publication bench for table ' . join ', ', tables_of($source));
	return;
}

# The slot keeps what a subscriber would still need.
sub capture
{
	my ($self, $source) = @_;

	publish($source);
	$source->sql("select pg_create_logical_replication_slot('bench', 'pgoutput')");
	return;
}

sub link
{
	my ($self, $source, @targets) = @_;

	publish($source);
	@$self{qw(source targets)} = ($source, \@targets);
	for my $i (0 .. $#targets)
	{
		subscribe($source, $targets[$i],
			"copy_data = false, enabled = false, slot_name = bench_$i");
	}
	return;
}

sub subscribe
{
	my ($source, $target, $options) = @_;
	my $conninfo = $source->conninfo;

	$target->sql("create subscription bench connection '$conninfo' " .
		"publication bench with ($options)");
	return;
}

sub start
{
	my ($self) = @_;

	$_->sql('alter subscription bench enable') for @{ $self->{targets} };
	return;
}

sub stop
{
	my ($self) = @_;

	for my $target (@{ $self->{targets} })
	{
		$target->sql('alter subscription bench disable');
		# it would look for that only once a second
		$target->sql("select pg_terminate_backend($_)") for $self->apply_backends($target);
		wait_until("the worker to end", sub { !$self->apply_backends($target) });
	}
	Bench::Slot::settle($self->{source});
	return;
}

sub copies { return 1; }
sub prepare_copy { publish($_[1]); return; }

# Two tables at a time, which is the server's default
sub copy
{
	my ($self, $source, $target) = @_;

	subscribe($source, $target, 'copy_data = true');
	wait_until('tables to be copied', sub { $target->sql("select bool_and(srsubstate " .
		"in ('s', 'r')) from pg_subscription_rel") eq 't' });
	return;
}

sub apply_backends
{
	my ($self, $target) = @_;

	return $target->backends('logical replication worker');
}

1;
