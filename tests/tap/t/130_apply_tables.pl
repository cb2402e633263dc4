# Tables that are not like others: what apply makes of them.
use strict;
use warnings;

use Elvis::Link;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $nice = Elvis::Node->new('nice', beside => $paris);
my @two = ($paris, $lyon);
my $link = Elvis::Link->new($paris, $lyon)->start;

sub applied
{
	my ($name, %option) = @_;
	my $told = $link->step(%option);

	is($told->{state}, 'd', "$name: is applied") or diag explain $told;
	return $told;
}

sub both { $_->sql($_[0]) for @two; return; }

# ---- partitions ----
both('create table parts (id int, region text, v text, primary key (id, region)) partition by list (region)');
both("create table parts_n partition of parts for values in ('n')");
$lyon->sql('create table parts_s (region text not null, gone int, v text, id int not null); alter table parts_s drop gone; '
	  . "alter table parts attach partition parts_s for values in ('s')");
$paris->sql("create table parts_rest partition of parts default");
$lyon->sql("create table parts_w partition of parts for values in ('w')");
$paris->attach('parts', 'master');
$paris->sql("insert into parts select g, case when g % 2 = 0 then 'n' else 's' end, 'x' from generate_series(1, 20) g");
applied('partitions, insert');
ok(same_rows('parts', @two), 'rows are in the partitions');
$paris->sql("update parts set v = 'y' where id < 10; delete from parts where id > 15");
$paris->sql("update parts set region = 'n' where id = 1; update parts set region = 's', v = 'z' where id = 2; update parts set region = 'w' where id = 3");
applied('partitions, update and move');
ok(same_rows('parts', @two), 'rows have moved with their key');
is($lyon->sql('select count(*) from parts_w'), 1, 'to where the target has them');
$paris->sql("insert into parts values (99, 'nowhere', 'x')");
my $told = $link->step;
is($told->{conflict} && $told->{conflict}{kind}, 'constraint_violation', 'a row without a partition is a conflict');
applied('it', answers => [ verdict('merge', undef, 'w', undef) ]);
is($lyon->sql('select * from parts_w where id = 99'), '99|w|x', 'and a merged one finds its place');
$paris->sql("update parts set v = 'y' where id = 99");
$told = $link->step(answers => [ verdict('merge', undef, undef, 'z') ]);
is("$told->{state} $told->{conflict}{kind}", 's policy_error', 'a row that is not found is not merged');
$link->step(answers => [ verdict('keep_local') ]);
$paris->sql("delete from parts where id = 99");
$link->step(answers => [ verdict('keep_local') ]);
$paris->sql('truncate parts');
applied('partitions, truncate');
is($lyon->sql('select count(*) from parts'), 0, 'all partitions are empty');

# ---- generated columns, defaults, other types ----
$paris->sql('create table wide (id int primary key, a int, g int generated always as (a * 2) stored, n int)');
$lyon->sql("create table wide (extra text default 'here', n bigint, id bigint primary key, g int generated always as (a * 3) stored, "
	  . 'a numeric, serial int generated always as identity)');
$paris->attach('wide', 'master');
$paris->sql('insert into wide (id, a, n) select g, g, g from generate_series(1, 5) g; update wide set a = 100, n = null where id = 2; delete from wide where id = 5');
applied('other columns');
is($lyon->sql('select * from wide where id in (1, 2) order by id'),
	"here|1|1|3|1|1\nhere||2|300|100|2", 'values go where they belong, the table computes its own');
$paris->sql("update wide set n = 7 where id = 2; update wide set id = 20 where id = 2");
applied('other types, keys');
is($lyon->sql('select * from wide where id = 20'), 'here|7|20|300|100|2', 'generated values fit');

# ---- characters are counted, not bytes ----
$paris->sql('create table narrow (id int primary key, v varchar(20))');
$lyon->sql('create table narrow (id int primary key, v varchar(10))');
$paris->attach('narrow', 'master');
$paris->sql("insert into narrow values (1, '\x{e4}\x{20ac}\x{1f600}4567890')");
applied('ten characters');
$paris->sql("insert into narrow values (2, '\x{e4}\x{20ac}\x{1f600}45678901')");
$told = $link->step(answers => [ verdict('keep_local') ]);
is($told->{state}, 'd', 'eleven can be left');
is($lyon->sql("select string_agg(sqlstate, chr(44)) from elvis.resolution where table_name = 'narrow'"),
	'22001', 'because they are too long');

