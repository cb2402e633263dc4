# Every built-in type: inserted, updated column by column, deleted, and the same here and there.
use strict;
use warnings;

use Elvis::Link;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my @nodes = ($paris, $lyon);

# type => values, the first two and whatever is extreme
my %values = (
	bool => [ 'true', 'false' ],
	'"char"' => [ "'a'", "'z'", "''" ],
	int2 => [ 1, 2, -32768, 32767 ],
	int4 => [ 1, 2, '-2147483648', 2147483647 ],
	int8 => [ 1, 2, "'-9223372036854775808'", "'9223372036854775807'" ],
	oid => [ 1, "'4294967295'" ],
	xid8 => [ "'1'", "'18446744073709551615'" ],
	xid => [ "'1'", "'4294967295'" ],
	cid => [ "'1'", "'2'" ],
	tid => [ "'(0,1)'", "'(4294967295,65535)'" ],
	float4 => [ 1.5, "'-0'", "'NaN'", "'Infinity'", "'1e-37'" ],
	float8 => [ 1.5, "'-0'", "'NaN'", "'-Infinity'", "'1e-307'", "'1e308'" ],
	numeric => [ '0', '1.00', "'NaN'", "'Infinity'", '-10000.0001', '1e-40', '9e200', '0.000' ],
	'numeric(10,2)' => [ '1.25', '-99999999.99', "'NaN'", '0' ],
	money => [ "'1.25'", "'-92233720368547758.08'" ],
	text => [ "'x'", "''", "repeat('long ', 5000)", "'\x{e4}\x{20ac}'" ],
	'varchar(10)' => [ "'x'", "''", "'1234567890'", "repeat('\x{20ac}', 10)" ],
	'char(5)' => [ "'x'", "'12345'", "''" ],
	'char(12)' => [ "'x'", "'\x{e4}\x{20ac}23456789\x{1f600}1'" ],
	name => [ "'x'", "repeat('n', 63)" ],
	bytea => [ "'\\x00ff'", "''", "decode(repeat('00', 100000), 'hex')" ],
	date => [ "'2024-02-29'", "'infinity'", "'-infinity'", "'4713-01-01 BC'", "'5874897-12-31'" ],
	time => [ "'12:00:00.000001'", "'24:00:00'", "'00:00'" ],
	timetz => [ "'12:00:00+15:59'", "'24:00:00-15:59'" ],
	timestamp => [ "'2024-01-01 00:00:00.5'", "'infinity'", "'4713-01-01 BC'", "'294276-12-31'" ],
	timestamptz => [ "'2024-01-01 00:00:00.5+3'", "'-infinity'", "'294276-12-31+0'" ],
	'timestamp(0)' => [ "'2024-01-01 00:00:01'", "'2024-01-01 00:00:02'" ],
	interval => [ "'1 mon 2 days 03:04:05.6'", "'-178000000 years'", "'0'" ],
	'interval day to second' => [ "'2 days 03:04:05.6'", "'0'" ],
	uuid => [ "'00000000-0000-0000-0000-000000000000'", "'ffffffff-ffff-ffff-ffff-ffffffffffff'" ],
	inet => [ "'10.0.0.1/8'", "'::1'", "'0.0.0.0/0'" ],
	cidr => [ "'10.0.0.0/8'", "'2001:db8::/32'" ],
	macaddr => [ "'08:00:2b:01:02:03'", "'ff:ff:ff:ff:ff:ff'" ],
	macaddr8 => [ "'08:00:2b:01:02:03:04:05'", "'00:00:00:00:00:00:00:00'" ],
	'bit(5)' => [ "B'10101'", "B'00000'" ],
	varbit => [ "B'1'", "B''", "B'101010101010101'" ],
	json => [ "'{\"a\": 1, \"a\":2}'", "'null'" ],
	jsonb => [ "'{\"a\": [1, 2.50, null]}'", "'\"x\"'", "'[]'" ],
	jsonpath => [ "'\$.a[*] ? (\@ > 1)'", "'\$'" ],
	point => [ "'(1,2)'", "'(NaN,-0)'" ],
	line => [ "'{1,2,3}'", "'{0,1,0}'" ],
	lseg => [ "'[(1,2),(3,4)]'", "'[(0,0),(0,0)]'" ],
	box => [ "'(3,4),(1,2)'", "'(0,0),(0,0)'" ],
	path => [ "'((1,2),(3,4))'", "'[(1,2)]'" ],
	polygon => [ "'((1,2),(3,4),(5,6))'", "'((0,0))'" ],
	circle => [ "'<(1,2),3>'", "'<(0,0),0>'" ],
	tsvector => [ "'a:1 b:2A'", "''" ],
	tsquery => [ "'a & !b'", "'a <-> b'" ],
	int4range => [ "'[1,5)'", "'empty'", "'(,)'" ],
	numrange => [ "'[1.5,2.50]'", "'empty'" ],
	tstzrange => [ "'[2024-01-01 00:00+0,infinity)'", "'empty'" ],
	int8multirange => [ "'{[1,3), [5,7)}'", "'{}'" ],
	pg_lsn => [ "'0/0'", "'FFFFFFFF/FFFFFFFF'" ],
	pg_snapshot => [ "'10:20:10,14'", "'1:1:'" ],
	'int4[]' => [ "'{1,NULL,3}'", "'{}'", "'[5:6]={1,2}'", "'{{1,2},{3,4}}'" ],
	'text[]' => [ "'{a,NULL,\"b c\"}'", "'{}'" ],
	'numeric[]' => [ "'{1.0,1.00}'", "'{NaN}'" ],
	'timestamptz[]' => [ "'{2024-01-01 00:00+0}'", "'{infinity}'" ],
	int2vector => [ "'1 2'", "''" ],
	oidvector => [ "'1 2'", "''" ],
	regclass => [ "'pg_class'", "'elvis.node'" ],
	regtype => [ "'int4'", "'public.mood'" ],
	regproc => [ "'pg_catalog.now'", "'elvis.deny'" ],
	regrole => [ "'elvis_daemon'", "'elvis_admin'" ],
	'regclass[]' => [ "'{pg_class}'", "'{pg_type}'" ],
	mood => [ "'sad'", "'happy'" ],
	'mood[]' => [ "'{sad,happy}'", "'{}'" ],
	pair => [ "row(1, 'x', '2024-01-01 00:00+0')", "row(NULL, '', NULL)" ],
	positive => [ 1, 2 ],
	short => [ "'x'", "'12345'" ],
	'positive[]' => [ "'{1,2}'", "'{}'" ],
	floatrange => [ "'[1.5,2.5)'", "'empty'" ],
	aclitem => [ "'elvis_daemon=r/elvis_admin'", "'=r/elvis_admin'" ],
	refcursor => [ "'x'", "''" ],
);
my @types = sort keys %values;
my $xml = $paris->sql("select count(*) from pg_config where name = 'CONFIGURE' and setting like '%with-libxml%'");
if ($xml) { push @types, 'xml'; $values{xml} = [ "'<a>1</a>'", "'text'" ]; }

