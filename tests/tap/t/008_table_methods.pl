# The database's tables are of another access method by default.  The log and the other tables
# that are written without the executor are heaps all the same, also those made later.
use strict;
use warnings;

use Elvis::Node;
use Test::More;

my $node = Elvis::Node->new('paris', bare => 1);

$node->sql('create access method other type table handler heap_tableam_handler');
$node->sql('alter database paris set default_table_access_method = other');
$node->sql(<<'SQL');
create extension elvis;
select elvis.setup_node(1, 'paris');
create table t (id int primary key, v text);
SQL
$node->attach('t', 'master');
$node->sql("insert into t select g, repeat('x', 1000) from generate_series(1, 2000) g");
$node->sql("set elvis.segment_size = '1MB'; select elvis.upkeep() from generate_series(1, 2)");

is($node->sql("select amname from pg_class c join pg_am a on a.oid = relam
	       where c.oid = 't'::regclass"), 'other', 'a table of users is what they want');
cmp_ok($node->sql('select max(n) from elvis.segments'), '>', 2, 'there are new segments');
is($node->sql("select count(*) from pg_class c join pg_am a on a.oid = relam
	       where amname = 'other' and relnamespace = 'elvis'::regnamespace"), '0',
	'ours are heaps');

done_testing();
