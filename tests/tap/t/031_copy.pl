# elvisctl copy: a target is filled while its source is written, and nothing is lost or doubled
# where the copy meets the stream.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use IPC::Run;
use Test::More;

my $paris = Elvis::Node->new('paris', bare => 1);
my $lyon = Elvis::Node->new('lyon', bare => 1);

# Tables that are not just columns in rows
my $odd = <<'SQL';
create type mood as enum ('sad', 'glad');
create domain percent as int check (value between 0 and 100);
create table parted (id int, part int, v text, primary key (id, part)) partition by list (part);
create table parted_1 partition of parted for values in (1);
create table parted_2 partition of parted for values in (2);
create table parent (id int primary key, v text);
create table child () inherits (parent);
create table made (id int primary key, n int, twice int generated always as (n * 2) stored,
	serial int generated always as identity);
create table typed (id int primary key, m mood, ms mood[], p percent, j jsonb, b bytea, t timestamptz,
	r int4range, f float8, c regclass, x xml, nothing text);
create table "Odd ""Table" ("Select" int primary key, "a.b" text);
create table single (id int primary key);
create table empty (id int primary key);
create table keyless (v text);
SQL
$_->sql($odd) for $paris, $lyon;
$lyon->sql('alter table typed drop column nothing; alter table typed add column extra int default 7;
	alter table typed add column nothing text');
$paris->sql(<<'SQL');
insert into parted select i, i % 2 + 1, 'row ' || i from generate_series(1, 1000) i;
insert into parent values (1, 'parent');
insert into child values (2, 'child');
insert into made (id, n) select i, i from generate_series(1, 100) i;
insert into typed values (1, 'glad', '{sad,glad}', 50, '{"a": [1, null]}', '\x00ff', 'infinity',
	'[1,5)', 'NaN', 'pg_class', '<a>1</a>', null), (2, null, null, null, null, null, null, null, null, null, null, null);
insert into "Odd ""Table" values (1, E'tab\there\nand \\N');
insert into keyless values ('a'), ('a'), (null);
insert into single values (1);
SQL
$paris->cluster->command_ok([ 'pgbench', '-i', '-q', '-s', '5', '-d', $paris->conninfo ], 'rows');
$lyon->cluster->command_ok([ 'pgbench', '-i', '-q', '-I', 'dtp', '-d', $lyon->conninfo ], 'tables');

my $daemon = Elvis::Daemon->new('copy', from => $paris, to => $lyon);
my ($status, $out, $err) = $daemon->ctl('apply');
is($status, 3, 'rows on one side only are not passed over');
is($lyon->sql('select count(*) from elvis.position'), 0, 'the link has not started');

# ---- under load ----

sub traffic
{
	my ($seconds) = @_;

	return IPC::Run::start([ 'pgbench', '-n', '-c', '3', '-T', $seconds, '-d', $paris->conninfo ],
		'>', \my $said, '2>&1');
}

my $load = traffic(8);
($status, $out, $err) = $daemon->ctl('copy', 'source_target');
is($status, 0, 'the target is filled while the source is written') or diag $err;
ok($load->pumpable, 'which is still going on');
$daemon->start;
$load->finish;
$daemon->wait_caught_up;

ok(same_rows($_, $paris, $lyon), "$_ is the same")
	for map({ "pgbench_$_" } qw(accounts branches tellers history)), '"Odd ""Table"', 'single', 'empty',
	'keyless', 'made', 'parted', '(select * from only parent)';
ok($paris->sql('select count(*) from pgbench_history') > 0, 'there was something to miss');
is($lyon->sql('select * from typed order by id') , <<'ROWS' =~ s/\n\z//r, 'every type arrives');
1|glad|{sad,glad}|50|{"a": [1, null]}|\x00ff|infinity|[1,5)|NaN|pg_class|<a>1</a>|7|
2|||||||||||7|
ROWS
is($lyon->sql('select count(*) from only child'), 1, 'a child that is no partition is a table of its own');
is($lyon->sql('select count(*) from elvis.resolution'), 0, 'nothing was a conflict');
is($lyon->sql('select count(*) from elvis.position_table'), 0, 'and the copy has been left behind');

($status, undef, $err) = $daemon->ctl('copy', 'source_target');
is($status, 3, 'a link that runs is not copied again');

# ---- a table joins ----

$_->sql('create table late (id int primary key, v int)') for $paris, $lyon;
$paris->sql('insert into late select i, 0 from generate_series(1, 1000) i');
$daemon->ctl_ok('pause', 'source_target');
$daemon->ctl_ok('apply');
$load = IPC::Run::start([ 'psql', '-qXd', $paris->conninfo, '-c',
	'do $$ begin for i in 1..20 loop update late set v = v + 1; insert into late values (1000 + i, 0); commit; end loop; end $$' ]);
$daemon->ctl_ok('copy', 'source_target', '--table', 'public.late');
$load->finish;
is($paris->sql("select state from elvis.subscriber"), 'paused', 'who was paused stays so');
$daemon->restart;	# a pattern's new tables
$daemon->ctl_ok('resume', 'source_target');
$daemon->wait_caught_up;
ok(same_rows('late', $paris, $lyon), 'a table that joins a link is the same');
ok(same_rows('pgbench_history', $paris, $lyon), 'and the others still are');
is($lyon->sql('select count(*) from elvis.resolution'), 0, 'without a conflict');

$_->sql('create table later (id int primary key, v int)') for $paris, $lyon;
$daemon->ctl_ok('apply');
$daemon->restart;
$daemon->ctl_ok('pause', 'source_target');
$paris->sql('insert into later select i, 0 from generate_series(1, 1000) i');
$daemon->ctl_ok('resume', 'source_target');
$daemon->wait_caught_up;
$lyon->sql('set session_replication_role = replica; delete from later');
($status, undef, $err) = $daemon->ctl('copy', 'source_target', '--table', 'public.later');
is($status, 0, 'a table can be filled anew while the link runs') or diag $err;
is($paris->sql("select state from elvis.subscriber"), 'running', 'which then goes on');
$paris->sql('update later set v = v + 1');
$daemon->wait_caught_up;
ok(same_rows('later', $paris, $lyon), 'and delivers what the table did not hold');

# ---- filled anew ----

$paris->sql('update later set v = 7');
$daemon->ctl_ok('pause', 'source_target');
$lyon->sql('set session_replication_role = replica; update later set v = -1; delete from single');
$daemon->ctl_ok('copy', 'source_target', '--truncate', '--table', 'public.later', '--table', 'public.single');
$daemon->ctl_ok('resume', 'source_target');
$daemon->wait_caught_up;
ok(same_rows($_, $paris, $lyon), "$_ is filled anew, whatever it held") for 'later', 'single';

$daemon->ctl_ok('forget', 'source_target');
$daemon->ctl_ok('copy', 'source_target', '--truncate');
$paris->sql('update later set v = 8');
$daemon->wait_caught_up;
ok(same_rows($_, $paris, $lyon), "$_ is, with all of its link") for 'later', 'single', 'pgbench_accounts', 'parted';
is($lyon->sql('select count(*) from elvis.resolution'), 0, 'and no conflict ever');

# ---- refused, cut off, run again ----

$daemon->stop;
my $again = Elvis::Daemon->new('again', nodes => [ $paris, $lyon ], config => <<'CONF');
nodes = ( { name = "lyon"; id = 2; conninfo = "@conninfo lyon@"; },
          { name = "paris"; id = 1; conninfo = "@conninfo paris@"; } );
links = ( { name = "second"; from = "paris"; to = "lyon"; uuid = "11111111-1111-4111-8111-111111111111";
            tables = ( "public.one", "public.two" ); } );
CONF
$_->sql('create table one (id int primary key, v text); create table two (id int primary key, v text)')
	for $paris, $lyon;
$paris->sql("insert into one select i, 'one' from generate_series(1, 1000) i");
$paris->sql("insert into two select i, 'two' from generate_series(1, 1000) i");
$lyon->sql("insert into two values (1, 'mine')");
$again->ctl('apply');

($status, undef, $err) = $again->ctl('copy', 'second');
is($status, 3, 'a table with rows is not copied over');
is($lyon->sql('select count(*) from one'), 0, 'nor are the others then');
$lyon->sql('set session_replication_role = replica; delete from two');

# a row that the target refuses ends the copy in its second table
$lyon->sql("alter table two add constraint no_five_hundred check (id <> 500)");
($status, undef, $err) = $again->ctl('copy', 'second');
isnt($status, 0, 'a copy can fail');
is($lyon->sql('select count(*) from one') . '|' . $lyon->sql('select count(*) from two'), '1000|0',
	'each table arrives whole or not at all');
is($paris->sql("select state from elvis.subscriber where name = 'second'"), 'paused',
	'the link waits until the copy is finished');
($status) = $again->ctl('resume', 'second');
isnt($status, 0, 'it is not resumed by accident');
$paris->sql("update one set v = 'changed'");
$lyon->sql("alter table two drop constraint no_five_hundred");
($status, undef, $err) = $again->ctl('copy', 'second');
is($status, 0, 'the copy goes on where it was') or diag $err;
$lyon->sql('select elvis.link_forget(link) from elvis.position where name = \'source_target\'');
$again->start;
$again->wait_caught_up;
ok(same_rows($_, $paris, $lyon), "$_ is the same") for 'one', 'two';
$again->stop;

done_testing();
