# Tables that change while their changes are on the way, and tables of every shape: what was
# written before an ALTER TABLE can be read after it, and where both ends differ, a link stops
# or goes by what it can.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use Test::More;

$ENV{PGCLIENTENCODING} = 'UTF8';

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $daemon = Elvis::Daemon->new('paris_lyon', nodes => [ $paris, $lyon ],
	config => links_conf([ $paris, $lyon ], [ 'paris', 'lyon', 'tables = "*.*";' ])
	  . 'retry_max = "500 ms";');

sub everywhere
{
	$_->sql($_[0]) for $paris, $lyon;
	return;
}

sub delivered
{
	my ($name) = @_;
	my ($status, undef, $errors) = $daemon->ctl('wait');

	return is($status, 0, "$name: delivered") || diag $errors . $daemon->log_text;
}

sub same
{
	my ($name, @tables) = @_;

	delivered($name);
	ok(same_rows($_, $paris, $lyon), "$name: $_ is the same") for @tables;
	return;
}

sub wait_stopped
{
	return $paris->poll(q(select state = 'stopped' from elvis.subscriber));
}

everywhere(<<'SQL');
create table t (id int primary key, a int, b text, c text default 'c');
create schema "my.schema";
create table "my.schema"."Größe ""x"".y" ("select" int, "from.where" text, "ä ö" text,
	"Mixed""Case" int, primary key ("Mixed""Case", "select"));
create table "table" ("user" int primary key, "order" text, "group" text[]);
create table generated (id int generated always as identity primary key, n int,
	twice int generated always as (n * 2) stored);
create table by_index (a int not null, b text not null, c text);
create unique index by_a_b on by_index (a, b);
create table wide (id int primary key);
create table fires (id int primary key, n int);
create type mood as enum ('a', 'b');
create table moods (id int primary key, m mood);
SQL
everywhere('alter table wide ' . join ', ', map { "add c$_ int default $_" } 1 .. 600);

# a target that looks otherwise: columns in another order, some more, some types wider
$paris->sql('create table other (id int primary key, a smallint, b varchar(20), c numeric(5, 2), '
	  . 'gone int, d timestamp)');
$paris->sql('alter table other drop gone');
$lyon->sql(q(create table other (d timestamp, extra text default 'e', id bigint, c numeric,
	at timestamptz default now(), a int, b text, primary key (id))));

