# Whatever a transaction is made of, the target ends with what it has left behind: savepoints,
# prepared transactions, late ones, keys that move, rows written many times, functions and
# triggers that write while a statement runs.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use IPC::Run;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $daemon = Elvis::Daemon->new('paris_lyon', nodes => [ $paris, $lyon ],
	config => links_conf([ $paris, $lyon ], [ 'paris', 'lyon' ]));

my @tables = qw(t parent child deferred excluded large log);
my $schema = <<'SQL';
create table t (id int primary key, v text, n int default 0);
create table parent (id int primary key);
create table child (id int primary key, parent int references parent
	on update cascade on delete cascade);
create table deferred (id int primary key, place int unique deferrable initially deferred);
create table excluded (id int primary key, during int4range,
	exclude using gist (during with &&));
create table large (id int primary key, n int, body text);
create table log (id int, line text);
SQL
$_->sql($schema) for $paris, $lyon;
$daemon->ctl_ok('apply');
$daemon->start;

# What is run at the source arrives; where it leaves nothing behind, another statement shows
# that the stream has passed it
sub arrives
{
	my ($name, $sql) = @_;

	$paris->sql($sql);
	my ($status, undef, $errors) = $daemon->ctl('wait');
	is($status, 0, "$name: delivered") or die $errors . $daemon->log_text;
	is_deeply([ grep { !same_rows($_, $paris, $lyon) } @tables ], [], "$name: the same");
	return;
}

arrives('rows', q(insert into t select i, 'v' || i from generate_series(1, 20) i));

arrives('savepoints', <<'SQL');
begin;
update t set v = 'a' where id = 1;
savepoint s1;
update t set v = 'b' where id = 1; update t set v = 'b' where id = 2;
savepoint s2;
delete from t where id = 3;
rollback to s2;
update t set v = 'c' where id = 3;
release s2;
rollback to s1;
update t set v = 'd' where id = 2;
savepoint s3;
insert into t values (100, 'kept');
release s3;
commit;
SQL

arrives('failing blocks of a function', <<'SQL');
do $$
begin
	for i in 1 .. 500 loop
		begin
			insert into t values (1000 + i, 'x');
			update t set n = n + 1 where id = 1;
			if i % 3 = 0 then raise exception 'no'; end if;
		exception when raise_exception then
			update t set n = n + 1 where id = 2;
		end;
	end loop;
end
$$;
SQL

arrives('a rolled back truncation', <<'SQL');
begin; savepoint s; truncate t; insert into t values (1, 'only'); rollback to s;
update t set v = 'still here' where id = 1; commit;
SQL

arrives('a row written again and again', <<'SQL');
begin;
insert into t values (200, 'new'); update t set v = 'newer' where id = 200;
delete from t where id = 200; insert into t values (200, 'again');
update t set id = 201 where id = 200; insert into t values (200, 'third');
delete from t where id = 201; update t set n = i from generate_series(1, 50) i where id = 200;
do 'begin for i in 1 .. 2000 loop update t set n = n + 1 where id = 4; end loop; end';
commit;
SQL

arrives('all keys moved', <<'SQL');
update t set id = -id; update t set id = 10000 - id;
begin; update t set id = 0 where id = (select max(id) from t);
update t set id = id + 1 where id = 0; commit;
SQL

arrives('two keys swapped', <<'SQL');
begin; insert into t values (1001, 'left'), (1002, 'right'); commit;
begin; update t set id = 0 where id = 1001; update t set id = 1001 where id = 1002;
update t set id = 1002 where id = 0; commit;
SQL

arrives('deferred keys swapped', <<'SQL');
insert into deferred select i, i from generate_series(1, 10) i;
update deferred set place = 11 - place;
begin; update deferred set place = 1 where id = 5; update deferred set place = 77 where place = 1
and id <> 5; commit;
SQL

arrives('excluded ranges moved', <<'SQL');
insert into excluded values (1, '[1,5)'), (2, '[5,9)');
begin; update excluded set during = '[20,25)' where id = 1;
update excluded set during = '[1,5)' where id = 2; delete from excluded where id = 1;
insert into excluded values (3, '[5,7)'); commit;
SQL

arrives('cascades', <<'SQL');
insert into parent select generate_series(1, 10);
insert into child select i, i % 10 + 1 from generate_series(1, 100) i;
update parent set id = id + 100 where id <= 5; delete from parent where id in (6, 101);
begin; truncate parent, child; insert into parent values (1); insert into child values (1, 1);
commit;
truncate parent cascade;
SQL

arrives('upserts', <<'SQL');
insert into t values (1001, 'x'), (5000, 'y') on conflict (id) do update set v = excluded.v || t.v;
insert into t values (1001, 'x'), (5001, 'y') on conflict do nothing;
with gone as (delete from t where id > 9990 returning *), put as (
	insert into log select id, v from gone returning id)
