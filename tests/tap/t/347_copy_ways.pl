# The rows of a copy go into a table by elvis.fill() where that does all that COPY FROM does, and by
# COPY FROM where it does not.  Both mean the same, and neither lets anybody do what the other does not.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use IPC::Run;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon');
my $nice = Elvis::Node->new('nice', beside => $lyon, encoding => 'LATIN1');
my @all = ($paris, $lyon, $nice);

# ---- tables of all kinds ----

$_->sql(<<'SQL') for @all;
create domain small as int check (value < 1000);
create table binary_rows (id int primary key, n numeric, t text, v varchar(20), c char(10), b bytea, a int[],
	at timestamptz, j jsonb, u uuid, r int4range, f float8);
create table text_rows (id int primary key, s small, t text, made int generated always as (id * 2) stored,
	serial int generated always as identity);
create table large_rows (id int primary key, v text);
create table indexed (id int primary key, u uuid unique, n int, g point, a int[], r int4range);
create index on indexed (n desc, id);
create index on indexed (n) where n > 50;
create index on indexed ((n + 1));
create index on indexed using hash (u);
create index on indexed using gin (a);
create index on indexed using gist (g);
create index on indexed using brin (id);
create table plain (id int primary key, n int, m int, u uuid);
create unique index on plain (u);
create index on plain (n);
create index on plain (m desc nulls first) include (n);
create index on plain using hash (n);
create table excluded (id int primary key, r int4range, exclude using gist (r with &&));
create table late (id int primary key, n int unique deferrable);
SQL
$paris->sql(<<'SQL');
create table moved (id int primary key, gone int, a int, b text);
alter table moved drop column gone;
create table defaults (id int primary key, v text);
create table triggered (id int primary key, v text);
create table tree (id int primary key, v text);
insert into binary_rows select i, i * 1.5, 'text ' || i, 'v' || i, 'c' || i, decode(md5(i::text), 'hex'),
	array[i, null, 3], timestamptz '2026-01-01 00:00+00' + i * interval '1 hour', '{"a": [1, null]}',
	md5(i::text)::uuid, int4range(i, i + 5), i / 3.0 from generate_series(1, 10000) i;
insert into binary_rows (id) values (0);
insert into text_rows (id, s, t) select i, i % 1000, E'tab\t, line\n, \\. \\N and \u00e9 ' || i
	from generate_series(1, 10000) i;
insert into text_rows values (0);
insert into large_rows select i, repeat(chr(64 + i), i * i * 5000) from generate_series(1, 20) i;
insert into indexed select i, md5(i::text)::uuid, i % 100, point(i, i), array[i, i % 7], int4range(i, i + 1)
	from generate_series(1, 5000) i;
insert into plain select i, (i * 7919) % 3000, nullif(i % 10, 5), md5(i::text)::uuid
	from generate_series(1, 10000) i;
insert into excluded select i, int4range(i, i + 1) from generate_series(1, 2000) i;
insert into late select i, i from generate_series(1, 2000) i;
insert into moved select i, i, 'b' || i from generate_series(1, 2000) i;
insert into defaults select i, 'v' from generate_series(1, 1000) i;
insert into triggered select i, 'v' from generate_series(1, 1000) i;
insert into tree select i, 'v' from generate_series(1, 1000) i;
SQL
$_->sql(<<'SQL') for $lyon, $nice;
create table moved (b text, gone text, a int, id int primary key);
alter table moved drop column gone;
create table defaults (id int primary key, here text default 'here', v text, made serial, before bigint);
create function rows_before() returns bigint language sql as 'select count(*) from public.defaults';
alter table defaults alter before set default rows_before();
create table triggered (id int primary key, v text);
create function mark() returns trigger language plpgsql as $$ begin new.v := 'marked'; return new; end $$;
create trigger mark before insert on triggered for each row execute function mark();
alter table triggered enable always trigger mark;
create table tree (id int primary key, v text) partition by range (id);
create table tree_1 partition of tree for values from (0) to (500);
create table tree_2 partition of tree for values from (500) to (5000);
SQL

sub can_fill
{
	my ($table) = @_;

	return $lyon->sql("set session_replication_role = replica; select elvis.can_fill('$table')");
}

