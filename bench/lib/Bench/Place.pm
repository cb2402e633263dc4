# Where a run happens: the programs it measures and the directory it works in.
#
# From the environment, as the tests have it from make:
#   PG_CONFIG            the server's, default the one in PATH
#   ELVIS_DESTDIR        a private root with PostgreSQL and elvis in it, default none
#   ELVIS_BINDIR ELVIS_POLICYDIR ELVIS_SINKDIR   where elvis is below it
package Bench::Place;

use strict;
use warnings;

use Carp;
use File::Basename 'dirname';
use POSIX ();

sub new
{
	my ($class, $bench, $work) = @_;
	my $config = $ENV{PG_CONFIG} // 'pg_config';
	my $root = $ENV{ELVIS_DESTDIR} // '';
	my $prefix = $ENV{ELVIS_BINDIR} ? dirname($ENV{ELVIS_BINDIR}) : '/usr/local';
	my $self = bless {
		bench => $bench,
		work => $work,
		root => $root,
		bin => $root . ask($config, '--bindir'),
		programs => ask($config, '--bindir'),
		modules => ask($config, '--pkglibdir'),
		share => ask($config, '--sharedir'),
		major => ask($config, '--version') =~ /(\d+)/,
		headers => ask($config, '--includedir'),
		server_headers => ask($config, '--includedir-server'),
		libraries => ask($config, '--libdir'),
		elvis_bin => "$root$prefix/bin",
		elvis_policies => $root .
			($ENV{ELVIS_POLICYDIR} // "$prefix/lib/elvis/policies"),
		elvis_sinks => $root . ($ENV{ELVIS_SINKDIR} // "$prefix/lib/elvis/sinks"),
	}, $class;

	$self->{extensions} = "$root$self->{share}/extension";
	-x "$self->{bin}/initdb" or croak "no server programs in $self->{bin}";
	return $self;
}

sub ask
{
	my ($config, $question) = @_;

	chomp(my $answer = `$config $question`);
	$? == 0 or croak "$config $question failed; set PG_CONFIG";
	return $answer;
}

# The first of these that is not there: paths, programs, or modules of the server
sub lacks
{
	my ($self, @names) = @_;
	my @path = split /:/, $ENV{PATH} // '';

	for my $name (@names)
	{
		my @places = $name =~ m{^/} ? ($name)
			: $name =~ /\.so$/ ? glob "$self->{root}$self->{modules}/$name"
			: map { "$_/$name" } @path;
		return "$name is not there" unless grep { -e } @places;
	}
	return '';
}

# Whether the server knows it
sub has_setting
{
	my ($self, $name) = @_;

	return scalar grep { /^\Q$name\E\t/ } `$self->{bin}/postgres --describe-config`;
}

# Runs a program to its end, quietly; its words are told when it fails.
sub run
{
	my ($self, @command) = @_;
	my $words = "$self->{work}/command.out";
	my $pid = fork // croak "fork: $!";

	if ($pid == 0)
	{
		open STDOUT, '>', $words;
		open STDERR, '>&', \*STDOUT;
		open STDIN, '<', '/dev/null';
		exec @command or POSIX::_exit(127);
	}
	waitpid $pid, 0;
	return if $? == 0;
	open my $file, '<', $words or croak "@command failed";
	local $/;
	croak "@command failed: " . <$file>;
}

sub compile_client
{
	my ($self, $name) = @_;
	my $program = "$self->{work}/$name";

	$self->run($ENV{CC} // 'cc', '-O2', "-I$self->{headers}", '-o', $program,
		"$self->{bench}/c/$name.c", "-L$self->{libraries}", '-lpq')
		unless -x $program;
	return $program;
}

# A module for the server, as a path that CREATE FUNCTION takes
sub compile_module
{
	my ($self, $name) = @_;
	my $module = "$self->{work}/$name.so";

	$self->run($ENV{CC} // 'cc', '-O2', '-shared', '-fPIC', "-I$self->{server_headers}",
		'-o', $module, "$self->{bench}/c/$name.c") unless -e $module;
	return $module;
}

1;
