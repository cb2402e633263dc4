# Rows that are inserted together enter a btree together where their keys grow, and one by one
# where they do not.  Whichever way, the index is as the server makes it: amcheck compares it with
# the table, a unique one finds what is there already, and recovery from the WAL, which compares
# every page of an index that it makes with the page as it was, ends at the same.
use strict;
use warnings;

use Elvis::Link;
use Elvis::Node;
use Elvis::Util;
use PostgreSQL::Test::Utils 'slurp_file';
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', conf => "wal_consistency_checking = 'btree'\nautovacuum = off\n");
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
	same($what);
	sound($what);
	return;
}

sub same
{
	my ($what) = @_;

	is(join(' ', grep { !same_rows($_, $paris, $lyon) } @tables), '', "$what: the same rows");
	return;
}

sub sound
{
	my ($what) = @_;

	my ($status, undef, $error) = $lyon->try_sql(<<'SQL');
select bt_index_parent_check(i.indexrelid, true, true)
from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
where c.relnamespace = 'public'::regnamespace and a.amname = 'btree'
SQL

	is($status, 0, "$what: sound indexes") or diag $error;
	return;
}

# How often many entries were put into a page at once
sub many_at_once
{
	my ($work) = @_;
	my $from = $lyon->sql('select pg_current_wal_insert_lsn()');
	$work->();
	my $to = $lyon->sql('select pg_switch_wal()');
	my $dir = $lyon->cluster->data_dir . '/pg_wal';
	my ($out, $error) = ('', '');

	IPC::Run::run([ 'pg_waldump', '-p', $dir, '-s', $from, '-e', $to, '-r', 'XLOG' ],
		'>', \$out, '2>', \$error) or diag $error;
	return scalar(() = $out =~ /desc: FPI *;? /g);
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
table('tenants', 'tenant int, n int, v int, primary key (tenant, n)', 'index on tenants (tenant)',
	'index on tenants (v desc, n)');
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
	$paris->sql("insert into tenants select t, g, g % 3 from generate_series(1, 7) t, "
		. "generate_series($from, $to) g where (t + g / 10) % 2 = 0");
	$paris->sql("insert into hashed select g, g from generate_series($from, $to) g");
	return;
}

fill(1, 3000);
cmp_ok(many_at_once(sub { deliver('empty indexes') }), '>', 50, 'many entries were put into a page at once');
fill(3001, 3400);
deliver('indexes with something in them');
$paris->sql('insert into tenants select t, g, g % 3 from generate_series(1, 7) t, ' .
	'generate_series(1, 3400) g where (t + g / 10) % 2 = 1');
deliver('the gaps between them');

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

# dead entries of a key fill several leaves, and the living one is in the first of them
$_->sql('create table spread (id int primary key, v int, w text); create index on spread (v)') for $paris, $lyon;
$paris->attach('spread', 'master');
$lyon->sql(q(insert into spread select 10 * g, 0, repeat('x', 100) from generate_series(1, 300) g));
$lyon->sql('do $$ begin for i in 1 .. 3000 loop update spread set v = v + 1 where id = 3000; end loop; end $$');
$lyon->sql('delete from spread where id between 10 and 200');
$lyon->sql('vacuum (index_cleanup off) spread');
$lyon->sql('begin; delete from spread where id = 3000; insert into spread values (3000, -1); commit');
$lyon->sql('vacuum spread');
$lyon->sql(q(insert into spread select -g, 0, repeat('x', 100) from generate_series(1, 2000) g));
$paris->sql(q(insert into spread select g, 7, repeat('y', 300) from generate_series(3000, 3009) g));
is($link->step->{state}, 'a', 'a key that is in an earlier leaf than its next entry would be in');
$lyon->sql('delete from spread where id = 3000');
deliver('once it is gone');

# what is equal and looks otherwise
$_->sql("create collation alike (provider = icu, locale = 'und-u-ks-level2', deterministic = false)")
	for $paris, $lyon;
for my $case (
	[ 'n_numeric', 'n numeric', 'n desc', '(0, 5.000)', '100.0 - g' ],
	[ 'n_float8', 'n float8', 'n', q{(0, '-0')}, 'g - 20.0' ],
	[ 'n_text', 'n text collate alike', 'n', q{(0, 'A15')}, q{'a' || g} ])
{
	my ($table, $column, $key, $there, $comes) = @$case;

	$_->sql("create table $table (id int primary key, $column); create unique index on $table ($key)")
		for $paris, $lyon;
	$paris->attach($table, 'master');
	$lyon->sql("insert into $table values $there");
	$paris->sql("insert into $table select g, $comes from generate_series(10, 120) g");
	is($link->step->{state}, 'a', "$column: what is equal is in the way");
	$lyon->sql("truncate $table");
	deliver("$column: until it is gone");
}

# ---- what is wrong is found when the rows that waited go in ----
table('few', 'id int primary key, v int, w text');
table('many', 'id int primary key, v int, w text');
$lyon->sql('create domain small as int check (value < 150); alter table many alter v type small; ' .
	'alter table many add more int not null default 7');
$paris->sql(q(do $$ begin for i in 1 .. 200 loop insert into many values (i, i, repeat('m', i * 40)); ) .
	'if i % 7 = 0 then insert into few values (i, i, null); end if; end loop; end $$');