is(can_fill($_), 't', "$_ can be filled")
  for qw(binary_rows text_rows large_rows indexed plain excluded moved defaults tree_1);
is(can_fill($_), 'f', "$_ is left to COPY") for qw(late triggered tree);
is($lyon->sql(q(select elvis.can_fill('plain'))), 'f', 'as is everything that triggers may fire for');

my $daemon = Elvis::Daemon->new('ways', nodes => \@all,
	config => links_conf(\@all, [ 'paris', 'lyon' ], [ 'paris', 'nice' ]));
is(($daemon->ctl('apply'))[0], 6, 'links wait for their copies');
$daemon->ctl_ok('copy', 'paris_lyon');
$daemon->ctl_ok('copy', 'paris_nice', '--jobs', 2);

for my $table (qw(binary_rows text_rows large_rows indexed plain excluded late tree))
{
	ok(same_rows($table, @all), "$table has arrived");
}
for my $node ($lyon, $nice)
{
	my $name = $node->name;

	is($node->sql('select count(*), sum(a), min(b) from moved where id = a and b = $$b$$ || a'),
		'2000|2001000|b1', "columns lie as they do in $name");
	is($node->sql('select min(here) || count(distinct made) || max(made) from defaults'), 'here10001000',
		"what paris has not is filled by $name");
	is($node->sql('select count(*) from defaults where before = made - 1'), 1000,
		'each default in its turn');
	is($node->sql(q(select count(*) from triggered where v = 'marked')), 1000, 'triggers fire');
	is($node->sql('select n_tup_ins from pg_stat_user_tables where relname = $$plain$$'), 10000,
		'rows are counted') if $node->poll(
		'select n_tup_ins > 0 from pg_stat_user_tables where relname = $$plain$$');

	# every index finds every row of its table
	$node->sql('create extension amcheck');
	is(($node->try_sql(<<'SQL'))[0], 0, "btrees of $name are whole");
select bt_index_parent_check(i.indexrelid, true) from pg_index i join pg_class c on c.oid = i.indexrelid
	join pg_class t on t.oid = i.indrelid and t.relnamespace = 'public'::regnamespace
	where c.relam = 403 and c.relkind = 'i'
SQL
	is($node->sql("set enable_seqscan = off; $_"), 1, "found: $_")
	  for q(select count(*) from indexed where u = md5('77')::uuid),
	  q(select count(*) from indexed where a @> '{77,0}'),
	  q(select count(*) from indexed where g <@ box '(76.5,76.5),(77.5,77.5)'),
	  q(select count(*) from excluded where r && int4range(77, 78)),
	  q(select count(*) from plain where n = 77 and id < 3000);
}
$_->sql('drop extension amcheck') for $lyon, $nice;

# ---- what is wrong is told, and leaves nothing ----

$_->sql('create table broken (id int primary key, v text)') for $paris, $lyon, $nice;
$lyon->sql(q(alter table broken add check (v <> 'bad')));
$paris->sql(q(insert into broken select i, case i when 4321 then 'bad' else 'good' end
	from generate_series(1, 5000) i));
$daemon->ctl('apply');
my ($status, undef, $said) = $daemon->ctl('copy', 'paris_lyon', '--table', 'public.broken');
isnt($status, 0, 'a row that a table refuses fails its copy');
like($said, qr/public\.broken/, 'it says which');
is($lyon->sql('select count(*) from broken'), 0, 'and nothing is left');
$paris->sql(q(update broken set v = 'good'));
$daemon->ctl_ok('copy', 'paris_lyon', '--table', 'public.broken');
is($lyon->sql('select count(*) from broken'), 5000, 'when it is mended it goes on');

