# Rows that are inserted together enter a btree together where their keys grow, and one by one
# where they do not.  Whichever way, the index is as the server makes it: amcheck compares it with
# the table, a unique one finds what is there already, and recovery from the WAL, which compares
# every page it makes with the page as it was, ends at the same.
use strict;
use warnings;

use Elvis::Link;
use Elvis::Node;
use Elvis::Util;
use PostgreSQL::Test::Utils 'slurp_file';
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', conf => "wal_consistency_checking = 'all'\nautovacuum = off\n");
my $link = Elvis::Link->new($paris, $lyon)->start;

$lyon->sql('create extension amcheck');

my @tables;

# A table on both sides, and its indexes
sub table
{
	my ($name, $columns, @indexes) = @_;

	push @tables, $name;
	for my $node ($paris, $lyon)
	{
		$node->sql("create table $name ($columns)");
		$node->sql("create $_") for @indexes;
	}
	$paris->attach($name, 'master');
	return;
}

sub deliver
{
	my ($what) = @_;
	my $told = $link->step;

	is($told->{state}, 'd', $what) or diag explain $told;
	ok(same_rows($_, $paris, $lyon), "$what: $_ is the same") for @tables;
	sound($what);
	return;
}

sub sound
{
	my ($what) = @_;

	for my $index (split /\n/, $lyon->sql(q(select i.indexrelid::regclass
		from pg_index i join pg_class c on c.oid = i.indexrelid
		join pg_am a on a.oid = c.relam
		where c.relnamespace = 'public'::regnamespace and a.amname = 'btree')))
	{
		my ($status, undef, $error) =
			$lyon->try_sql("select bt_index_parent_check('$index', true, true)");
		is($status, 0, "$what: $index is sound") or diag $error;
	}
	return;
}

# How many pages have changed other than by the server's own hand
sub appended
{
	my ($work) = @_;
	my $from = $lyon->sql('select pg_current_wal_insert_lsn()');
	$work->();
	my $to = $lyon->sql('select pg_switch_wal()');
	my $dir = $lyon->cluster->data_dir . '/pg_wal';
	my ($out, $error) = ('', '');

	IPC::Run::run([ 'pg_waldump', '-p', $dir, '-s', $from, '-e', $to, '-r', 'Generic' ],
		'>', \$out, '2>', \$error) or diag $error;
	return scalar(() = $out =~ /^rmgr: Generic/mg);
}

# ---- each kind of key ----
table('plain', 'id int primary key, v int');
table('moment', 'id int primary key, at timestamp, k int', 'index on moment (at)', 'index on moment (k)');
table('falling', 'id int primary key, v text', 'unique index on falling (id desc)');
table('two', 'a int, b text, c int, primary key (a, b) include (c)');
table('maybe', 'id int primary key, v int', 'unique index on maybe (v)',
	'index on maybe (v desc nulls last, id)');
table('words', 'w text primary key, n name', 'index on words (n)', 'index on words (w) include (n)');
table('large', 'id int primary key, w text', 'index on large (w)');
table('hashed', 'id int primary key, v int', 'index on hashed using hash (v)');

sub fill
{
	my ($from, $to) = @_;

	$paris->sql("insert into plain select g, g from generate_series($from, $to) g");
	$paris->sql("insert into moment select g, '2026-01-01'::timestamp + g / 100 * interval '1 s', "
		. "g * 7919 % 10007 from generate_series($from, $to) g");
	$paris->sql("insert into falling select -g, g from generate_series($from, $to) g");
	$paris->sql("insert into two select g / 7, lpad(g::text, 10), g from generate_series($from, $to) g");
	$paris->sql("insert into maybe select g, case when g % 50 <> 0 then g end "
		. "from generate_series($from, $to) g");
	$paris->sql("insert into words select lpad(g::text, 10, '0') || repeat('x', g % 40), "
		. "lpad(g::text, 10, '0') from generate_series($from, $to) g");
	$paris->sql("insert into large select g, lpad(g::text, 8, '0') || "
		. "(select string_agg(md5(g::text || i), '') from generate_series(1, g % 60) i) "
		. "from generate_series($from, $to) g");
	$paris->sql("insert into hashed select g, g from generate_series($from, $to) g");
	return;
}

fill(1, 3000);
cmp_ok(appended(sub { deliver('empty indexes') }), '>', 50, 'pages were filled by many entries at a time');
fill(3001, 3400);
deliver('indexes with something in them');

# ---- none that grow ----
$paris->sql('insert into plain select -g * 7919 % 100003, g from generate_series(1, 2000) g');
$paris->sql('insert into plain select case when g % 2 = 0 then 200000 + g else 100000 + g end, g ' .
	'from generate_series(1, 2000) g');
deliver('keys in no order, and two orders at once');
$paris->sql('delete from plain where id > 3000; delete from moment; delete from falling');
deliver('the last leaves have entries of deleted rows');
fill(5001, 6000);
deliver('which are passed');
$lyon->sql('vacuum');
$paris->sql('delete from two');
deliver('and gone');
$lyon->sql('vacuum');
fill(7001, 7400);
deliver('which leaves them empty');

# ---- what is there already ----
$lyon->sql('insert into plain values (9100, 0)');
$paris->sql('insert into plain select g, g from generate_series(9001, 9200) g');
my $told = $link->step;
is($told->{state}, 'a', 'a key in the midst of a run is a conflict');
is($lyon->sql('select count(*) from plain where id between 9001 and 9200'), 1, 'which leaves nothing');
$lyon->sql('delete from plain where id = 9100');
deliver('and all without it');
$lyon->sql('insert into maybe values (0, 9350)');
$paris->sql('insert into maybe select g, g from generate_series(9301, 9400) g');
is($link->step->{state}, 'a', 'one of another unique index as well');
$lyon->sql('delete from maybe where id = 0');
deliver('until it is gone');

# ---- and after a crash ----
$lyon->kill9;
$lyon->start;
ok(same_rows($_, $paris, $lyon), "recovery makes the same: $_") for @tables;
sound('with its indexes');
unlike(slurp_file($lyon->cluster->logfile), qr/inconsistent page|FATAL/, 'page by page');

done_testing();