# ---- rows that stand together ----
both('create table crowd (id int primary key, v int)');
$paris->attach('crowd', 'master');
$paris->sql('insert into crowd select g, 0 from generate_series(1, 600) g');
applied('rows in a row');
$lyon->sql('update crowd set v = v where id % 7 = 0 or id between 100 and 130');
$lyon->sql('vacuum crowd; update crowd set v = v where id % 50 in (3, 4)');
$paris->sql('update crowd set v = v + 1; update crowd set id = -id where id % 3 = 0');
applied('where some stand elsewhere');
ok(same_rows('crowd', @two), 'each is found');
$paris->sql('delete from crowd where id % 5 <> 0');
applied('and some are alone');
ok(same_rows('crowd', @two), 'and each again');

# what the source does not have must be allowed to be absent
$paris->sql('create table part (id int primary key)');
$lyon->sql('create domain there as int not null; create domain seven as int default 7 not null; '
	  . 'create table part (id int primary key, s seven, t there)');
$paris->attach('part', 'master');
$paris->sql('insert into part values (1)');
$told = $link->step;
is($told->{conflict} && $told->{conflict}{kind}, 'constraint_violation',
	'no row gets a NULL that its domain does not allow');
$lyon->sql('alter table part drop t');
applied('without that column');
is($lyon->sql('select * from part'), '1|7', "a domain's default is one");

# ---- triggers of users ----
both('create table fired (id int primary key, v text, n int default 0)');
$lyon->sql(<<'SQL');
create table fired_log (line text);
create function before_row() returns trigger language plpgsql as $$
begin new.n := 42; if new.v = 'no' then return null; end if; return new; end $$;
create function after_row() returns trigger language plpgsql as $$
begin insert into public.fired_log values (tg_op || ' ' || coalesce(old.v, '') || ' ' || coalesce(new.v, '')); return null; end $$;
create trigger b before insert or update on fired for each row execute function before_row();
create trigger a after insert or update or delete on fired for each row execute function after_row();
create trigger c after update of n on fired for each row when (old.n is distinct from new.n) execute function after_row();
alter table fired enable always trigger b; alter table fired enable replica trigger a; alter table fired enable always trigger c;
SQL
$paris->attach('fired', 'master');
$link->{rules} = { '*' => rules(ignore => ['n']) };
$paris->sql("insert into fired values (1, 'a'), (2, 'no'), (3, 'c')");
$paris->sql("update fired set v = 'b' where id = 1; delete from fired where id = 3");
applied('triggers');
is($lyon->sql('select * from fired'), '1|b|42', 'BEFORE triggers have their say');
is($lyon->sql('select string_agg(line, chr(44) order by ctid) from fired_log'),
	'INSERT  a,INSERT  c,UPDATE a b,DELETE c ',
	'AFTER triggers see rows in order, those for other columns do not fire');
$lyon->sql('drop trigger c on fired; drop trigger a on fired; drop trigger b on fired');
$link->{rules} = {};

# ---- origin triggers and foreign keys stay still ----
both('create table parent (id int primary key); create table child (id int primary key, p int references parent)');
$lyon->sql("create trigger t before insert on child for each row execute function before_row()");
$paris->attach($_, 'master') for qw(parent child);
$paris->sql('insert into parent values (1); insert into child values (1, 1), (2, 1)');
applied('foreign keys');
$paris->sql('truncate parent, child');
applied('tables that refer to each other are emptied together');
is($lyon->sql('select count(*) from parent, child'), 0, 'both are empty');
is($lyon->sql('show session_replication_role'), 'origin', 'the role was a matter of the call');
$paris->sql('insert into parent values (1); insert into child values (1, 1)');
applied('again');
$lyon->sql('create table only_here (id int references parent)');
$paris->sql('truncate parent cascade');
$told = $link->step;
is($told->{conflict} && $told->{conflict}{kind}, 'constraint_violation',
	'a table that refers to it only here is not emptied with it');