sub fill
{
	my ($table, $columns, $rows, $before) = @_;

	return $lyon->try_sql(sprintf q(set session_replication_role = replica;
		select elvis.fill('%s', '%s', false, convert_to(E'%s', 'UTF8'), %d)), $table, $columns,
		$rows, $before // 0);
}

sub refused
{
	my ($rows, $pattern, $what, $table, $columns) = @_;
	my ($status, undef, $error) = fill($table // 'broken', $columns // '{id,v}', $rows, 100);

	isnt($status, 0, "$what is refused");
	like($error, $pattern, 'and where it is, is told');
	return;
}

refused('9001\tgood\n9002\tbad\n', qr/broken.*102.*bad/s, 'what a CHECK is broken by');
refused('9001\tgood\nx\tgood\n', qr/broken.*102.*id.*"x"/s, 'what is no value');
refused('9001\tgood\n\\\\N\tgood\n', qr/broken.*102/s, 'a key that is null');
refused('9001\tgood\n7\tgood\n', qr/\(id\)=\(7\).*broken.*101.*102/s, 'a key that is there');
refused('9001\tgood\n9002\n', qr/broken.*102/s, 'a row that is too short');
refused('600\tv\n', qr/tree_1/, 'a row of another partition', 'tree_1');
refused('600\n', qr/made/, 'a generated column', 'text_rows', '{made}');
refused('9001\tgood\n', qr{late}, 'a table left to COPY', 'late', '{id,n}');
is($lyon->sql('select count(*) from broken where id > 9000'), 0, 'nothing is left of any');
is((fill('broken', '{v,id}', 'good\t9001\n'))[1], '1', 'rows that are right go in');

# ---- rights ----

$lyon->sql(<<'SQL');
create role filler login in role elvis_admin;
create role stranger login;
create table closed (id int primary key, v text, secret text);
create table guarded (id int primary key, v text);
alter table guarded enable row level security;
grant insert (id, v) on closed to filler;
grant insert on guarded to filler;
SQL

sub fill_as
{
	my ($role, $table, $columns, $rows) = @_;

	return ($lyon->try_sql(qq(begin; select elvis.begin_copy(1); set local role $role;
		select elvis.fill('$table', '$columns', false, '$rows', 0); commit)))[0];
}

is(fill_as('filler', 'closed', '{id,v}', '1\011a\012'), 0, 'columns that a role may write, it may fill');
isnt(fill_as('filler', 'closed', '{id,secret}', '2\011a\012'), 0, 'others not');
isnt(fill_as('filler', 'closed', '{}', '3\011a\011b\012'), 0, 'nor all of them');
isnt(fill_as('filler', 'broken', '{id,v}', '9100\011a\012'), 0, 'nor a table it may not write');
isnt(fill_as('filler', 'guarded', '{id,v}', '1\011a\012'), 0, 'nor one whose rows have policies');
isnt(fill_as('stranger', 'closed', '{id,v}', '4\011a\012'), 0, 'who is no administrator fills nothing');
is($lyon->sql('select string_agg(id::text, $$,$$) from closed'), '1', 'of all that one row is there');
$lyon->sql('drop owned by filler; drop role filler, stranger; drop table closed, guarded');

# ---- cut off in the middle ----

my $rows = 40_000;
$lyon->sql(<<'SQL');
create function gate(id int) returns bool language plpgsql as $$
begin
	perform pg_advisory_lock_shared(id), pg_advisory_unlock_shared(id);
	return true;
end
$$;
SQL
for my $jobs (1, 2)
{
	my $table = "slow_$jobs";
	my @copy = ('copy', 'paris_lyon', '--jobs', $jobs, '--table', "public.$table");

	$_->sql("create table $table (id int primary key, v text)") for @all;
	$paris->sql("insert into $table select i, repeat('v', 1000) from generate_series(1, $rows) i");
	$lyon->sql("alter table $table add check (gate(id))");
	is(can_fill($table), 't', 'a CHECK is no reason not to');
	$daemon->ctl('apply');
	$lyon->sql("begin; select pg_advisory_xact_lock($rows - 100); prepare transaction 'gate'");
	my $copy = IPC::Run::start([ Elvis::Daemon::program('elvisctl'), $daemon->what, @copy ],
		'<', \undef, '>', \my $out, '2>&1');
	ok($lyon->poll(q(select exists (select from pg_locks where locktype = 'advisory' and not granted))),
		"a copy by $jobs is in the middle");
	$copy->kill_kill(grace => 0);
	$lyon->sql("commit prepared 'gate'");
	ok($lyon->poll(q(select count(*) = 0 from pg_stat_activity where application_name = 'elvisctl copy')),
		'it is killed');
	$daemon->ctl_ok(@copy);
	ok(same_rows($table, $paris, $lyon), 'and another one finishes');
}

done_testing();
