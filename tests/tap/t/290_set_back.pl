# Databases that were restored, cloned or replaced: the link stops, nothing is passed over or
# repeated unasked, and there is a way on from each.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use PostgreSQL::Test::Utils ();
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon');
my @both = ($paris, $lyon);
my $conf = links_conf(\@both, [ 'paris', 'lyon' ]) . 'retry_max = "300 ms";';
my $daemon = Elvis::Daemon->new('paris_lyon', nodes => \@both, config => $conf);
my $state = 'select state from elvis.subscriber';
my $reason = 'select reason from elvis.subscriber';

# The whole server, as it is now
sub keep
{
	my ($node) = @_;
	my $kept = PostgreSQL::Test::Utils::tempdir() . '/' . $node->name;

	$node->stop;
	system('cp', '-a', $node->cluster->data_dir, $kept) == 0 or die "cp: $!";
	$node->start;
	return $kept;
}

sub set_back
{
	my ($node, $kept) = @_;
	my $dir = $node->cluster->data_dir;

	$node->stop('immediate');
	system('rm', '-rf', $dir) == 0 && system('cp', '-a', $kept, $dir) == 0 or die "cp: $!";
	$node->start;
	return;
}

my $written = 0;

sub write_some
{
	my ($rows) = @_;

	$paris->sql(join '', map { $written++;
		"insert into t values ($written, '$written'); update t set n = n + 1 where id % 5 = 0;\n" }
		  1 .. $rows);
	return;
}

sub begin_anew
{
	$daemon->ctl_ok('forget', 'paris_lyon');
	$lyon->sql('set session_replication_role = replica; truncate t');
	$daemon->ctl_ok('copy', 'paris_lyon');
	$daemon->wait_caught_up;
	ok(same_rows('t', @both), 'forgotten and copied again, it is the same');
	return;
}

$_->sql('create table t (id int primary key, v text, n int default 0)') for @both;
$daemon->ctl_ok('apply');
$daemon->start;
write_some(20);
$daemon->wait_caught_up;

# ---- the source goes back ----

for my $running (0, 1)
{
	my $when = $running ? 'under a running daemon' : 'without one';
	my $kept = keep($paris);

	write_some(20);
	$daemon->wait_caught_up;
	$daemon->stop unless $running;
	my $before = checksum($lyon, 't');
	set_back($paris, $kept);
	# as many snapshots as it had, and other changes under the same numbers
	for (1 .. 30) { write_some(1); $paris->sql('select elvis.take_snapshot()'); }
	$daemon->start unless $running;

	ok($paris->poll("select ($state) = 'stopped'"), "a source restored $when: the link stops");
	ok($paris->sql($reason) ne '', 'with a reason');
	is(checksum($lyon, 't'), $before, 'the target keeps what it had');
	$daemon->ctl_ok('resume', 'paris_lyon');
	ok($paris->poll("select ($state) = 'stopped'"), 'it does not go on for being told to');
	is(checksum($lyon, 't'), $before, 'and does nothing to the target');
	begin_anew();
}

# what a running daemon knows of a shape is not that of another one with its number
{
	my $kept = keep($paris);

	$_->sql('alter table t add a text') for @both;
	$paris->sql("update t set a = 'a' where id < 10");
	$daemon->wait_caught_up;
	set_back($paris, $kept);
	$lyon->sql('alter table t drop a');
	$_->sql('alter table t add b int') for @both;
	for (1 .. 30) { write_some(1); $paris->sql('select elvis.take_snapshot()'); }
	ok($paris->poll("select ($state) = 'stopped'"), 'set back behind a change of the shape');
	begin_anew();
	$paris->sql('update t set b = id where id < 10');
	$daemon->wait_caught_up;
	ok(same_rows('t', @both), 'the new shape is taken for what it is');
}

# ---- the target goes back ----

for my $running (0, 1)
{
	my $when = $running ? 'under a running daemon' : 'without one';
	my $kept = keep($lyon);

	$daemon->wait_caught_up;
	write_some(20);
	$daemon->wait_caught_up;
	# until the source knows that it was there
	$paris->poll('select confirmed_id = (select max(id) from elvis.snapshots()) '
		  . 'from elvis.subscriber') or die;
	$daemon->stop unless $running;
	set_back($lyon, $kept);
	my $before = checksum($lyon, 't');
	write_some(1);
	$daemon->start unless $running;

	ok($paris->poll("select ($state) = 'stopped'"), "a target restored $when: the link stops");
	is(checksum($lyon, 't'), $before, 'and does nothing to it');
	$daemon->ctl_ok('resume', 'paris_lyon');
	$daemon->wait_caught_up;
	ok(same_rows('t', @both), 'told to, it repeats what the target has lost');
	is($lyon->sql('select count(*) from elvis.resolution'), 0, 'and nothing else');
	write_some(3);
	$daemon->wait_caught_up;
	ok(same_rows('t', @both), 'and goes on');
}

