# B7: there is no shared memory to be had for waking those who wait.  Then they look now and
# then, and nobody's COMMIT fails over it.
use strict;
use warnings;

use Elvis::Node;
use Test::More;

my $node = Elvis::Node->new('paris');

$node->sql('create table t (id int primary key)');
$node->attach('t', 'master');
$node->sql("load '$ENV{ELVIS_BUILDDIR}/tests/regress/.libs/name_taker.so'");

my ($status, undef, $errors) = $node->try_sql(<<'SQL');
insert into t values (1);
begin;
savepoint a;
insert into t values (2);
rollback to a;
insert into t values (3);
commit;
SQL

is($status, 0, 'who writes hears nothing of it') or diag $errors;
is($node->sql('select fresh from elvis.wait_snapshot(0, 0, 1000)'), 't', 'who waits finds it');
is($node->sql('select string_agg(after ->> \'id\', \' \' order by after ->> \'id\') from elvis.changes'),
	'1 3', 'it is whole');
is($node->sql('select fresh from elvis.wait_snapshot(elvis.newest_snapshot(), 0, 100)'), 'f',
	'and nothing else is found');

done_testing();