for my $node (@nodes)
{
	# numbers of local things differ between the nodes
	$node->sql('create table public.padding (a int); create type padding_type as enum ()')
	  if $node == $lyon;
	$node->sql("create type mood as enum ('sad', 'ok', 'happy')");
	$node->sql('create type pair as (a int, b text, c timestamptz)');
	$node->sql('create domain positive as int check (value > 0)');
	$node->sql('create domain short as varchar(5)');
	$node->sql('create type floatrange as range (subtype = float8)');
	$node->sql('create table every (id int primary key, '
		  . join(', ', map { "c$_ $types[$_]" } 0 .. $#types) . ')');
}
$paris->attach('every', 'master');

for my $portable ('stored', 'binary')
{
	my $link = Elvis::Link->new($paris, $lyon, portable => $portable)->start;
	my $told;

	$paris->sql('insert into every values (1, '
		  . join(', ', map { $values{$_}[0] } @types) . ')');
	$paris->sql('insert into every (id) values (2)');
	$told = $link->step;
	is($told->{state}, 'd', "$portable: a row of every type is inserted") or diag explain $told;
	ok(same_rows('every', @nodes), "$portable: and is the same");

	for my $i (0 .. $#types)
	{
		$paris->sql("update every set c$i = $_ where id in (1, 2)") for @{ $values{ $types[$i] } };
		$paris->sql("update every set c$i = NULL where id = 2");
		$told = $link->step;
		is($told->{state}, 'd', "$portable: $types[$i] is updated") or diag explain $told;
	}
	ok(same_rows('every', @nodes), "$portable: all rows are the same");

	$paris->sql('update every set id = id + 10');
	$told = $link->step;
	is($told->{state}, 'd', "$portable: keys are updated") or diag explain $told;
	ok(same_rows('every', @nodes), "$portable: and are the same");

	$paris->sql('delete from every');
	$told = $link->step;
	is($told->{state}, 'd', "$portable: rows of every type are deleted") or diag explain $told;
	is($lyon->sql('select count(*) from every'), 0, "$portable: and are gone");
	is($lyon->sql('select count(*) from elvis.resolution'), 0, "$portable: without a conflict");
	$link->forget;
}

done_testing();
