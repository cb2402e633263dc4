# A throw-away PostgreSQL: a copy of the template, on a Unix socket in its own directory.
package Bench::Server;

use strict;
use warnings;

use Bench::Cpu 'cpu_of_server';
use Bench::Session;
use Carp;

my %running;

# What every server of a run has in common.  Nothing is synced, nothing happens in the
# background that the measurement did not ask for.
my $common = <<'CONF';
listen_addresses = ''
fsync = off
autovacuum = off
jit = off
shared_buffers = 256MB
max_wal_size = 16GB
min_wal_size = 1GB
checkpoint_timeout = 1h
max_connections = 60
max_worker_processes = 24
max_logical_replication_workers = 16
max_wal_senders = 16
max_replication_slots = 16
log_min_messages = warning
log_checkpoints = off
cluster_name = 'bench'
CONF

# The directory that all others are copies of; $fill gets the server while it runs.
sub make_template
{
	my ($class, $place, $fill) = @_;
	my $dir = "$place->{work}/template";

	$place->run("$place->{bin}/initdb", '-D', $dir, '-U', 'bench', '-A', 'trust', '-N',
		'--no-locale', '-E', 'UTF8');
	append("$dir/postgresql.conf", $common);
	my $self = $class->adopt($place, 'template', $dir);
	$self->start;
	$fill->($self);
	$self->stop;
	$place->{template} = $dir;
	return;
}

# new(PLACE, NAME, MORE LINES FOR postgresql.conf): a running server
sub new
{
	my ($class, $place, $name, $conf) = @_;
	my $dir = "$place->{work}/$name";

	$place->run('cp', '-a', '--reflink=auto', $place->{template}, $dir);
	append("$dir/postgresql.conf", $conf // '');
	my $self = $class->adopt($place, $name, $dir);
	$self->start;
	return $self;
}

sub adopt
{
	my ($class, $place, $name, $dir) = @_;

	return bless { place => $place, name => $name, dir => $dir, sessions => {} },
		$class;
}

sub append
{
	my ($path, $text) = @_;

	open my $file, '>>', $path or croak "$path: $!";
	print $file "\n$text";
	close $file or croak "$path: $!";
	return;
}

sub start
{
	my ($self) = @_;
	my ($place, $dir) = @$self{qw(place dir)};

	$place->run("$place->{bin}/pg_ctl", '-D', $dir, '-l', "$dir/log", '-w', '-s',
		'-o', "-k $dir", 'start');
	open my $file, '<', "$dir/postmaster.pid" or croak "$dir/postmaster.pid: $!";
	chomp($self->{postmaster} = <$file>);
	$running{$dir} = $self;
	return;
}

sub stop
{
	my ($self) = @_;
	my ($place, $dir) = @$self{qw(place dir)};

	$_->close for values %{ $self->{sessions} };
	$self->{sessions} = {};
	delete $running{$dir};
	$place->run("$place->{bin}/pg_ctl", '-D', $dir, '-w', '-s', '-m', 'immediate',
		'stop');
	return;
}

# Stops it for good
sub remove
{
	my ($self) = @_;

	$self->stop;
	$self->{place}->run('rm', '-rf', $self->{dir});
	return;
}

sub stop_all { $_->stop for values %running; return; }
sub remove_all { $_->remove for values %running; return; }

sub conninfo { return "host=$_[0]->{dir} dbname=bench user=bench"; }

# Sessions are told apart by what they are for, so that a measured backend has done
# nothing else.
sub session
{
	my ($self, $purpose) = @_;
	my $psql = "$self->{place}->{bin}/psql";

	return $self->{sessions}->{ $purpose // 'control' } //=
		Bench::Session->new($psql, $self->conninfo);
}

sub sql { return $_[0]->session->query($_[1]); }
sub cpu { return cpu_of_server($_[0]->{postmaster}); }

# Backends of a kind ('client backend', 'logical replication worker', ...; a pattern as of
# LIKE), ours left out
sub backends
{
	my ($self, $type) = @_;
	my $ours = join ',', map { $_->{backend} } values %{ $self->{sessions} };

	$ours ||= 0;
	return split /\n/, $self->sql("select pid from pg_stat_activity " .
		"where backend_type like '$type' and pid not in ($ours)");
}

1;