update t set n = (select count(*) from put) where id = 5000;
SQL

arrives('a table without a key', <<'SQL');
insert into log values (1, 'twice'), (1, 'twice'), (null, null);
SQL
my ($failed) = $paris->try_sql("update log set line = 'x'");
isnt($failed, 0, 'an update of it is refused where it is made');
($failed) = $paris->try_sql('delete from log');
isnt($failed, 0, 'and so is a delete');

# what lies out of line: unchanged, changed, moved to another key
arrives('large values', <<'SQL');
insert into large select i, i, (select string_agg(md5(random()::text), '')
	from generate_series(1, 3000)) from generate_series(1, 5) i;
update large set n = n + 1;
update large set id = id + 10 where id = 2;
update large set body = body || 'x' where id = 3;
update large set body = null where id = 4;
update large set n = n + 1; delete from large where id = 12;
SQL

arrives('a function that writes rows of the statement that calls it', <<'SQL');
create function f(which int) returns int language plpgsql as $$
begin update t set n = n + 100 where id = which; return 5; end $$;
insert into t values (7000, 'first', 0), (7001, 'second', 0);
update t set n = n + case when id = 7001 then f(7000) else 1 end where id in (7000, 7001);
SQL

arrives('triggers that write', <<'SQL');
create function before_row() returns trigger language plpgsql as $$
begin
	if new.id = 7001 then update t set n = n + 1 where id = 7000; end if;
	new.v = coalesce(new.v, '') || '!';
	return new;
end $$;
create trigger before_row before update on t for each row execute function before_row();
create function after_row() returns trigger language plpgsql as $$
begin insert into log values (new.id, old.v || ' -> ' || new.v); return null; end $$;
create trigger after_row after update on t for each row execute function after_row();
update t set n = n + 1 where id in (7000, 7001);
create constraint trigger last after insert on t deferrable initially deferred
	for each row execute function after_row();
begin; insert into t values (7002, 'x'); update t set n = 1 where id = 7002; commit;
drop trigger last on t; drop trigger after_row on t; drop trigger before_row on t;
SQL

arrives('a commit that became read only', <<'SQL');
begin; update t set v = 'read only' where id = 5000; set transaction read only; commit;
SQL

arrives('serializable and repeatable read', <<'SQL');
begin isolation level serializable; update t set v = 's' where id = 5000; commit;
begin isolation level repeatable read; update t set v = 'r' where id = 5001; commit;
SQL

arrives('procedures that commit, COMMIT AND CHAIN', <<'SQL');
create procedure p() language plpgsql as $$
begin
	for i in 1 .. 10 loop
		update t set n = i where id = 5000;
		if i % 2 = 0 then commit; else rollback; end if;
	end loop;
end $$;
call p();
begin; update t set v = 'one' where id = 5000; commit and chain;
update t set v = 'two' where id = 5001; rollback and chain;
update t set v = 'three' where id = 1001; commit;
SQL

arrives('COPY', "copy log from stdin;\n7\tcopied\n8\t\\N\n\\.\n");

# prepared transactions: the others go on meanwhile, in whatever order they end
$paris->sql(<<'SQL');
begin; update t set v = 'prepared' where id = 5000; insert into t values (6000, 'p');
prepare transaction 'kept';
begin; update t set v = 'never' where id = 5001; prepare transaction 'dropped';
SQL
arrives('beside prepared transactions', <<'SQL') for 1 .. 3;
update t set n = n + 1 where id = 1001; insert into log values (1, 'beside');
SQL
is($lyon->sql('select count(*) from t where id = 6000'), 0, 'what is only prepared is not sent');
$paris->sql("rollback prepared 'dropped'");
$daemon->restart;
arrives('a transaction that was prepared long ago', "commit prepared 'kept'");
is($lyon->sql('select v from t where id = 6000'), 'p', 'it is there now');

# a transaction that is open while others go on, and writes early and late
my ($in, $out) = ('', '');
my $late = IPC::Run::start([ 'psql', '-XAtq', '-d', $paris->conninfo ], '<', \$in, '>', \$out);
$in .= "begin; insert into t select i, 'late' from generate_series(20000, 20999) i; "
  . "update t set v = 'late' where id = 5000; select 'written';\n";
$late->pump until $out =~ /written/;
arrives('beside an open transaction', <<'SQL') for 1 .. 3;
update t set n = n + 1 where id = 1001; insert into log values (2, 'beside');
SQL
$in .= "update t set n = 99 where id = 1001; update t set v = 'latest' where id = 20000; commit;\n";
$late->finish;
arrives('the open transaction', "update t set n = n + 1 where id in (1001, 20000)");
is($lyon->sql('select v, n from t where id = 20000'), 'latest|1', 'it came before what came after');

is($lyon->sql('select count(*) from elvis.resolution'), 0, 'without a conflict');

done_testing();
