# pglogical: logical decoding, as an extension.
package pglogical;

use strict;
use warnings;
use parent 'Bench::Variant';

use Bench::Data 'tables_of';
use Bench::Slot;
use Bench::Wait;

sub about { return 'pglogical, one subscription, settings at their defaults'; }
sub delivers { return 1; }
sub packages { return "postgresql-$_[0]->{place}->{major}-pglogical"; }
sub missing { return $_[0]->{place}->lacks('pglogical.so'); }

sub version
{
	my ($self) = @_;

	return Bench::Variant::extension_version($self->{place}, 'pglogical');
}

# Newer minor releases want to be told which output plugins are trusted.
sub conf
{
	my ($self) = @_;
	my $known = $self->{place}->has_setting('output_plugin_libraries');

	return "$Bench::Slot::conf\nshared_preload_libraries = 'pglogical'\n" .
		($known ? "output_plugin_libraries = 'pgoutput, pglogical_output'\n" : '');
}

sub make_node
{
	my ($server, $name) = @_;
	my $conninfo = $server->conninfo;

	$server->sql('create extension pglogical');
	$server->sql("select pglogical.create_node('$name', '$conninfo')");
	return;
}

# A table without a key has a set for itself, which brings no updates.
sub publish
{
	my ($source) = @_;

	make_node($source, 'source');
	$source->sql("select pglogical.replication_set_add_table(case when exists (select " .
		"from pg_index where indrelid = '$_'::regclass and indisprimary) " .
		"then 'default' else 'default_insert_only' end, '$_')") for tables_of($source);
	return;
}

# The slot keeps what a subscriber would still need.
sub capture
{
	my ($self, $source) = @_;

	publish($source);
	$source->sql("select pg_create_logical_replication_slot('bench', 'pglogical_output')");
	return;
}

sub link
{
	my ($self, $source, @targets) = @_;
	my $conninfo = $source->conninfo;

	publish($source);
	@$self{qw(source targets)} = ($source, \@targets);
	for my $i (0 .. $#targets)
	{
		make_node($targets[$i], "target$i");
		$targets[$i]->sql("select pglogical.create_subscription('bench$i', " .
			"'$conninfo', synchronize_structure := false, " .
			"synchronize_data := false)");
	}
	$self->wait_for_status('replicating');
	$self->stop;
	return;
}

sub start
{
	my ($self) = @_;

	$self->each_subscription('enable');
	return;
}

sub stop
{
	my ($self) = @_;

	$self->each_subscription('disable');
	for my $target (@{ $self->{targets} })
	{
		wait_until('the worker to end', sub { !$self->apply_backends($target) });
	}
	Bench::Slot::settle($self->{source});
	return;
}

sub each_subscription
{
	my ($self, $what) = @_;
	my $i = 0;

	$_->sql("select pglogical.alter_subscription_$what('bench" . $i++ . "', true)")
		for @{ $self->{targets} };
	return;
}

sub wait_for_status
{
	my ($self, $status) = @_;
	my $question = 'select status from pglogical.show_subscription_status()';

	for my $target (@{ $self->{targets} })
	{
		wait_until("a subscription to be $status",
			sub { $target->sql($question) eq $status });
	}
	return;
}

sub apply_backends
{
	my ($self, $target) = @_;

	return $target->backends('pglogical apply %');
}

1;
