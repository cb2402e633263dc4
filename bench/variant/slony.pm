# Slony-I: triggers in C write a log, a slon for each node carries it.
package slony;

use strict;
use warnings;
use parent 'Bench::DaemonVariant';

use Bench::Data qw(give_history_a_key tables_of);
use Bench::Wait;

sub about
{
	return 'Slony-I; looks for something to sync every 50 ms (slon -s) and takes up to ' .
		'200 syncs at once (-g); pgbench_history has a key for it';
}

sub packages { return ('slony1-2-bin', "postgresql-$_[0]->{place}->{major}-slony1-2"); }
sub missing { return $_[0]->{place}->lacks('slon', 'slonik', 'slony1_funcs.*.so'); }
sub version { chomp(my $version = `slon -v`); return $version; }

# Its groups of syncs are target transactions over hot rows, dearer than in proportion.
sub most_changes { return 200_000; }

sub slonik
{
	my ($self, $nodes, @commands) = @_;
	my $script = "$nodes->[0]->{dir}/slonik";
	my $i = 0;

	open my $file, '>', $script or die "$script: $!";
	print $file "cluster name = bench;\n",
		map({ ++$i; "node $i admin conninfo = '" . $_->conninfo . "';\n" } @$nodes),
		map { "$_;\n" } @commands;
	close $file or die "$script: $!";
	$self->{place}->run('slonik', $script);
	return;
}

# It captures from then on, with or without subscribers.
sub capture
{
	my ($self, $source) = @_;
	my $i = 0;

	give_history_a_key($source);
	$self->slonik([$source], "init cluster (id = 1, comment = 'source')",
		"create set (id = 1, origin = 1, comment = 'all')",
		map { $i++; "set add table (set id = 1, origin = 1, id = $i, " .
			"fully qualified name = 'public.$_')" } tables_of($source));
	return;
}

sub log_bytes
{
	return $_[1]->sql("select pg_total_relation_size('_bench.sl_log_1') + " .
		"pg_total_relation_size('_bench.sl_log_2')");
}

# The source's slon cuts the stream all along, as it does while a target is away.
sub link
{
	my ($self, $source, @targets) = @_;
	my @nodes = ($source);

	$self->capture($source);
	give_history_a_key(@targets);
	$self->{targets} = \@targets;
	$self->{beside_source} = [ $self->daemon_of($source) ];
	for my $target (@targets)
	{
		push @nodes, $target;
		$self->add_target(@nodes);
	}
	$self->stop;
	return;
}

# The last of the nodes.  All before it have to run, because slonik waits until they know.
sub add_target
{
	my ($self, @nodes) = @_;
	my $i = @nodes;

	$self->slonik(\@nodes, "store node (id = $i, comment = 'target', event node = 1)",
		map { my ($server, $client) = @$_;
			"store path (server = $server, client = $client, conninfo = '" .
				$nodes[$server - 1]->conninfo . "')" } [ 1, $i ], [ $i, 1 ]);
	push @{ $self->{delivering} }, $self->daemon_of($nodes[-1]);
	$self->slonik(\@nodes, "subscribe set (id = 1, provider = 1, receiver = $i, " .
		"forward = no, omit copy = yes)");
	wait_until('the subscription', sub { $nodes[-1]->sql("select count(*) " .
		"from _bench.sl_subscribe where sub_receiver = $i and sub_active") }, 0.1);
	return;
}

sub daemon_of
{
	my ($self, $server) = @_;

	return $self->spawn($server, 'slon', '-s', 50, '-t', 1000, '-g', 200,
		'bench', $server->conninfo);
}

1;
