# The stream, followed while many write: whatever clients do at once, with savepoints, EXCEPTION
# blocks, two phases, changed keys and triggers out of order, doing what the stream says, change
# by change, makes an equal table.  Each change must find the row as it was before it.
use strict;
use warnings;

use Elvis::Node;
use Elvis::Util;
use IPC::Run;
use Test::More;

my $node = Elvis::Node->new('paris', conf => "deadlock_timeout = 10ms\n");
my $seconds = $ENV{ELVIS_TEST_SECONDS} // 6;

$node->sql(<<'SQL');
create table t (k int primary key, v int not null, filler text);
insert into t select g, 0, repeat('x', g % 200) from generate_series(1, 300) g;
create table mirror (like t including all);
insert into mirror select * from t;
create table stop ();
create table done (changes bigint, batches bigint);

create function bump(int) returns int language plpgsql as
	$$ begin update t set v = v + 100 where k = $1; return 1; end $$;

create function put_back() returns trigger language plpgsql as
	$$ begin insert into t values (old.k, old.v + 1, 'back')
	   on conflict do nothing; return null; end $$;
create trigger a_put_back after delete on t for each row
	when (old.k % 7 = 0 and old.filler is distinct from 'gone') execute function put_back();

-- several small things, some of which fail and are caught
create procedure fumble(a int, b int) language plpgsql as $$
begin
	for i in 1..8 loop
		begin
			case (a + i) % 5
			when 0 then insert into t values (a + i * 10, b, 'new');
			when 1 then delete from t where k = a + i;
			when 2 then update t set k = b where k = a + i;
			when 3 then update t set v = v + 1 where k = b;
			else
				update t set filler = 'gone' where k = a;
				raise exception 'never mind';
			end case;
		exception when unique_violation or raise_exception then
			update t set v = v - 1 where k = a;
		end;
	end loop;
end $$;

-- a function changes a row that the statement has changed; if it is the other way round, it fails
create procedure late(a int) language plpgsql as $$
begin
	update t set v = v + case when k = a + 5 then bump(a) else 1 end where k between a and a + 5;
exception when triggered_data_change_violation then
	update t set v = v - 1 where k = a;
end $$;

-- does on the mirror what one batch says
create procedure follow_batch(from_id bigint, from_token bigint, to_id bigint, to_token bigint)
language plpgsql as $$
declare
	piece record;
	change record;
	at bigint := 0;
	within bigint := 0;
	old mirror;
	new mirror;
begin
	loop
		select * into piece
		from elvis.read(from_id, from_token, to_id, to_token, at, within, 20000, 'stored');
		for change in
			select * from elvis.decode('0', '\x0101'::bytea || piece.body)
		loop
			old := jsonb_populate_record(null::mirror, change.before);
			new := jsonb_populate_record(null::mirror, change.after);
			if change.op <> 'insert' then
				delete from mirror m
				where m.k = old.k and m.v = old.v and
				      m.filler is not distinct from old.filler;
				if not found then
					raise exception 'at %, %: % does not find %', piece.seq,
						piece.inside, change.op, change.before;
				end if;
			end if;
			if change.op <> 'delete' then
				insert into mirror select new.*;
			end if;
		end loop;
		update done set changes = changes + piece.changes;
		exit when piece.finished;
		at := piece.seq;
		within := piece.inside;
	end loop;
end $$;

create procedure follow(from_id bigint, from_token bigint) language plpgsql as $$
declare
	next record;
	last_look bool := false;
begin
	loop
		select * into next from elvis.wait_snapshot(from_id, 0, 100);
		commit;
		if next.fresh then
			call follow_batch(from_id, from_token, next.id, next.token);
			from_id := next.id;
			from_token := next.token;
			perform elvis.confirm('00000000-0000-0000-0000-000000000001', from_id,
					      from_token, 0, 0, 0);
			update done set batches = batches + 1;
			commit;
			perform elvis.upkeep();
			commit;
		else
			exit when last_look;
			last_look := exists (select from stop);
		end if;
	end loop;
end $$;
insert into done values (0, 0);
SQL
$node->attach('t', 'master');

my %scripts = (
	update => <<'SQL',
\set a random(1, 300)
\set b random(1, 300)
begin;
update t set v = v + 1 where k = :a;
savepoint s;
update t set v = v + 10 where k = :b;
rollback to s;
update t set filler = repeat('y', :b) where k = :a;
commit;
SQL
	fumble => <<'SQL',
\set a random(1, 300)
\set b random(1, 300)
call fumble(:a, :b);
SQL
	late => <<'SQL',
\set a random(1, 290)
call late(:a);
SQL
	large => <<'SQL',
\set a random(1, 200)
begin;
update t set v = v + 1, filler = filler || 'z' where k between :a and :a + 100;
delete from t where k between :a and :a + 3;
insert into t select g, 0, repeat('n', 100) from generate_series(:a, :a + 3) g on conflict do nothing;
update t set filler = left(filler, 50);
end;
SQL
	prepared => <<'SQL',
\set a random(1, 300)
\set n random(1, 1000000000)
begin;
update t set v = v + 1000 where k = :a;
prepare transaction 'stream_:n';
commit prepared 'stream_:n';
SQL
);
my $dir = PostgreSQL::Test::Utils::tempdir();
my @arguments;

for my $name (sort keys %scripts)
{
	open my $file, '>', "$dir/$name" or die "$dir/$name: $!";
	print $file $scripts{$name};
	close $file;
	push @arguments, '-f', "$dir/$name" . ($name eq 'large' ? '@1' : '@5');
}

my ($id, $token) = split /\|/, $node->sql(<<'SQL');
select id, token from elvis.subscribe('00000000-0000-0000-0000-000000000001', 'test', 'mirror')
SQL
my ($out, $err) = ('', '');
my $follower = IPC::Run::start(
	[ $node->cluster->installed_command('psql'), '-XAtq', '-v', 'ON_ERROR_STOP=1',
	  '-d', $node->conninfo, '-c', "set elvis.segment_size = '1MB'",
	  '-c', 'set elvis.keep_confirmed = 0', '-c', 'set elvis.read_memory = 64',
	  '-c', "call follow($id, $token)" ], '>', \$out, '2>', \$err);

# Keys that meet and rows that deadlock are part of it; what matters is what committed.
IPC::Run::run(
	[ $node->cluster->installed_command('pgbench'), '-n', '-c', 6, '-j', 2, '-T', $seconds,
	  '--max-tries=100', @arguments, $node->conninfo ],
	'>', \my $bench, '2>', \my $noise);
$node->sql($_) for split /\n/, $node->sql(<<'SQL');
select format('rollback prepared %L', gid) from pg_prepared_xacts where database = current_database()
SQL
$node->sql('alter table stop add a int; insert into stop values (1)');
ok($follower->finish, 'every change finds its row as it was before')
	or diag $err;

my ($changes, $batches) = split /\|/, $node->sql('select changes, batches from done');
my $dropped = $node->sql('select min(n) > 1 from elvis.segments');

cmp_ok($changes, '>', 500, 'there were changes');
cmp_ok($batches, '>', 5, 'in several batches');
is($dropped, 't', 'and old segments of the log were dropped meanwhile');
is($node->sql('select count(*) from (table t except all table mirror) d'), '0',
	'nothing is missing');
is($node->sql('select count(*) from (table mirror except all table t) d'), '0',
	'nothing is too much');
like($bench, qr/number of transactions actually processed: [1-9]/, 'clients have worked');
note $bench;
note "changes $changes, batches $batches";

done_testing();
