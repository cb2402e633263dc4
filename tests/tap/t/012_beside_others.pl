# The server has ten places for whoever wants to hear of changed relations; who finds none ends the
# session.  What else a session loads finds some beside elvis.
use strict;
use warnings;

use Elvis::Node;
use Test::More;

my $node = Elvis::Node->new('paris');

$node->cluster->append_conf('postgresql.conf', 'wal_level = logical');
$node->restart;
$node->sql('create table t (id int primary key, at timestamptz default now())');
$node->attach('t', 'master');
$node->sql("create publication p for table t;
	select pg_create_logical_replication_slot('s', 'pgoutput')");

# plans, types, decoding and pgoutput take one each
my ($status, $out, $errors) = $node->try_sql(<<'SQL');
insert into t values (1);
do $$ begin perform * from t where id = 1; end $$;
select count(*) > 0 from pg_logical_slot_peek_binary_changes('s', null, null,
	'proto_version', '1', 'publication_names', 'p');
insert into t values (2);
SQL

is($status, 0, 'a session captures and decodes') or diag $errors;
is($out, 't', 'it reads its own changes');
is($node->sql('select count(*) from elvis.changes'), 2, 'and both are captured');

done_testing();