$lyon->sql('drop table only_here');
applied('without it');

# ---- deferrable keys (A11) ----
both('create table swap (id int primary key, pos int unique deferrable initially deferred)');
$paris->attach('swap', 'master');
$paris->sql('insert into swap values (1, 1), (2, 2), (3, 3)');
$paris->sql('begin; update swap set pos = 2 where id = 1; update swap set pos = 1 where id = 2; commit');
applied('deferrable keys');
ok(same_rows('swap', @two), 'values change places within a transaction');
$lyon->sql('insert into swap values (9, 9)');
$paris->sql('begin; update swap set pos = 8 where id = 1; insert into swap values (4, 9); update swap set pos = 7 where id = 2; commit');
$told = $link->step;
is("$told->{state} $told->{conflict}{kind} $told->{conflict}{ordinal}", 's constraint_violation 1',
	'a key broken at the end stops the link at its change');
$lyon->sql('delete from swap where id = 9');
applied('once it is out of the way');
ok(same_rows('swap', @two), 'and nothing was done twice');

# ---- exclusion ----
both("create table slots (id int primary key, during int4range)");
$lyon->sql('alter table slots add exclude using gist (during with &&)');
$paris->attach('slots', 'master');
$paris->sql("insert into slots values (1, '[1,5)'), (2, '[4,8)'), (3, '[8,9)')");
$told = $link->step(answers => [ verdict('keep_local') ]);
is($told->{state}, 'd', 'what an exclusion constraint refuses can be left');
is($lyon->sql('select string_agg(id::text, chr(44)) from slots'), '1,3', 'the others are there');

# ---- rights and whose code runs (A9) ----
$lyon->sql(<<'SQL');
create role shop; create role daemon login in role elvis_daemon; grant create, usage on schema public to shop;
set role shop;
create table owned (id int primary key, who text);
create function whoami() returns bool language plpgsql as $$ begin
	if current_user <> 'shop' or current_setting('search_path') <> 'pg_catalog, pg_temp' then raise 'ran as %', current_user; end if;
	return true; end $$;
alter table owned add check (whoami());
SQL
$paris->sql('create table owned (id int primary key, who text)');
$paris->attach('owned', 'master');
$paris->sql("insert into owned values (1, 'x')");
$link->{as} = 'daemon';
$told = $link->step;
like($told->{error}, qr/permission denied for table owned/, 'the caller needs rights on the table');
$lyon->sql('grant insert, select on owned to daemon');
applied('code of the owner runs as the owner');
$paris->sql("update owned set who = 'y'");
like($link->step->{error}, qr/permission denied/, 'each operation has its right');
$lyon->sql('grant update on owned to daemon; alter table owned enable row level security');
like($link->step->{error}, qr/row-level security/, 'row security is not bypassed');
$lyon->sql('alter table owned disable row level security');
applied('it is applied then');
$link->{as} = undef;

# ---- gaps ----
$paris->sql("select elvis.gap(elvis.version('owned'), 'for a test')");
$paris->sql("update owned set who = 'z'");
$told = $link->step;
is("$told->{state} $told->{conflict}{kind}", 's gap', 'a gap stops the link');
$lyon->sql("select elvis.skip_change('$link->{uuid}', $told->{conflict}{seq}, $told->{conflict}{ordinal})");
applied('until the operator passes it');
is($lyon->sql('select who from owned'), 'z', 'and what follows it');
$paris->sql("select elvis.gap(elvis.version('owned'), 'for a test')");
$link->{rules} = { 'public.owned' => rules(gap => always('keep_local')) };
applied('or a rule did before');
is($lyon->sql("select count(*) from elvis.resolution where kind = 'gap' and message = 'for a test'"), 1, 'it is told of');