# and so far back that the source has thrown away what it would need
{
	my $kept = keep($lyon);

	$paris->cluster->append_conf('postgresql.conf',
		"elvis.segment_size = '1MB'\nelvis.keep_confirmed = '0'\n");
	$paris->cluster->reload;
	my $oldest = $paris->sql('select min(n) from elvis.segment where dropped_at is null');
	for (1 .. 20)
	{
		$paris->sql("update t set v = (select string_agg(md5(random()::text), '') "
			  . 'from generate_series(1, 50000)) where id = 1');
		$daemon->wait_caught_up;
		$paris->poll('select confirmed_id = (select max(id) from elvis.snapshots()) '
			  . 'from elvis.subscriber');
		$paris->sql('select elvis.upkeep()');
		last if $paris->sql('select count(*) from elvis.segment where dropped_at is null and '
			  . "n <= $oldest") == 0;
	}
	is($paris->sql("select count(*) from elvis.segment where dropped_at is null and n <= $oldest"),
		0, 'a part of the log is gone');
	set_back($lyon, $kept);
	my $before = checksum($lyon, 't');
	write_some(1);

	ok($paris->poll("select ($state) = 'stopped'"), 'a target restored from too old a copy');
	$daemon->ctl_ok('resume', 'paris_lyon');
	ok($paris->poll("select ($state) = 'stopped'"), 'is not given what there is');
	is(checksum($lyon, 't'), $before, 'and nothing is done to it');
	begin_anew();
}

# ---- clones ----

$daemon->stop;
$paris->cluster->safe_psql('postgres', 'create database twin template paris');
$lyon->cluster->safe_psql('postgres', 'create database twin template lyon');

sub twin_of
{
	my ($node, %which) = @_;
	my $text = $conf;

	for my $other (@both)
	{
		my ($name, $conninfo) = ($other->name, $other->conninfo);
		$conninfo = $other->cluster->connstr('twin') if $other == $node;
		$text =~ s/\@conninfo $name\@/$conninfo/;
	}
	$text =~ s/name = "(\w+)"; id = $which{id};/name = "$1"; id = $which{new};/ if %which;
	return Elvis::Daemon->new('twin_' . $node->name, config => $text);
}

for my $node (@both)
{
	my $twin = twin_of($node);
	my $before = checksum($lyon, 't');
	my ($status) = $twin->ctl('apply');

	isnt($status, 0, 'a clone of ' . $node->name . ' is not set up as if it were that');
	$twin->start;
	write_some(1);
	my $said = $twin->wait_for_log(qr/copy of node/);
	is(checksum($lyon, 't'), $before, 'and no daemon works with it');
	is($node->cluster->safe_psql('twin', 'select genuine from elvis.node_state()'), 'f',
		'it knows that it is one');
	$twin->stop;
}
$paris->sql("update elvis.subscriber set state = 'running', reason = null");
$daemon->start;
$daemon->wait_caught_up;
ok(same_rows('t', @both), 'nothing of that has changed the link between the real ones');

# the clone becomes a node of its own, and the original goes on
my $adopted = twin_of($paris, id => 1, new => 7);
$adopted->ctl_ok('adopt-node', 'paris');
is($paris->cluster->safe_psql('twin', 'select id || $$ $$ || genuine from elvis.node_state(), '
	  . 'elvis.subscriber right join (select) x on true'), '7 true', 'a clone may be adopted');
$paris->cluster->safe_psql('twin', 'insert into t values (-1)');

# a clone that takes the place of its original
my $moved = twin_of($lyon);
$daemon->wait_caught_up;
$daemon->stop;
$lyon->cluster->safe_psql('postgres', 'drop database twin');
$lyon->cluster->safe_psql('postgres', 'create database twin template lyon');
write_some(5);
$moved->ctl_ok('same-node', 'lyon');
$moved->start;
$moved->wait_caught_up;
is($lyon->cluster->safe_psql('twin', 'select count(*) from t'), $paris->sql('select count(*) from t'),
	'a copy of the target that takes its place goes on');
$moved->stop;

# ---- another source in the place of the one there was ----

$paris->cluster->safe_psql('postgres', 'drop database paris');
$paris->cluster->safe_psql('postgres', 'create database paris');
$paris->sql('create extension elvis; create table t (id int primary key, v text, n int default 0)');
my $before = checksum($lyon, 't');
my ($status) = $daemon->ctl('apply', '--adopt');
isnt($status, 0, 'another source in the place of the one there was is no start from now');
$paris->sql("insert into t values (-2, 'another')");
my $from = length $daemon->log_text;
$daemon->start;
$daemon->wait_for_log(qr/(warning|error) +link paris_lyon/, $from);
is(checksum($lyon, 't'), $before, 'and none of its changes is applied');

done_testing();
