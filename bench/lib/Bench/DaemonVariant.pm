# A variant of which a daemon for each target delivers, and others run beside the source all
# along, also while a target is away.  Who inherits says daemon_of(TARGET), and in link sets
# `targets` and `beside_source`, a list of daemons.
package Bench::DaemonVariant;

use strict;
use warnings;
use parent 'Bench::Variant';

use Bench::Daemon;

sub delivers { return 1; }
sub has_daemon { return 1; }

# A daemon, its words beside those of the server
sub spawn
{
	my ($self, $server, @command) = @_;

	return Bench::Daemon->new("$server->{dir}/$command[0].log", @command);
}

sub start
{
	my ($self) = @_;

	$self->{delivering} = [ map { $self->daemon_of($_) } @{ $self->{targets} } ];
	return;
}

sub stop
{
	my ($self) = @_;

	$_->stop for @{ delete $self->{delivering} };
	return;
}

sub daemons
{
	my ($self) = @_;

	return map { $_->pids } @{ $self->{beside_source} }, @{ $self->{delivering} };
}

1;