# ---- no key ----
both('create table keyless (v text)');
$paris->attach('keyless', 'master');
$paris->sql("insert into keyless values ('a'), ('a')");
applied('a table without a key takes inserts');
$lyon->sql('create table bare (id int); '); $paris->sql('create table bare (id int primary key)');
$paris->attach('bare', 'master');
$paris->sql('insert into bare values (1); update bare set id = 2');
like($link->step->{error}, qr/no unique index/, 'without an index here a row cannot be found');
$lyon->sql('alter table bare add primary key (id)');
applied('with one it can');

# ---- a table that joins by a copy (A14) ----
both('create table joins (id int primary key, v int)');
$paris->attach('joins', 'master');
$paris->sql('insert into joins values (1, 1)');
my $copied = $paris->sql('select pg_current_snapshot()');
$lyon->sql('insert into joins values (1, 1)');
$paris->sql('update joins set v = 2');
my $until = $paris->sql('select id from elvis.take_snapshot()');
$lyon->sql("select elvis.table_start('$link->{uuid}', 'joins', '$copied', $until)");
applied('what the copy has is passed');
is($lyon->sql('select * from joins'), '1|2', 'what it has not is applied');
is($lyon->sql('select count(*) from elvis.position_table'), 0, 'then the copy is history');

# ---- and one that comes in parts ----
$copied = $paris->sql('select pg_current_snapshot()');
$until = $paris->sql('select id from elvis.take_snapshot()');
$lyon->sql("select elvis.table_start('$link->{uuid}', 'joins', '$copied', $until, 2)");
$paris->sql('update joins set v = 3');
my $part = "select elvis.table_part('$link->{uuid}', 'joins', $until)";
$lyon->sql($part);
like($link->step->{error}, qr/not finished/, 'nothing is applied to some of its rows');
isnt(($lyon->try_sql("select elvis.table_part('$link->{uuid}', 'joins', $until - 1)"))[0], 0,
	'a part of another copy is refused');
$lyon->sql($part);
isnt(($lyon->try_sql($part))[0], 0, 'and one too many');
applied('with the last of them it is a table like others');
is($lyon->sql('select * from joins'), '1|3', 'what its rows do not show is applied');
is($lyon->sql('select count(*) from elvis.position_table'), 0, 'and the copy is history');

# ---- and goes, in the middle of a target transaction that is to pass its copy ----
$copied = $paris->sql('select pg_current_snapshot()');
$until = $paris->sql('select id from elvis.take_snapshot()');
$lyon->sql("select elvis.table_start('$link->{uuid}', 'joins', '$copied', $until)");
my ($first, @to) = $link->read;
my @halves = map { unpack('H*', $_) } $link->frame($first, @to, 1), $link->frame('', @to, 2);
my $between = 'psql -qXd "' . $lyon->conninfo . '" -c "drop table joins"';
is(($lyon->try_sql($link->open_sql . "; begin; select elvis.apply('\\x$halves[0]');\n\\! $between\n"
	  . "select elvis.apply('\\x$halves[1]'); commit"))[0], 0, 'a copy may go with its table');
is($lyon->sql("select count(*) from elvis.position_table"), 0, 'it is history');
is($lyon->sql("select to_regclass('joins') is null"), 't', 'as the table is');

# ---- positions ----
my ($records, $id, $token) = $link->read;
my $frame = $link->frame($records, $id, $token, 3);
is($link->apply($frame)->{state}, 'd', 'a frame is applied');
like($link->apply($frame)->{error}, qr/does not stand where/, 'and not twice');
my ($status, undef, $error) = $lyon->try_sql($link->open_sql . ";\n begin; select elvis.apply('\\x"
	  . unpack('H*', $link->frame('', $id, $token, 1)) . "'); commit");
like($error, qr/must not end before its last frame/, 'a target transaction is all or nothing');
like($link->apply($link->frame('', $id, $token, 2))->{error}, qr/no target transaction/, 'and has a beginning');
like($lyon->sql('select 1') && ($lyon->try_sql($link->open_sql . ";\n begin isolation level repeatable read; select elvis.apply('\\x"
	  . unpack('H*', $link->frame('', $id, $token, 3)) . "'); commit"))[2], qr/READ COMMITTED/, 'under READ COMMITTED');