$told = $link->step;
is($told->{state}, 'a', 'a value that is refused in the midst of many');
is($lyon->sql('select (select count(*) from many) + (select count(*) from few)'), 0, 'which leaves nothing');
$lyon->sql('alter domain small drop constraint small_check');
is($link->step->{state}, 'd', 'until it is not');
is($lyon->sql('select count(*), sum(v), sum(length(w)), min(more) from many'),
	$paris->sql('select count(*), sum(v), sum(length(w)), 7 from many'), 'many rows, each with a default');
ok(same_rows('few', $paris, $lyon), 'and few among them');
@tables = grep { $_ ne 'many' } @tables;

# what is another value at each look is looked at in the order of the changes
$_->sql('create table red (id int primary key); create table blue (id int primary key)') for $paris, $lyon;
$paris->attach($_, 'master') for qw(red blue);
$lyon->sql("create sequence arrivals; alter table red add n bigint default nextval('arrivals'); " .
	"alter table blue add n bigint default nextval('arrivals')");
$paris->sql('begin; insert into red values (1); insert into blue values (2); insert into blue values (3); ' .
	'insert into red values (4); insert into red values (5); commit');
is($link->step->{state}, 'd', 'defaults from one sequence');
is($lyon->sql("select string_agg(id::text, ' ' order by n) from (table red union all table blue) a"),
	'1 2 3 4 5', 'number the rows as they came');

# ---- new versions of many rows ----
sub change
{
	my ($set) = @_;

	$paris->sql("update $_ set $set->{$_}") for sort keys %$set;
	return;
}

my %set = (plain => 'v = v + 1', moment => 'k = k + 1', falling => "v = v || 'x'", two => 'c = c + 1',
	maybe => 'v = v', words => 'n = n', large => 'w = w', tenants => 'v = v + 1', hashed => 'v = v');
change(\%set);
deliver('a new version of each row');
$paris->sql('begin; ' . join('; ', map { "update $_ set $set{$_}" } sort keys %set, sort keys %set) . '; commit');
deliver('one after the other');
$lyon->sql('vacuum');
change(\%set);
deliver('again, after a vacuum');

# what happens among them finds each row, and only once
$paris->sql(<<'SQL');
begin;
update plain set v = -v where id between 9001 and 9100;
update plain set v = v + 1 where id = 9050;
update plain set id = 20000 where id = 9051;
insert into plain values (9051, 0);
update plain set v = 2 * v where id between 9001 and 9200;
delete from plain where id between 9060 and 9070;
insert into plain select g, 0 from generate_series(9060, 9065) g;
update plain set v = v + 1 where id >= 9001;
commit;
SQL
deliver('changes of rows whose entries wait');
$lyon->sql('insert into plain values (30000, 0)');
$paris->sql('begin; update plain set v = v + 1 where id between 9001 and 9200; ' .
	'update plain set id = 30000 where id = 9052; commit');
is($link->step->{state}, 'a', 'a key that is taken is a conflict');
$lyon->sql('delete from plain where id = 30000');
deliver('until it is free');

# who looks at other tables while rows are applied sees them whole
$_->sql('create table watched (id int primary key, v int); create table seen (id int primary key, v int)')
	for $paris, $lyon;
push @tables, 'watched';
$paris->attach($_, 'master') for qw(watched seen);
$paris->sql('insert into watched select g, 0 from generate_series(1, 500) g');
deliver('rows to be watched');
$lyon->sql(<<'SQL');
create function look() returns trigger language plpgsql set enable_seqscan = off as
	'begin new.v := (select v from public.watched where id = new.id); return new; end';
create trigger look before insert on seen for each row execute function look();
alter table seen enable always trigger look;
SQL
$paris->sql('begin; update watched set v = 7 where id <= 200; insert into seen values (150, 0); commit');
deliver('new versions, and one who looks at them');
is($lyon->sql('select v from seen'), 7, 'by the index');

# likewise what is checked when rows that waited go in behind them
$_->sql('create table vouched (id int primary key, v int)') for $paris, $lyon;
push @tables, 'vouched';
$paris->attach('vouched', 'master');
$lyon->sql(<<'SQL');
create function is_watched(int) returns bool language plpgsql set enable_seqscan = off as
	'begin return exists (select from public.watched where id = $1 and v = 8); end';
alter table vouched add check (is_watched(id));
SQL
$paris->sql('begin; insert into vouched values (150, 0); update watched set v = 8 where id <= 200; commit');
deliver('new versions, and a check that looks at them');

# entries of keys that change wait as well, where none is unique
$_->sql('create index on watched (v); create index on watched (v desc, id)') for $paris, $lyon;
$paris->sql('update watched set v = id');
deliver('keys that change in order');
$paris->sql('update watched set v = v + 1');
deliver('by one');
$paris->sql('update watched set v = v * 7919 % 503');
deliver('in no order');

# ---- and after a crash ----
$lyon->kill9;
$lyon->start;
same('recovery makes the same');
sound('with its indexes');
unlike(slurp_file($lyon->cluster->logfile), qr/inconsistent page|FATAL/, 'page by page');

done_testing();
