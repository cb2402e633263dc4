# What a session and a transaction keep, and what they must not.
use strict;
use warnings;

use Elvis::Link;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
for my $node ($paris, $lyon)
{
	$node->sql('create table t (id int primary key, v text)');
	$node->sql('create table u (id int primary key, v text)');
}
$paris->attach($_, 'master') for qw(t u);
my $link = Elvis::Link->new($paris, $lyon)->start;

# ---- careful mode burns few transaction ids (B5) ----
$lyon->sql('alter table t add check (id % 1000 <> 7)');
$paris->sql("insert into t select g, 'x' from generate_series(1, 5000) g");
$link->{rules} = { '*' => rules(constraint_violation => always('keep_local')) };
my $before = $lyon->sql('select pg_current_xact_id()');
is($link->step->{state}, 'd', 'five bad rows of five thousand are passed');
my $burnt = $lyon->sql('select pg_current_xact_id()') - $before;
cmp_ok($burnt, '<', 150, "with few transaction ids ($burnt)");
is($lyon->sql('select count(*) from t'), 4995, 'the others are there');
is($lyon->sql("select string_agg(key->>'id', ' ' order by id) from elvis.resolution"),
	'7 1007 2007 3007 4007', 'each of the five is told of');
$paris->sql("insert into t select g, 'x' from generate_series(100001, 130000) g");
$before = $lyon->sql('select pg_current_xact_id()');
is($link->step->{state}, 'd', 'thirty bad rows of thirty thousand, a thousand apart, likewise');
$burnt = $lyon->sql('select pg_current_xact_id()') - $before;
cmp_ok($burnt, '<', 30 * 6, "with a few for each ($burnt)");
$lyon->sql('alter table t drop constraint t_id_check; alter table t add check (id <> 140000)');
$paris->sql("insert into t select g, 'x' from generate_series(130001, 180000) g");
$before = $lyon->sql('select pg_current_xact_id()');
is($link->step->{state}, 'd', 'one bad row of fifty thousand');
$burnt = $lyon->sql('select pg_current_xact_id()') - $before;
cmp_ok($burnt, '<', 30, "does not make small pieces of what follows it ($burnt)");
is($lyon->sql('select count(*) from t'), 4995 + 30000 - 30 + 49999, 'and no other is missing');
$paris->sql('delete from t where id > 100000');
$link->{rules} = { '*' => rules(delete_missing => always('keep_local')) };
$link->step;
$lyon->sql('alter table t drop constraint t_id_check; truncate elvis.resolution');

# ---- many conflicts told beforehand do not make it slow: looked up, not run into ----
$lyon->sql("insert into t select g, 'local' from generate_series(5001, 6000) g");
$paris->sql("insert into t select g, 'remote' from generate_series(5001, 6000) g");
$link->{rules} = { '*' => rules(insert_exists => always('apply_remote')) };
is($link->step->{state}, 'd', 'a thousand rows that are there already');
is($lyon->sql("select count(*) from t where v = 'remote'"), 1000, 'are overwritten');
is($lyon->sql('select count(*) from elvis.resolution'), 1000, 'and told of');
$lyon->sql("insert into t values (7, 'x'), (1007, 'x'), (2007, 'x'), (3007, 'x'), (4007, 'x')");
ok(same_rows('t', $paris, $lyon), 'and the same');

# ---- nothing is open while a conflict waits (B1) ----
$lyon->sql("update t set v = 'local' where id = 1");
$paris->sql("insert into u values (1, 'a'); update t set v = 'y' where id in (1, 2); insert into u values (2, 'b')");
$link->{rules} = {};
my ($records, $id, $token) = $link->read;
my $frame = hex_of($link->frame($records, $id, $token, 3));
my $keep = hex_of(verdict('keep_local'));
my ($status, $out, $error) = $lyon->try_sql($link->open_sql . "\\g /dev/null\n" . <<"SQL");
begin;
select state from elvis.apply($frame);
alter table u add extra int default 3;
create index on t (v);
truncate u;
select state from elvis.answer($keep);
commit;
SQL
is($status, 0, 'tables can be altered while a conflict waits') or diag $error;
is($error, '', 'without a warning about anything left open');
is($out, "a\nd", 'and the walk goes on');
is($lyon->sql('select * from u'), '2|b|3', 'by what the tables are then');
is($lyon->sql('select v from t where id in (1, 2) order by id'), "local\ny", 'exactly after the conflict');
$lyon->sql('alter table u drop extra');
$paris->sql("update t set v = 'local' where id = 1; delete from u where id = 1");
$link->step(answers => [ verdict('keep_local'), verdict('keep_local') ]);

