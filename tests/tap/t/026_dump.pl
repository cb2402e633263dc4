# A target is dumped and restored: what elvis keeps about its tables goes by their names, as their
# numbers are others then.
use strict;
use warnings;

use Elvis::Link;
use Elvis::Node;
use Elvis::Util;
use IPC::Run;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $again = Elvis::Node->new('again', id => 2, beside => $paris, bare => 1);

for my $node ($paris, $lyon)
{
	$node->sql('create schema shop');
	$node->sql("create table shop.\"$_\" (id int primary key, v text)")
	  for 'Owned', 'joins', 'gone';
}
$paris->attach("shop.\"$_\"", 'master') for 'Owned', 'joins', 'gone';

# link a owns two tables, a third has been copied and link a has not come so far
my $link = Elvis::Link->new($paris, $lyon)->start;
$paris->sql(q(insert into shop."Owned" values (1, 'a'); insert into shop.gone values (1, 'a')));
is($link->step->{state}, 'd', 'two tables are owned');
$paris->sql(q(insert into shop.joins values (1, 'a')));
my $copied = $paris->sql('select pg_current_snapshot()');
$lyon->sql(q(insert into shop.joins values (1, 'a')));
$paris->sql(q(insert into shop.joins values (2, 'a')));
my $until = $paris->sql('select id from elvis.take_snapshot()');
for my $table ('shop.joins', 'shop.gone')
{
	$lyon->sql("select elvis.table_start('$link->{uuid}', '$table', '$copied', $until)");
}
$lyon->sql('drop table shop.gone');

sub kept
{
	my ($node) = @_;

	return $node->sql(q(select relid::text, origin, link from elvis.route order by 1)) . "\n"
	  . $node->sql(q(select relid::text, link, copied, until_id from elvis.position_table order by 1));
}

my $dumped;
ok(IPC::Run::run([ 'pg_dump', $lyon->conninfo ], '>', \$dumped), 'it is dumped');
ok(IPC::Run::run([ 'psql', '-qX', '-v', 'ON_ERROR_STOP=1', '-d', $again->conninfo ],
		'<', \$dumped, '>', \my $said), 'and restored');

isnt($again->sql(q(select 'shop."Owned"'::regclass::oid)),
	$lyon->sql(q(select 'shop."Owned"'::regclass::oid)), 'its tables have other numbers');
is(kept($again), kept($lyon), 'and what is kept about them is about the same tables');
is($again->sql('select count(*) from elvis.route') . '|'
	  . $again->sql('select count(*) from elvis.position_table'), '1|1',
	'of one that was dropped there is nothing');

$again->sql('select elvis.same_node()');
$link->{to} = $again;
$paris->sql(q(insert into shop."Owned" values (2, 'b')));
my $told = $link->step;
is($told->{state}, 'd', 'the link goes on there') or diag explain $told;
ok(same_rows("shop.$_", $paris, $again), "$_ is the same as at the source") for '"Owned"', 'joins';
is($again->sql('select count(*) from elvis.position_table'), 0, 'and the copy is history');
my $other = Elvis::Link->new($paris, $again)->start;
$paris->sql(q(insert into shop."Owned" values (3, 'c')));
like($other->step->{error}, qr/come here by two links/, 'no other link is let in');

done_testing();
