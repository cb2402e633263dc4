# elvis: one daemon, one link a target.
package elvis;

use strict;
use warnings;
use parent 'Bench::Variant';

use Bench::Data '@tables';
use Carp;
use POSIX ();

sub about { return 'elvis, policy strict, all settings at their defaults'; }
sub delivers { return 1; }
sub has_daemon { return 1; }
sub cache_megabytes { return 64; }	# the default of cache_size

sub missing
{
	my ($self) = @_;
	my $place = $self->{place};

	for my $file ("$place->{extensions}/elvis.control", "$place->{elvis_bin}/elvisd")
	{
		return "$file is not there" unless -e $file;
	}
	return '';
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
	$source->sql("select elvis.attach('$_', 'master')") for @tables;
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
	my ($self, $source, @targets) = @_;
	my $place = $self->{place};

	$self->{dir} = "$source->{dir}/elvis";
	$self->{config} = "$self->{dir}/elvis.conf";
	mkdir $_ or croak "$_: $!" for $self->{dir}, "$self->{dir}/run";
	open my $file, '>', $self->{config} or croak "$self->{config}: $!";
	print $file configuration($place, $self->{dir}, $source, @targets);
	close $file or croak "$self->{config}: $!";
	$place->run("$place->{elvis_bin}/elvisctl", '-c', $self->{config},
		'apply', '--adopt');
	return;
}

sub configuration
{
	my ($place, $dir, $source, @targets) = @_;
	my (@nodes, @links);

	for my $i (0 .. @targets)
	{
		my $name = $i == 0 ? 'source' : "target$i";
		my $conninfo = ($source, @targets)[$i]->conninfo;
		push @nodes, sprintf qq({ name = "%s"; id = %d; conninfo = "%s"; }),
			$name, $i + 1, $conninfo;
		push @links, qq({ name = "source_$name"; from = "source"; to = "$name"; ) .
			qq(tables = "public.*"; }) if $i > 0;
	}
	return qq(run_dir = "$dir/run";\n) .
		qq(policy_dirs = [ "$place->{elvis_policies}" ];\n) .
		qq(sink_dirs = [ "$place->{elvis_sinks}" ];\n) .
		"nodes = (\n\t" . join(",\n\t", @nodes) . ");\n" .
		"links = (\n\t" . join(",\n\t", @links) . ");\n";
}

sub start
{
	my ($self) = @_;
	my @command = ("$self->{place}->{elvis_bin}/elvisd", '-c', $self->{config});

	$self->{daemon} = fork // croak "fork: $!";
	return if $self->{daemon};
	open STDIN, '<', '/dev/null';
	open STDOUT, '>>', "$self->{dir}/log";
	open STDERR, '>&', \*STDOUT;
	exec @command or POSIX::_exit(127);
}

sub stop
{
	my ($self) = @_;
	my $daemon = delete $self->{daemon};

	kill TERM => $daemon;
	waitpid $daemon, 0;
	$? == 0 or croak "elvisd ended with status $?; its words are in $self->{dir}/log";
	return;
}

sub daemons { return $_[0]->{daemon} // (); }

# a run that fails must not leave it behind
sub DESTROY
{
	my ($self) = @_;

	local $?;
	kill TERM => $self->{daemon} if $self->{daemon};
	return;
}

1;
