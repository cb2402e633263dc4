# Two nodes, on one server and on two, and the tools that compare them.
use strict;
use warnings;

use Elvis::Node;
use Elvis::Util;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $nice = Elvis::Node->new('nice', fsync => 1);
my @nodes = ($paris, $lyon, $nice);

is_deeply([ map { $_->sql('select id, name from elvis.node') } @nodes ],
	[ '1|paris', '2|lyon', '3|nice' ], 'each node knows who it is');
is($nice->sql('show fsync'), 'on', 'fsync is on where a test asks for it');

$_->sql('create table t (a int, b text)') for @nodes;
ok(same_rows('t', @nodes), 'empty tables are equal');

$paris->sql("insert into t values (1, 'x'), (2, 'y')");
$nice->sql("insert into t values (2, 'y'), (1, 'x')");
ok(same_rows('t', $paris, $nice), 'the order of the rows does not matter');
ok(!same_rows('t', @nodes), 'a missing row does');

my ($status, undef, $errors) = $lyon->try_sql('select 1/0');
isnt($status, 0, 'a failing statement is reported');
like($errors, qr/division/, 'with its reason');

$nice->kill9;
$nice->start;
ok(same_rows('t', $paris, $nice), 'a server killed and started has its rows');

done_testing();
