# Londiste: triggers in C write events into PgQ, pgqd cuts them into batches, a worker for
# each target replays them.
package londiste;

use strict;
use warnings;
use parent 'Bench::DaemonVariant';

use Bench::Data qw(give_history_a_key tables_of);

sub about
{
	return 'Londiste, a tick of PgQ every 50 ms where there is something, the worker ' .
		'looking as often (loop_delay); pgbench_history has a key for it';
}

sub missing { return $_[0]->{place}->lacks('londiste', 'pgqd', 'pgq_triggers.so'); }
sub version { return Bench::Variant::extension_version($_[0]->{place}, 'londiste'); }

sub packages
{
	my ($self) = @_;
	my $prefix = "postgresql-$self->{place}->{major}";

	return (map({ "$prefix-$_" } qw(pgq3 pgq-node londiste-sql)),
		qw(python3-londiste pgqd));
}

# A batch is a target transaction; over hot rows a large one is dearer than in proportion.
sub most_changes { return 200_000; }

sub write_settings
{
	my ($path, $section, %setting) = @_;

	open my $file, '>', $path or die "$path: $!";
	print $file "[$section]\n", map { "$_ = $setting{$_}\n" } sort keys %setting;
	close $file or die "$path: $!";
	return $path;
}

sub settings_of { return "$_[0]->{dir}/londiste.ini"; }

sub control
{
	my ($self, $server, @words) = @_;

	$self->{place}->run('londiste', settings_of($server), @words);
	return;
}

# create-root or create-leaf; the tables hold the same rows already.
sub make_node
{
	my ($self, $server, $name, @provider) = @_;

	give_history_a_key($server);
	write_settings(settings_of($server), 'londiste', job_name => $name,
		db => $server->conninfo, queue_name => 'bench', loop_delay => 0.05,
		logfile => "$server->{dir}/worker.log",
		pidfile => "$server->{dir}/worker.pid");
	$self->control($server, @provider ? 'create-leaf' : 'create-root', $name,
		$server->conninfo, @provider);
	$self->control($server, 'add-table', map({ "public.$_" } tables_of($server)),
		@provider ? '--expect-sync' : ());
	return;
}

sub capture { my ($self, $source) = @_; $self->make_node($source, 'source'); return; }

sub log_bytes
{
	return $_[1]->sql("select sum(pg_total_relation_size(oid)) from pg_class " .
		"where relnamespace = 'pgq'::regnamespace and relkind = 'r' " .
		"and relname ~ '^event_[0-9]'");
}

# The source's ticker and worker run all along, as they do while a target is away.
sub link
{
	my ($self, $source, @targets) = @_;
	my $i = 0;

	$self->make_node($source, 'source');
	$source->sql("select pgq.set_queue_config('bench', '$_', '50 ms')")
		for qw(ticker_max_lag ticker_idle_period);
	$self->{beside_source} = [ $self->ticker($source), $self->daemon_of($source) ];
	for my $target (@targets)
	{
		$self->make_node($target, 'target' . ++$i, '--provider=' . $source->conninfo);
	}
	$self->{targets} = \@targets;
	return;
}

sub ticker
{
	my ($self, $server) = @_;
	my $settings = write_settings("$server->{dir}/pgqd.ini", 'pgqd',
		base_connstr => "host=$server->{dir} user=bench", database_list => 'bench',
		initial_database => 'bench', ticker_period => 0.05,
		logfile => "$server->{dir}/ticker.log", pidfile => "$server->{dir}/pgqd.pid");

	return $self->spawn($server, 'pgqd', $settings);
}

sub daemon_of
{
	my ($self, $server) = @_;

	return $self->spawn($server, 'londiste', settings_of($server), 'worker');
}

1;
