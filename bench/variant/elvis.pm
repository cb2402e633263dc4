# elvis: one daemon, one link a target.  The setting `rules` is for tables that are to have
# another policy than strict, as elvis.conf says it.
package elvis;

use strict;
use warnings;
use parent 'Bench::Variant';

use Bench::Daemon;
use Bench::Data 'tables_of';
use Carp;

sub about { return 'elvis, policy strict, all settings at their defaults'; }
sub delivers { return 1; }
sub has_daemon { return 1; }
sub cache_megabytes { return 64; }	# the default of cache_size

sub missing
{
	my ($self) = @_;
	my $place = $self->{place};

	return $place->lacks("$place->{extensions}/elvis.control",
		"$place->{elvis_bin}/elvisd");
}

sub version
{
	my ($self) = @_;

	chomp(my $version = `$self->{place}->{elvis_bin}/elvisd --version`);
	return $version;
}

sub capture
{
	my ($self, $source) = @_;

	$source->sql('create extension elvis');
	$source->sql("select elvis.setup_node(1, 'source')");
	$source->sql("select elvis.attach('$_', 'master')") for tables_of($source);
	return;
}

sub log_bytes
{
	my ($self, $source) = @_;

	return $source->sql("select sum(pg_total_relation_size(oid)) from pg_class " .
		"where relnamespace = 'elvis'::regnamespace and relkind = 'r' " .
		"and relname ~ '^log_[0-9]+\$'");
}

sub link
{
	my ($self, @servers) = @_;

	$self->configure(@servers);
	$self->control('apply', '--adopt');
	return;
}

# elvisctl WORD...
sub control
{
	my ($self, @words) = @_;
	my $place = $self->{place};

	$place->run("$place->{elvis_bin}/elvisctl", '-c', $self->{config}, @words);
	return;
}

sub configure
{
	my ($self, $source, @targets) = @_;

	$self->{dir} = "$source->{dir}/elvis";
	$self->{config} = "$self->{dir}/elvis.conf";
	mkdir $_ or croak "$_: $!" for $self->{dir}, "$self->{dir}/run";
	open my $file, '>', $self->{config} or croak "$self->{config}: $!";
	print $file $self->configuration($source, @targets);
	close $file or croak "$self->{config}: $!";
	return;
}

sub configuration
{
	my ($self, $source, @targets) = @_;
	my ($place, $dir) = @$self{qw(place dir)};
	my (@nodes, @links);

	for my $i (0 .. @targets)
	{
		my $name = $i == 0 ? 'source' : "target$i";
		my $conninfo = ($source, @targets)[$i]->conninfo;
		push @nodes, sprintf qq({ name = "%s"; id = %d; conninfo = "%s"; }),
			$name, $i + 1, $conninfo;
		push @links, $self->links($name) if $i > 0;
	}
	return qq(run_dir = "$dir/run";\n) .
		qq(policy_dirs = [ "$place->{elvis_policies}" ];\n) .
		qq(sink_dirs = [ "$place->{elvis_sinks}" ];\n) .
		"nodes = (\n\t" . join(",\n\t", @nodes) . ");\n" .
		"links = (\n\t" . join(",\n\t", @links) . ");\n";
}

# The links to a target, as elvis.conf says it
sub links
{
	my ($self, $target) = @_;

	return $self->link_text("source_$target", $target, '', $self->{rules} // (),
		'{ match = "public.*"; policy = "strict"; }');
}

sub link_text
{
	my ($self, $name, $target, $more, @rules) = @_;

	return qq({ name = "$name"; from = "source"; to = "$target"; $more tables = ) .
		'( ' . join(', ', @rules) . ' ); }';
}

sub start
{
	my ($self) = @_;

	$self->{daemon} = Bench::Daemon->new("$self->{dir}/log",
		"$self->{place}->{elvis_bin}/elvisd", '-c', $self->{config});
	return;
}

sub stop
{
	my ($self) = @_;
	my $status = (delete $self->{daemon})->stop;

	$status == 0 or
		croak "elvisd ended with status $status; its words are in $self->{dir}/log";
	return;
}

sub copies { return 1; }

sub prepare_copy
{
	my ($self, $source, $target) = @_;

	$self->configure($source, $target);
	# done, all but the link, of which it says by its status that it waits for the copy
	eval { $self->control('apply') };
	return;
}

sub copy
{
	my ($self) = @_;

	$self->control('copy', 'source_target1');
	return;
}

sub daemons { return map { $_->pids } $_[0]->{daemon} // (); }

1;
