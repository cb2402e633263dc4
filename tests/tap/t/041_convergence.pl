# What policies say about convergence: several nodes write the same rows while the links
# between them rest, and end alike when these have caught up.  ELVIS_SEED=N repeats a run.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $seed = $ENV{ELVIS_SEED} // int(rand(1_000_000));
srand($seed);
note "ELVIS_SEED=$seed";

my $rounds = $ENV{ELVIS_LONG} ? 40 : 5;
my $statements = 40;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $nice = Elvis::Node->new('nice', beside => $paris);
my @nodes = ($paris, $lyon, $nice);

for my $node (@nodes)
{
	# anybody writes them, newest counts
	$node->sql('create table newest (id int primary key, v text, ver int, doc text)');
	$node->sql('alter table newest alter doc set storage external');
	# all there will be: an UPDATE that comes before the INSERT of a third node stops its link
	$node->sql("insert into newest select i, 'first', 1 from generate_series(1, 12) i");
}
for my $node ($paris, $lyon)
{
	# two nodes write these, and delete, and never use a key again
	$node->sql('create table passing (id int primary key, v text, ver int)');
	# two nodes count
	$node->sql('create table counted (id int primary key, n bigint, m numeric(12,2))');
	$node->sql('insert into counted select i, 0, 0 from generate_series(1, 4) i');
	# two nodes write different columns
	$node->sql('create table wide (id int primary key, a text, b text, c text)');
	$node->sql("insert into wide select i, '-', '-', '-' from generate_series(1, 4) i");
}

my @pairs = map { my $from = $_; map { [ $from, $_ ] } grep { $_ != $from } @nodes } @nodes;

sub link_of
{
	my ($from, $to) = map { $_->name } @{ $_[0] };
	my $two = $from eq 'nice' || $to eq 'nice' ? '' : <<'CONF';
		{ match = "public.passing";
		  policy = ( { use = "last_writer_wins"; column = "ver"; }, "delete_wins" ); },
		{ match = "public.counted";
		  policy = { use = "delta"; columns = [ "n", "m" ]; }; },
		{ match = "public.wide"; policy = "merge_columns"; },
CONF

	return <<"CONF";
	{ name = "${from}_$to"; from = "$from"; to = "$to"; forward = "local";
	  tables = ( $two
		{ match = "public.newest";
		  policy = { use = "last_writer_wins"; column = "ver"; }; } ); },
CONF
}

my $places = join ",\n", map {
	sprintf '{ name = "%s"; id = %d; conninfo = "@conninfo %s@"; }', $_->name, $_->id, $_->name
} @nodes;
my $links = join '', map { link_of($_) } @pairs;
my $daemon = Elvis::Daemon->new('mesh', nodes => \@nodes,
	config => "nodes = ( $places );\nlinks = (\n$links);\nretry_max = \"300 ms\";\n");

$daemon->ctl_ok('apply', '--adopt');
is(($daemon->ctl('check'))[0], 0, 'check finds nothing against it');
$daemon->start;

# ---- what a node may do in a round ----

my $last_key = 0;
my ($added, $added_cents) = (0, 0);

sub newest
{
	my ($node) = @_;
	my $id = 1 + int rand 12;
	my $by = 1 + int rand 2;	# small steps, so that versions are often equal
	my $v = $node->name . int rand 1000;

	# who changes the document, and who leaves a large one as it is
	return "update newest set doc = repeat('$v', 800), ver = ver + $by where id = $id"
	  if rand() < 0.3;
	return "insert into newest values ($id, '$v', 1) on conflict (id) do update "
	  . "set v = excluded.v, ver = newest.ver + $by";
}

sub passing
{
	my ($node) = @_;
	my $any = 'id = (select id from passing order by random() limit 1)';

	return 'insert into passing values (' . ++$last_key . ", '" . $node->name . "', 1)"
	  if rand() < 0.4;
	return "delete from passing where $any" if rand() < 0.4;
	return "update passing set v = '" . $node->name . int(rand 1000)
	  . "', ver = ver + 1 + (random() < 0.5)::int where $any";
}

sub counted
{
	my ($id, $n, $m) = (1 + int(rand 4), int(rand 100) - 40, int(rand 1000) - 400);

	$added += $n;
	$added_cents += $m;
	return "update counted set n = n + $n, m = m + $m / 100.0 where id = $id";
}

sub wide
{
	my ($node) = @_;
	my $column = $node == $paris ? 'a' : 'b';

	return sprintf "update wide set %s = '%d' where id = %d", $column, int(rand 1000),
	  1 + int rand 4;
}

sub statement
{
	my ($node) = @_;
	my @kinds = $node == $nice ? (\&newest) : (\&newest, \&passing, \&counted, \&wide);

	return $kinds[ int rand @kinds ]->($node);
}

# ---- rounds ----

my @names = map { $_->[0]->name . '_' . $_->[1]->name } @pairs;

for my $round (1 .. $rounds)
{
	# a link that rests delivers nothing, so that nodes write without knowing of each other
	$daemon->ctl_ok('pause', $_) for grep { rand() < 0.8 } @names;
	for my $part (1 .. 2)
	{
		for my $node (@nodes)
		{
			$node->sql(join ';', map { statement($node) } 1 .. $statements / 2);
		}
	}
	$daemon->ctl_ok('resume', $_) for @names;
	$daemon->wait_caught_up;
}

sub conflicts
{
	my ($table, @at) = @_;
	my $n = 0;

	$n += $_->sql("select count(*) from elvis.resolution where table_name = '$table'") for @at;
	return $n;
}

ok(same_rows('newest', @nodes), 'last_writer_wins: three nodes are alike');
ok(same_rows('passing', $paris, $lyon), 'with delete_wins: two nodes that delete are alike');
ok(same_rows('counted', $paris, $lyon), 'delta: two nodes are alike');
ok(same_rows('wide', $paris, $lyon), 'merge_columns: two nodes are alike');
is($paris->sql('select sum(n), sum(m) from counted'),
	sprintf('%d|%.2f', $added, $added_cents / 100), 'and nothing was counted twice or not at all');

for my $table (qw(newest passing counted wide))
{
	cmp_ok(conflicts($table, @nodes), '>', 0, "$table had conflicts to settle");
}
is($daemon->stop, 0, 'it ends well');

if (!Test::More->builder->is_passing)
{
	for my $table (qw(newest passing counted wide))
	{
		for my $node ($table eq 'newest' ? @nodes : ($paris, $lyon))
		{
			diag($table, ' at ', $node->name, "\n",
				$node->sql("select * from $table order by id"));
		}
	}
}
done_testing();
