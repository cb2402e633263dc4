# A node: a database with the extension, on a server of its own or beside another node.
#
#	my $paris = Elvis::Node->new('paris', id => 1);
#	my $lyon = Elvis::Node->new('lyon', id => 2, beside => $paris);
#
# Options: id; beside => the node whose server to share (quicker, but then they stop
# together); fsync => 1 for tests of what survives; conf => lines for postgresql.conf;
# bare => 1 for a database without the extension; encoding => another than UTF8.
#
# Servers listen on Unix sockets only and end with the test.
package Elvis::Node;

use strict;
use warnings;

use Carp;
use Elvis::Util;
use PostgreSQL::Test::Cluster;

my $last_id = 0;

sub new
{
	my ($class, $name, %option) = @_;
	my $beside = $option{beside};
	my $cluster = $beside ? $beside->{cluster} : new_cluster($name, %option);
	my $id = $option{id} // $last_id + 1;
	my $self = bless { name => $name, id => $id, cluster => $cluster }, $class;

	$last_id = $id if $id > $last_id;
	my $encoding = $option{encoding} // 'UTF8';

	$cluster->safe_psql('postgres',
		"create database $name template template0 encoding '$encoding'");
	if (!$option{bare})
	{
		$self->sql("create extension elvis");
		$self->sql("select elvis.setup_node($id, '$name')");
	}
	return $self;
}

sub new_cluster
{
	my ($name, %option) = @_;
	my $cluster = PostgreSQL::Test::Cluster->new($name);

	$cluster->init(extra => [ '--no-locale', '--encoding=UTF8' ]);
	$cluster->append_conf('postgresql.conf', <<"CONF");
max_connections = 40
max_prepared_transactions = 10
log_min_messages = warning
log_statement = none
CONF
	$cluster->append_conf('postgresql.conf', "fsync = on\n") if $option{fsync};
	$cluster->append_conf('postgresql.conf', $option{conf}) if $option{conf};
	$cluster->start;
	return $cluster;
}

sub name { return $_[0]->{name}; }
sub id { return $_[0]->{id}; }
sub cluster { return $_[0]->{cluster}; }
sub conninfo { return $_[0]->{cluster}->connstr($_[0]->{name}); }

# The answer to a statement, as psql -At prints it; dies when it fails.
sub sql
{
	my ($self, $sql) = @_;

	return $self->{cluster}->safe_psql($self->{name}, $sql);
}

# For statements that may fail: (exit status of psql, output, errors)
sub try_sql
{
	my ($self, $sql) = @_;
	my ($out, $err) = ('', '');
	my $status = $self->{cluster}->psql($self->{name}, $sql,
		stdout => \$out, stderr => \$err, on_error_stop => 1);

	return ($status, $out, $err);
}

# True once the query says t
sub poll
{
	my ($self, $query) = @_;

	return $self->{cluster}->poll_query_until($self->{name}, $query);
}

sub attach
{
	my ($self, $table, $role) = @_;

	$self->sql("select elvis.attach('$table', '$role')");
	return;
}

# The server, and with it every node beside
sub start
{
	my ($self) = @_;

	# What a killed server leaves behind takes a moment to go away.  A start that failed
	# over it leaves the dead server's pid with the cluster, who then thinks it runs.
	poll_until {
		$self->{cluster}->{_pid} = undef;
		$self->{cluster}->start(fail_ok => 1)
	} 30 or croak "the server of $self->{name} does not start";
	return;
}

sub stop { $_[0]->{cluster}->stop($_[1] // 'fast'); return; }
sub restart { $_[0]->{cluster}->restart; return; }

sub kill9
{
	my ($self) = @_;
	my $pid = $self->{cluster}->{_pid};

	$self->{cluster}->kill9;
	poll_until { !kill 0, $pid } 30 or croak "the server of $self->{name} does not die";
	return;
}

1;
