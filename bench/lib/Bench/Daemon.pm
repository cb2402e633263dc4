# A program that runs beside the servers until it is stopped, or until nobody holds it any
# more: a run that fails must not leave it behind.
package Bench::Daemon;

use strict;
use warnings;

use Bench::Cpu 'descendants';
use Carp;
use POSIX ();

# new(FILE FOR ITS WORDS, COMMAND...)
sub new
{
	my ($class, $log, @command) = @_;
	my $pid = fork // croak "fork: $!";

	return bless { pid => $pid, log => $log, name => $command[0] }, $class if $pid;
	open STDIN, '<', '/dev/null';
	open STDOUT, '>>', $log;
	open STDERR, '>&', \*STDOUT;
	exec @command or POSIX::_exit(127);
}

# Its processes: it may have children that do the work.
sub pids { return descendants($_[0]->{pid}); }

# Ends it; its status
sub stop
{
	my ($self) = @_;
	my $pid = delete $self->{pid};

	kill TERM => $pid;
	waitpid $pid, 0;
	return $?;
}

sub DESTROY
{
	my ($self) = @_;

	local $?;
	$self->stop if $self->{pid};
	return;
}

1;
