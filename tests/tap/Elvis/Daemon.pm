# A daemon: elvisd under the test's hand, and elvisctl beside it.
#
#	my $daemon = Elvis::Daemon->new('paris_lyon', from => $paris, to => $lyon,
#		tables => 'public.*', policy => 'strict');
#	my $daemon = Elvis::Daemon->new('mesh', config => $text, nodes => [ $paris, $lyon ]);
#	$daemon->ctl_ok('apply');
#	$daemon->start;
#	$daemon->wait_caught_up;
#
# In the text of a configuration @conninfo NAME@ stands for the connection string of the
# node of that name.  tables and policy may be lists.  args => [...] is added to elvisd's
# command line.
package Elvis::Daemon;

use strict;
use warnings;

use Carp;
use Elvis::Util;
use IPC::Run;
use POSIX ();
use PostgreSQL::Test::Utils ();

my @running;

sub new
{
	my ($class, $name, %option) = @_;
	my $self = bless {
		name => $name,
		log => "$PostgreSQL::Test::Utils::log_path/elvisd_$name.log",
		args => $option{args} // [],
		option => \%option,
	}, $class;

	$self->write_config($option{config}) if defined $option{config};
	return $self;
}

# A new text for elvis.conf; a running daemon takes it at reload()
sub write_config
{
	my ($self, $text) = @_;

	for my $node (@{ $self->{option}->{nodes} // [] })
	{
		my ($name, $conninfo) = ($node->name, $node->conninfo);
		$text =~ s/\@conninfo $name\@/$conninfo/g;
	}
	$self->{config} = "$PostgreSQL::Test::Utils::tmp_check/$self->{name}.conf";
	open my $file, '>', $self->{config} or croak "$self->{config}: $!";
	print $file $text;
	close $file or croak "$self->{config}: $!";
	return;
}

sub program
{
	my ($name) = @_;

	return "$ENV{ELVIS_DESTDIR}$ENV{ELVIS_BINDIR}/$name";
}

sub pid { return $_[0]->{pid}; }

# The options that elvisd and elvisctl share: what to replicate, and with which modules
sub what
{
	my ($self) = @_;
	my $option = $self->{option};
	my @what = (
		'--policy-dir', "$ENV{ELVIS_DESTDIR}$ENV{ELVIS_POLICYDIR}",
		'--sink-dir', "$ENV{ELVIS_DESTDIR}$ENV{ELVIS_SINKDIR}");

	return (@what, '--config', $self->{config}) if $self->{config};

	push @what, '--from', $option->{from}->conninfo, '--to', $option->{to}->conninfo;
	for my $name ('tables', 'policy')
	{
		my $values = $option->{$name} // [];

		push @what, map { ("--$name", $_) } ref $values ? @$values : $values;
	}
	return @what;
}

sub start
{
	my ($self) = @_;
	my @command = (program('elvisd'), $self->what, @{ $self->{args} });

	croak "elvisd $self->{name} runs already" if $self->is_running;
	$self->{pid} = fork // croak "fork: $!";
	if ($self->{pid} == 0)
	{
		open STDIN, '<', '/dev/null';
		open STDOUT, '>>', $self->{log};
		open STDERR, '>&', \*STDOUT;
		{ exec { $command[0] } @command; }
		print STDERR "$command[0]: $!\n";
		POSIX::_exit(127);
	}
	push @running, $self;
	return;
}

# Is it there?  When it has ended by itself, status() says how.
sub is_running
{
	my ($self) = @_;

	return 0 unless $self->{pid};
	return 1 if waitpid($self->{pid}, POSIX::WNOHANG) == 0;
	$self->gone($?);
	return 0;
}

# How it ended, as $? has it
sub status { return $_[0]->{status}; }

# Waits until it has ended by itself, and returns how
sub wait_ended
{
	my ($self, $seconds) = @_;

	poll_until { !$self->is_running } $seconds
	  or croak "elvisd $self->{name} goes on:\n" . $self->log_text;
	return $self->status;
}

sub gone
{
	my ($self, $status) = @_;

	$self->{status} = $status;
	$self->{pid} = undef;
	@running = grep { $_ != $self } @running;
	return;
}

# Sends a signal and returns how it ended; one that takes long is killed.
sub end
{
	my ($self, $signal) = @_;

	croak "elvisd $self->{name} does not run" unless $self->is_running;
	kill $signal, $self->{pid};
	if (!poll_until { !$self->is_running } 60)
	{
		kill 'KILL', $self->{pid};
		waitpid $self->{pid}, 0;
		$self->gone($?);
		croak "elvisd $self->{name} did not end on $signal:\n" . $self->log_text;
	}
	return $self->status;
}

sub stop { return $_[0]->end('TERM'); }
sub kill9 { return $_[0]->end('KILL'); }

sub restart
{
	my ($self) = @_;

	$self->stop;
	$self->start;
	return;
}

sub reload
{
	my ($self) = @_;

	kill 'HUP', $self->{pid};
	return;
}

sub log_text
{
	my ($self) = @_;

	return '' unless -e $self->{log};
	return PostgreSQL::Test::Utils::slurp_file($self->{log});
}

# Waits until the log, from a place in it on, has such a line.  Returns the log's length
# then, for the next call; dies when it does not come.  To know when to go on, not to
# assert what was said.
sub wait_for_log
{
	my ($self, $pattern, $from, $seconds) = @_;
	my ($alive, $text);

	# asked before the log is read: what a daemon says last is heard, too
	poll_until
	{
		$alive = $self->is_running;
		$text = $self->log_text;
		!$alive || substr($text, $from // 0) =~ $pattern
	} $seconds;
	croak "elvisd $self->{name} did not say $pattern:\n$text"
	  unless substr($text, $from // 0) =~ $pattern;
	return length $text;
}

# elvisctl with these words, the command first: (exit status, output, errors)
sub ctl
{
	my ($self, @words) = @_;
	my ($out, $err);

	IPC::Run::run([ program('elvisctl'), $self->what, @words ],
		'<', \undef, '>', \$out, '2>', \$err);
	return ($? >> 8, $out, $err);
}

# The same where it has to succeed; returns the output
sub ctl_ok
{
	my ($self, @words) = @_;
	my ($status, $out, $err) = $self->ctl(@words);

	croak "elvisctl @words ended with $status: $err\n" . $self->log_text if $status != 0;
	return $out;
}

# Until what was committed at the sources before this call is at the targets
sub wait_caught_up
{
	my ($self) = @_;
	$self->ctl_ok('wait');
	return;
}

# No daemon outlives its test, whatever way the test ends.
END
{
	my $status = $?;

	for my $daemon (@running)
	{
		kill 'KILL', $daemon->{pid};
		waitpid $daemon->{pid}, 0;
	}
	$? = $status;
}

1;
