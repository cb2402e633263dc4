# A segment's index is moved to another tablespace while the segment is written: what has
# committed is found through it.  Only the index itself is locked for that, not its table.
use strict;
use warnings;

use Elvis::Node;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = Elvis::Node->new('paris');
my $elsewhere = PostgreSQL::Test::Utils::tempdir();

# What the log holds since the first snapshot
sub found
{
	return $node->sql(<<'SQL');
select r.changes
from elvis.snapshots() a, elvis.take_snapshot() b,
     elvis.read(a.id, a.token, b.id, b.token, 0, 0, 1000000, 'stored') r
where a.id = 1
SQL
}

$node->sql("create tablespace elsewhere location '$elsewhere'");
$node->sql('create table t (id int primary key)');
$node->attach('t', 'master');
$node->sql('select elvis.take_snapshot()');
$node->sql('insert into t values (1)');
$node->sql(<<'SQL');
begin;
alter index elvis.log_1_xid_seq set tablespace elsewhere;
prepare transaction 'elvis_moves';
SQL

my ($status) = $node->try_sql("set lock_timeout = '100ms'; insert into t values (2)");

isnt($status, 0, 'who writes waits for the index to be there');
$node->sql("commit prepared 'elvis_moves'");
is($node->sql("select spcname from pg_class c join pg_tablespace s on s.oid = reltablespace
	       where c.oid = 'elvis.log_1_xid_seq'::regclass"), 'elsewhere', 'it has moved');
$node->sql('insert into t values (3)');
is(found(), $node->sql('select count(*) from t'), 'what has committed is found');

done_testing();