# ---- a transaction in several frames, a conflict at the border ----
$lyon->sql("update t set v = 'local' where id = 30");
$paris->sql("begin; update t set v = 'z' where id <= 40; insert into u select g, 'x' from generate_series(100, 120) g; commit");
($records, $id, $token) = $link->read;
my @records;
for (my $rest = $records; length $rest;)
{
	my $copy = substr $rest, 1;
	my $length = Elvis::Link::get_varint(\$copy);
	my $size = length($rest) - length($copy) + $length;
	push @records, substr $rest, 0, $size, '';
}
my $sql = '';
my $last = $#records;
for my $i (0 .. $last)
{
	my $flags = ($i == 0 ? 1 : 0) | ($i == $last ? 2 : 0);
	my $bytes = $link->frame($records[$i], $id, $token, $flags);
	$sql .= "select state = 'a' as asked from elvis.apply(" . hex_of($bytes) . ") \\gset\n"
	  . "\\if :asked\n\\echo asked\nselect state from elvis.answer($keep) \\gset\n\\endif\n";
}
($status, $out, $error) = $lyon->try_sql($link->open_sql . "\\g /dev/null\nbegin;\n$sql commit;");
is("$status$error", '0', 'a frame for every record');
is($out, 'asked', 'one is asked about');
ok(same_rows('u', $paris, $lyon), 'all rows of the one table are the same');
is($lyon->sql("select count(*) from t where v = 'z'"), 39, 'and of the other but one');
$paris->sql("update t set v = 'local' where id = 30");
$link->step(answers => [ verdict('keep_local') ]);
my $told;

# ---- rows that are not where they were: emptied and filled in one transaction ----
for my $node ($paris, $lyon)
{
	$node->sql('create table far (id int primary key, pos int unique deferrable, v text)');
}
$paris->attach('far', 'master');
$paris->sql("insert into far select g, g, repeat('x', 500) from generate_series(1, 1000) g");
$link->step;
$paris->sql("begin; update far set v = 'a', pos = -pos where id > 900; update far set v = 'b' where id > 900; "
	  . "truncate far; insert into far select g, g, 'new' from generate_series(890, 1000) g; "
	  . "update far set v = 'c' where id > 900; commit");
$told = $link->step;
is($told->{state}, 'd', 'rows are looked for where they are') or diag explain $told;
ok(same_rows('far', $paris, $lyon), 'and found');

# ---- facts are learnt anew when the table has changed, also within the session ----
$paris->sql("insert into t values (7001, 'first')");
my @after = ('alter table t rename v to w; alter table t add v varchar(20); alter table t add z int generated always as (id * 2) stored',
	'alter table t drop constraint t_pkey; alter table t add primary key (id)',
	'alter table t rename to t_was; create table t (id int primary key, v text)');
# positions follow one another, so each frame is made when the one before is applied
my @sql = ($link->open_sql . ';');
for my $i (0 .. 3)
{
	my @at = $i == 0 ? $link->position : ($id, $token, 0, 0, 0);
	(my $new, $id, $token) = $i == 0 ? $link->read : do {
		$paris->sql("insert into t values (700" . ($i + 1) . ", 'next')");
		my ($to, $to_token) = split /\|/, $paris->sql('select id, token from elvis.take_snapshot()');
		my ($hex) = split /\|/, $paris->sql("select encode(body, 'hex') from elvis.read($id, $token, $to, $to_token, 0, 0, 1000000, 'stored')");
		(pack('H*', $hex), $to, $to_token);
	};
	push @sql, "begin; select state from elvis.apply(" . hex_of(chr(1) . chr(3) . pack('q<5', @at)
		  . pack('q<6', $id, $token, 0, 0, 0, 0) . ($i == 0 ? $link->tables : '') . $new) . "); commit;";
	push @sql, "$after[$i];" if $after[$i];
}
($status, $out, $error) = $lyon->try_sql(join "\n", @sql);
is($status, 0, 'the table is altered between two frames of a session') or diag $error;
is($lyon->sql('select id, v, w, z from t_was where id > 7000 order by id'),
	"7001||first|14002\n7002|next||14004\n7003|next||14006", 'and each is applied to what it is');
is($lyon->sql('select * from t'), '7004|next', 'or to another that has its name now');

# ---- a savepoint must not take half a target transaction back ----
($records, $id, $token) = $link->read;
my $first = hex_of($link->frame('', $id, $token, 1));
my $second = hex_of($link->frame($records, $id, $token, 2));
($status, $out, $error) = $lyon->try_sql($link->open_sql . "\\g /dev/null\n"
	  . "begin; select elvis.apply($first); savepoint s; select elvis.apply($second);");
like($error, qr/another savepoint/, 'frames of one transaction stay on one level');
($status, $out, $error) = $lyon->try_sql($link->open_sql . "\\g /dev/null\n"
	  . "begin; savepoint s; select elvis.apply($first); rollback to s; select elvis.apply($second);");
like($error, qr/no target transaction/, 'what a savepoint took back is forgotten');
is($lyon->sql("show session_replication_role") . $lyon->sql('show search_path'), 'origin"$user", public', 'settings are as they were');

done_testing();