$daemon->ctl_ok('apply');
$daemon->start;
$daemon->write_config(links_conf([ $paris, $lyon ], [ 'paris', 'lyon', 'tables = (
	{ match = "public.by_index"; key = "by_a_b"; }, "*.*");' ]) . 'retry_max = "500 ms";');
$daemon->ctl_ok('apply');
$daemon->reload;

# ---- names and columns ----

my $odd = '"my.schema"."Größe ""x"".y"';
$paris->sql(<<"SQL");
insert into $odd values (1, 'a', 'ä', 7), (2, null, '', 7);
update $odd set "from.where" = 'b.c', "select" = 3 where "select" = 1;
delete from $odd where "select" = 2;
insert into "table" values (1, 'x', '{"a b",NULL}');
update "table" set "order" = null, "group" = '{}';
SQL
same('odd names', $odd, '"table"');

$paris->sql('insert into generated (n) select generate_series(1, 5); '
	  . 'update generated set n = n + 10 where n > 2; delete from generated where id = 1');
same('generated columns', 'generated');

$paris->sql("insert into by_index select i, 'b', 'c' from generate_series(1, 5) i; "
	  . "update by_index set c = 'x' where a = 2; update by_index set b = 'y' where a = 3; "
	  . 'delete from by_index where a = 4');
same('a unique index as key', 'by_index');

$paris->sql('insert into wide (id) values (1), (2); update wide set c17 = null, c600 = -1; '
	  . 'delete from wide where id = 2');
same('six hundred columns', 'wide');

$paris->sql(q(insert into other values (1, 2, 'b', 1.25, '2024-02-29 12:00'), (2, null, null,
	null, 'infinity'); update other set a = 3, c = c * 2 where id = 1;
	update other set id = 5, b = 'x' where id = 2; delete from other where id = 1));
delivered('columns in another order');
is($lyon->sql('select id, a, b, c, d, extra, at is null from other'),
	'5||x||infinity|e|f', 'are matched by name, the others have their defaults');

# ---- triggers that fire at the target, too ----

$lyon->sql(<<'SQL');
create table heard (at int generated always as identity, line text);
create function hear() returns trigger language plpgsql as $$
begin
	insert into public.heard (line)
	values (concat_ws(' ', tg_when, lower(tg_op), old.id, old.n, new.id, new.n));
	return coalesce(new, old);
end $$;
create trigger before before insert or update or delete on fires
	for each row execute function hear();
create trigger after after insert or update or delete on fires
	for each row execute function hear();
alter table fires enable always trigger before; alter table fires enable replica trigger after;
SQL
$paris->sql(<<'SQL');
begin; insert into fires values (1, 1), (2, 2); update fires set n = 3 where id = 1;
update fires set id = 4 where id = 1; delete from fires; insert into fires values (5, 5); commit;
SQL
same('rows written and gone within a transaction', 'fires');
is($lyon->sql(q(select string_agg(line, ', ' order by at) from heard where line like 'BEFORE%')),
	'BEFORE insert 1 1, BEFORE insert 2 2, BEFORE update 1 1 1 3, BEFORE update 1 3 4 3, '
	  . 'BEFORE delete 2 2, BEFORE delete 4 3, BEFORE insert 5 5', 'triggers see each of them');
is($lyon->sql(q(select count(*) from heard where line like 'AFTER%')), 7, 'before and after');

# ---- altered on the way ----

sub on_the_way
{
	my ($name, $table, @sql) = @_;

	$daemon->stop;
	$paris->sql($_) for @sql;
	return sub {
		my ($target) = @_;

		$lyon->sql($target) if $target;
		$daemon->start;
		same($name, $table);
	};
}

$paris->sql("insert into t select i, i, 'b' || i from generate_series(1, 10) i");
same('a table to be altered', 't');

on_the_way('a column more', 't', "update t set a = a + 1 where id <= 3; insert into t values (11)",
	"alter table t add d int default 4", "update t set d = 5 where id <= 5",
	"insert into t (id, d) values (12, 6)")->('alter table t add d int default 4');

on_the_way('rows of before it that change after it', 't', 'insert into t (id) values (21), (22), (23)',
	'alter table t add later int; update t set later = 5 where id = 21; delete from t where id = 22',
	'update t set id = 24 where id = 23')->('alter table t add later int');

$daemon->stop;
$paris->sql("update t set c = 'x' where id <= 3; delete from t where id = 4");
$paris->sql('alter table t drop c');
$paris->sql("update t set a = a + 1; insert into t values (13, 1, 'b')");
$daemon->start;
delivered('a column less');
is($lyon->sql('select string_agg(c, $$ $$ order by id) from t where id < 6'), 'x x x c',
	'the target has kept its own');
$lyon->sql('alter table t drop c');
same('a column less there, too', 't');

# A rewrite may change values that nobody saw: the link stops there, and is told to go on when
# the target has done the same.
sub rewritten
{
	my ($name, $alter, $before, $after) = @_;

	$paris->sql($_) for $before, $alter, $after;
	ok(wait_stopped(), "$name: stops the link");
	is($lyon->sql('select kind from elvis.resolution order by id desc limit 1'), 'gap',
		"$name: as a gap");
	$lyon->sql($alter);
	$daemon->ctl_ok('skip', 'paris_lyon');
	same($name, 't');
	return;
}

rewritten('a column of another type', 'alter table t alter a type bigint',
	'update t set a = a + 1 where id <= 3', 'update t set a = 3000000000 where id = 1');
rewritten('a column of quite another type', 'alter table t alter a type text using a::text',
	'update t set a = a - 1 where id <= 3', "update t set a = 'text' where id = 1");
$lyon->sql('delete from elvis.resolution');

on_the_way('a table of another name', 't', 'update t set d = 8 where id = 2',
	'alter table t rename to u; alter table u rename to t',
	'update t set d = 9 where id = 2')->('');

on_the_way('an enum with more values', 'moods',
	"insert into moods values (1, 'a'), (2, 'b')", "alter type mood add value 'c' before 'b'",
	"update moods set m = 'c' where id = 1; insert into moods values (3, 'c')")
  ->("alter type mood add value 'c' before 'b'");
# with a column renamed at the source only, what was written before it fits, what comes
# after it stops the link until the target follows
on_the_way('before a column is renamed', 't', 'update t set d = 10 where id = 2',
	'alter table t rename d to e')->('');
$paris->sql('update t set e = 11 where id = 2');
ok(wait_stopped(), 'a column that the target has not stops the link');
is($lyon->sql('select kind from elvis.resolution'), 'target_column_missing', 'which says so');
$lyon->sql('alter table t rename d to e; delete from elvis.resolution');
$daemon->ctl_ok('resume', 'paris_lyon');
same('after the target followed', 't');

# a table that is not there
$paris->sql('create table late (id int primary key)');
$paris->sql("select elvis.attach('late', 'master')");
$paris->sql('insert into late values (1)');
ok(wait_stopped(), 'a table that the target has not stops the link');
is($lyon->sql('select kind from elvis.resolution'), 'target_table_missing', 'which says so');
$lyon->sql("create table late (id int primary key); select elvis.attach('late', 'replica'); "
	  . 'delete from elvis.resolution');
$daemon->ctl_ok('resume', 'paris_lyon');
same('a table that came late', 'late');

# versions of a shape that was rolled back
$paris->sql(<<'SQL');
begin; savepoint s; alter table t add f int; update t set f = 1 where id = 1; rollback to s;
update t set e = 12 where id = 1; commit;
begin; alter table t add f int; update t set f = 2 where id = 1; rollback;
update t set e = 13 where id = 3;
SQL
same('an alteration that was rolled back', 't');

is($lyon->sql('select count(*) from elvis.resolution'), 0, 'without another conflict');

done_testing();
