# Bucardo: triggers in PL/pgSQL note the keys of changed rows, a daemon in Perl copies these
# rows.  What it is told it keeps in a database of its own, here on a server of its own.
package bucardo;

use strict;
use warnings;
use parent 'Bench::Variant';

use Bench::Cpu 'descendants';
use Bench::Data qw(give_history_a_key tables_of);
use Bench::Server;
use Bench::Wait;

sub about
{
	return 'Bucardo, one sync kicked by each commit, its loops sleeping 10 ms; ' .
		'pgbench_history has a key for it';
}

sub delivers { return 1; }
sub has_daemon { return 1; }
sub packages { return ('bucardo', "postgresql-plperl-$_[0]->{place}->{major}"); }
sub missing { return $_[0]->{place}->lacks('bucardo', 'plperl.so'); }
sub version { chomp(my $version = `bucardo --no-bucardorc --version`); return $version; }

sub most_changes { return 200_000; }

sub control
{
	my ($self, @words) = @_;
	my $settings = "$self->{books}->{dir}/bucardorc";

	$self->{place}->run('bucardo', "--bucardorc=$settings", '--quiet', @words);
	return;
}

# The server for its books
sub install
{
	my ($self, $source) = @_;
	my $books = Bench::Server->new($self->{place}, "$source->{name}-books");
	my $dir = $self->{dir} = "$books->{dir}/bucardo";

	$self->{books} = $books;
	mkdir $_ or die "$_: $!" for $dir, "$dir/pid";
	open my $file, '>', "$books->{dir}/bucardorc" or die "$books->{dir}/bucardorc: $!";
	print $file "dbhost = $books->{dir}\nlogdest = $dir\n";
	close $file or die "$books->{dir}/bucardorc: $!";
	$self->control('install', '--batch', '--dbname=bench', '--dbuser=bench',
		"--pid-dir=$dir/pid");
	# a trigger of its own makes letters small, in paths too
	$self->{place}->run("$self->{place}->{bin}/psql", '-Xq', '-h', $books->{dir},
		'-U', 'bench', 'bucardo', '-c', 'set session_replication_role = replica; ' .
		'update bucardo.bucardo_config set setting = case name ' .
		"when 'piddir' then '$dir/pid' else '$dir/' || name end " .
		"where name in ('piddir', 'reason_file', 'warning_file', " .
		"'log_conflict_file')");
	return;
}

sub capture
{
	my ($self, $source, @targets) = @_;
	my @names = ('source', map { "target$_" } 1 .. @targets);

	give_history_a_key($source, @targets);
	$self->install($source);
	$self->control('set', map { "$_=0.01" }
		qw(mcp_loop_sleep ctl_sleep kid_sleep kid_nodeltarows_sleep));
	for my $i (0 .. $#names)
	{
		my $server = ($source, @targets)[$i];
		$self->control('add', 'db', $names[$i], 'dbname=bench', 'dbuser=bench',
			"dbhost=$server->{dir}");
	}
	$self->control('add', 'table', map({ "public.$_" } tables_of($source)), 'db=source',
		'relgroup=bench');
	$self->control('add', 'sync', 'bench', 'relgroup=bench', 'onetimecopy=0', 'dbs=' .
		join ',', map { $_ eq 'source' ? "$_:source" : "$_:target" } @names);
	return;
}

sub log_bytes
{
	return $_[1]->sql("select sum(pg_total_relation_size(oid)) from pg_class " .
		"where relnamespace = 'bucardo'::regnamespace and relkind = 'r' " .
		"and relname ~ '^(delta|track)_'");
}

sub link { my ($self, @nodes) = @_; $self->capture(@nodes); return; }

sub start
{
	my ($self) = @_;

	$self->control('start');
	wait_until('bucardo to begin', sub { $self->daemons });
	return;
}

sub stop
{
	my ($self) = @_;

	$self->control('stop');
	wait_until('bucardo to end', sub { !$self->daemons });
	return;
}

# It leaves us at its start, so it is known by what it writes down.
sub daemons
{
	my ($self) = @_;

	open my $file, '<', "$self->{dir}/pid/bucardo.mcp.pid" or return ();
	my ($pid) = (readline($file) // '') =~ /(\d+)/;
	return defined $pid && -e "/proc/$pid" ? descendants($pid) : ();
}

# A run that fails must not leave it behind.
sub DESTROY
{
	my ($self) = @_;

	return unless $self->{books};
	local ($?, $@);
	kill TERM => $self->daemons;
	eval { $self->{books}->remove };
	return;
}

1;