is((split /\|/, $lyon->sql($link->open_sql . ";\nselect known, from_id from elvis.durable_position('$link->{uuid}')"))[-1],
	$id, 'what is on disk is durable');

# ---- relays (A8, B10) ----
for my $node ($paris, $lyon, $nice) { $node->sql('create table relayed (id int primary key, v text, n int)'); }
$paris->attach('relayed', 'master');
$lyon->attach('relayed', 'relay');
$nice->attach('relayed', 'relay');
my $on = Elvis::Link->new($lyon, $nice)->start;
my $back = Elvis::Link->new($lyon, $paris)->start;
$paris->sql("insert into relayed select g, 'x', g from generate_series(1, 600) g; update relayed set v = 'y' where id = 1; delete from relayed where id = 2");
$paris->sql("update relayed set n = -1 where id = 3");
applied('a relay');
is($on->step->{state}, 'd', 'forwards');
ok(same_rows('relayed', $paris, $lyon, $nice), 'all that it was given');
is($nice->sql('select string_agg(origin::text, chr(44)) from elvis.route'), '1', 'as what it was');
my $xid = $paris->sql("begin; update relayed set n = -2 where id = 3; select pg_current_xact_id(); commit");
$nice->sql('set session_replication_role = replica; update relayed set n = -3 where id = 3');
applied('a change that will not fit');
$told = $on->step(answers => [ verdict('keep_local') ], keep => 1);
is($told->{state}, 'd', 'it is asked about');
$on->{rules} = { '*' => rules(update_differs => always('stop')) };
$told = $on->step;
$on->{rules} = {};
is("$told->{conflict}{origin} $told->{conflict}{xid}", "1 $xid",
	'with origin and transaction as they were');
is($back->step->{changes}, 604, 'what comes back to where it was made');
is($paris->sql("select count(*) from elvis.resolution"), 0, 'is passed in silence');
$paris->sql('truncate relayed restart identity');
applied('a truncation');
$told = $on->step(answers => [ verdict('keep_local') ]);
is($told->{state}, 'd', 'is forwarded') or diag explain $told;
is($nice->sql('select count(*) from relayed'), 0, 'too');
is($nice->sql('select string_agg(origin::text, chr(44)) from elvis.route'), '1', 'as what it was');
my $short = Elvis::Link->new($paris, $nice)->start;
$paris->sql("insert into relayed values (1, 'short')");
like($short->step->{error}, qr/come here by two links/, 'an origin comes by one link');

# ---- that link, table by table (A5) ----
$short->forget;
for my $node ($paris, $lyon, $nice) { $node->sql('create table beside (id int primary key, v text)'); }
$paris->attach('beside', 'master');
$nice->attach('beside', 'relay');
$short->start;
$paris->sql("insert into beside values (1, 'short')");
is($short->step->{state}, 'd', 'another table of the same origin may come by another link');
is($nice->sql("select count(distinct link) from elvis.route where origin = 1"), 2, 'each owns its own');
$paris->sql("truncate relayed");
applied('a truncation, to lyon');
like($short->step->{error}, qr/come here by two links/, 'a TRUNCATE is not taken either');
is($on->step->{state}, 'd', 'but by whose it is');
$nice->sql("select elvis.table_release('$on->{uuid}', 'relayed')");
is($short->step->{state}, 'd', 'what a link lets go of another may bring');
$paris->sql("insert into relayed values (1)");
applied('an insert, to lyon');
like($on->step->{error}, qr/come here by two links/, 'and the first may no more');
$nice->sql('alter table beside rename to beside_it; create table beside (id int primary key, v text)');
$short->forget;
$short->start;
$paris->sql("insert into beside values (2, 'anew')");
is($short->step->{state}, 'd', 'another table of that name is free');
is($nice->sql("select relid from elvis.route where link = '$short->{uuid}'"), 'beside', 'and claimed');
$nice->sql('drop table beside');
is($nice->sql("select count(*) from elvis.route where link = '$short->{uuid}'"), 0, 'until it is dropped');
$short->forget;

done_testing();
