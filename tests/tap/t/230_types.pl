# Every type a column may have arrives as it was: each built-in type that the catalog knows,
# arrays of it, and types that users make, in rows and in keys; as the server keeps it where
# both ends are alike, and in the type's own form where the encodings differ.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use Test::More;

# Values of each type, as SQL strings; the first two differ, the rest are its corners.
my %samples = (
	aclitem => [ 'elvis_admin=r/elvis_admin', '=X*/elvis_admin' ],
	bit => [ '1', '0', '10110', '', '1' x 65 ],
	bool => [ 't', 'f' ],
	box => [ '(1,2),(-3,4)', '(0,0),(0,0)', '(Infinity,1e300),(-Infinity,NaN)' ],
	bpchar => [ 'x', 'y ', '', 'grün  ', "quote ' and \\ and \n" ],
	bytea => [ '\x00ff', '\x5c', '\x', '\x' . '00ff7f80' x 3000 ],
	char => [ 'a', 'b', '', '\377' ],
	cid => [ '1', '4294967295', '0' ],
	cidr => [ '10.0.0.0/8', '2001:db8::/32', '0.0.0.0/0', '::/0', '1.2.3.4/32' ],
	circle => [ '<(1,2),3>', '<(0,0),0>', '<(Infinity,-1e300),NaN>' ],
	date => [ '2024-02-29', '1999-12-31', 'infinity', '-infinity', '4713-01-01 BC',
		'5874897-12-31' ],
	datemultirange => [ '{[2024-01-01,2024-02-01)}', '{}',
		'{(,2000-01-01),[2001-01-01,2001-01-03),[infinity,]}' ],
	daterange => [ '[2024-01-01,2024-02-01)', 'empty', '(,)', '[2000-01-01,infinity]' ],
	float4 => [ '1.5', '-0', '0', 'NaN', 'Infinity', '-Infinity', '1e-45', '3.4028235e38',
		'0.1' ],
	float8 => [ '0.1', '-0', '0', 'NaN', 'Infinity', '-Infinity', '5e-324',
		'1.7976931348623157e308', '0.30000000000000004' ],
	inet => [ '10.1.2.3/8', '::1', '0.0.0.0', 'fe80::1/64', '255.255.255.255/0' ],
	int2 => [ '1', '-1', '0', '32767', '-32768' ],
	int2vector => [ '1 2', '-32768', '' ],
	int4 => [ '1', '-1', '0', '2147483647', '-2147483648' ],
	int4multirange => [ '{[1,3)}', '{}', '{(,1),[5,7),[100,)}' ],
	int4range => [ '[1,5)', 'empty', '(,)', '[-2147483648,2147483647)' ],
	int8 => [ '1', '-1', '0', '9223372036854775807', '-9223372036854775808' ],
	int8multirange => [ '{[1,3)}', '{}', '{(,-9223372036854775807),[5,7)}' ],
	int8range => [ '[1,5)', 'empty', '(,9223372036854775807)' ],
	interval => [ '1 day', '-1 mon', '1 year 2 mons -3 days 04:05:06.789012', '0',
		'178000000 years', '-178000000 years', '1 mon', '30 days' ],
	json => [ '{"a": 1,  "a":[ null ] }', '[]', '"\u00e9"', 'null', ' 1e400 ' ],
	jsonb => [ '{"a":{"b":[1,null,"x"]},"":0.10}', '{}', 'null', '1e40', '"\u00e9"',
		'{"k":"' . 'long ' x 2000 . '"}' ],
	jsonpath => [ '$.a[*] ? (@ > 1)', 'strict $', '$."x y".type()' ],
	line => [ '{1,2,3}', '{-1,0,1e300}' ],
	lseg => [ '[(1,2),(3,4)]', '[(0,0),(0,0)]', '[(-Infinity,NaN),(1e-300,0)]' ],
	macaddr => [ '08:00:2b:01:02:03', 'ff:ff:ff:ff:ff:ff', '00:00:00:00:00:00' ],
	macaddr8 => [ '08:00:2b:01:02:03:04:05', 'ff:ff:ff:ff:ff:ff:ff:ff' ],
	money => [ '1.23', '-0.01', '92233720368547758.07', '-92233720368547758.08' ],
	name => [ 'a', '', 'x' x 63, 'Größe "quoted"' ],
	numeric => [ '1.0', '1.00', '0', 'NaN', 'Infinity', '-Infinity', '-0.000',
		'1' . '0' x 1000, '0.' . '0' x 1000 . '1', '-12345678901234567890.0987654321',
		'9999', '10000', '0.0001' ],
	nummultirange => [ '{[1.0,3.00)}', '{}', '{(,1),(5,7]}' ],
	numrange => [ '[1.0,1.00]', 'empty', '(,1e300)', '(-Infinity,NaN)' ],
	oid => [ '1', '0', '4294967295' ],
	oidvector => [ '1 2', '4294967295', '' ],
	path => [ '[(1,2),(3,4)]', '((1,2),(3,4),(0,0))', '[(0,0)]' ],
	pg_lsn => [ '16/B374D848', '0/0', 'FFFFFFFF/FFFFFFFF' ],
	pg_snapshot => [ '10:20:10,14,15', '5:5:', '1:9223372036854775807:' ],
	point => [ '(1,2)', '(-0,0)', '(Infinity,NaN)' ],
	polygon => [ '((1,2),(3,4),(0,0))', '((0,0))' ],
	refcursor => [ 'a cursor', '' ],
	regclass => [ 'pg_class', 'r.there', '-' ],
	regcollation => [ '"C"', '"POSIX"', '-' ],
	regconfig => [ 'simple', 'english' ],
	regdictionary => [ 'simple', 'english_stem' ],
	regnamespace => [ 'r', 'pg_catalog', '-' ],
	regoper => [ 'pg_catalog.||/', '|/', '0' ],
	regoperator => [ '+(integer,integer)', 'r.===(integer,integer)', '0' ],
	regproc => [ 'r.f', 'now', '-' ],
	regprocedure => [ 'abs(integer)', 'r.f(r.mood)', '-' ],
	regrole => [ 'elvis_admin', 'elvis_daemon', '-' ],
	regtype => [ 'r.mood', 'integer', 'r.mood[]', '-' ],
	text => [ 'a', '', "tab\t nl\n cr\r \\ '\" ", "é", 'x' x 20000, 'NULL', '{}' ],
	tid => [ '(0,1)', '(4294967295,65535)' ],
	time => [ '12:34:56.789012', '00:00:00', '24:00:00', '23:59:59.999999' ],
	timestamp => [ '2024-02-29 12:34:56.789012', 'infinity', '-infinity',
		'4713-01-01 00:00:00 BC', '294276-12-31 23:59:59.999999' ],
	timestamptz => [ '2024-02-29 12:34:56.789012+02', 'infinity', '-infinity',
		'1883-11-18 12:03:57 America/New_York', '294276-12-31 23:59:59.999999+00' ],
	timetz => [ '12:34:56.789012+02', '24:00:00-15:59', '00:00:00+15:59:59' ],
	tsmultirange => [ '{["2024-01-01 00:00","2024-01-02 00:00")}', '{}', '{(,infinity]}' ],
	tsquery => [ q('fat' & !'rat':AB*), q('a' <-> 'b' | 'c' <3> 'd'), q('it''s') ],
	tsrange => [ '["2024-01-01 00:00","2024-01-02 00:00")', 'empty', '(,)' ],
	tstzmultirange => [ '{["2024-01-01 00:00+00","2024-01-02 00:00+00")}', '{}' ],
	tstzrange => [ '["2024-01-01 00:00+00",infinity)', 'empty', '(,)' ],
	tsvector => [ q('fat':2,4A 'rat':16383B), '', q('it''s' '\\\\':1) ],
	txid_snapshot => [ '10:20:10,14,15', '5:5:' ],
	uuid => [ 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '00000000-0000-0000-0000-000000000000',
		'ffffffff-ffff-ffff-ffff-ffffffffffff' ],
	varbit => [ '101', '', '0' x 70 ],
	varchar => [ 'x', '', 'y ' x 5000 ],
	xid => [ '1', '4294967295', '0' ],
	xid8 => [ '1', '18446744073709551615', '0' ],
	xml => [ '<a b="c">d</a>', 'content only', '<!-- c --><x/>', '&lt;' ],

	# of these the server makes values itself, and takes none from anybody
	(map { $_ => [] } qw(gtsvector pg_brin_bloom_summary pg_brin_minmax_multi_summary
		pg_dependencies pg_mcv_list pg_ndistinct pg_node_tree)),
);

# Types with modifiers, and those that users make
my %made = (
	'numeric(10,2)' => [ '1.10', '-99999999.99', 'NaN' ],
	'numeric(3,-2)' => [ '12300', '-99900' ],
	'varchar(5)' => [ 'abc', 'éßñøå', '' ],
	'char(5)' => [ 'abc', 'éßñøå', '' ],
	'bit(5)' => [ '10110', '00000' ],
	'varbit(7)' => [ '1011011', '' ],
	'timestamp(2)' => [ '2024-02-29 12:34:56.78', 'infinity' ],
	'time(0)' => [ '12:34:56', '24:00:00' ],
	'interval hour to minute' => [ '1:02', '-3:04' ],
	'interval(1)' => [ '1.2 s', '3 days' ],
	'r.mood' => [ 'so so', q(it's "fine"), 'größer' ],
	'r.pair' => [ '(1,"so so","{a,NULL}")', '(,,)', '(7,,"{""x,y""}")' ],
	'r.nested' => [ '("(1,""so so"",{a})",t)', '(,)' ],
	'r.short' => [ 'abc', '' ],
	'r.feeling' => [ 'so so', 'größer' ],
	'r.some_days' => [ '[2024-01-01,2024-02-01)', 'empty' ],
	'r.letters' => [ '[a,z)', 'empty', '(,"a b"]' ],
	'r.letters_multirange' => [ '{[a,c),[x,z]}', '{}' ],
	'r.numbers' => [ '{1,NULL,3}', '{}' ],
	'hstore' => [ '"a"=>"1", "b"=>NULL', '' ],
	'citext' => [ 'Abc', 'aBC' ],
);

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $nice = Elvis::Node->new('nice', beside => $paris, encoding => 'LATIN1');
my @all = ($paris, $lyon, $nice);
$ENV{PGCLIENTENCODING} = 'UTF8';

# a target's own types first, so that the same types have other numbers there
$lyon->sql('create schema other; create type other.mood as enum (\'x\'); '
	  . 'create type other.pair as (a int); create domain other.d as int');
my $user_types = <<'SQL';
set client_min_messages = error;
create schema r;
create table r.there ();
create type r.mood as enum ('so so', 'it''s "fine"', 'größer');
create function r.f(r.mood) returns int language sql as 'select 1';
create operator r.=== (leftarg = integer, rightarg = integer, function = int4eq);
create type r.pair as (a int, "The Mood" r.mood, c text[]);
create type r.nested as (p r.pair, b bool);
create domain r.short as text check (length(value) < 10);
create domain r.feeling as r.mood;
create domain r.some_days as daterange;
create domain r.numbers as int[] check (array_length(value, 1) < 10);
create type r.letters as range (subtype = text, collation = "C");
SQL
$_->sql($user_types) for @all;
for my $extension (qw(hstore citext))
{
	$_->try_sql("create extension $extension schema pg_catalog") for @all;
}
for my $type (sort keys %made)
{
	my ($failed) = $paris->try_sql("select null::$type");

	note "this server has no type $type" if $failed;
	delete $made{$type} if $failed;
}

# Which types there are, the catalog says
my @built_in = split /\n/, $paris->sql(<<'SQL');
select typname from pg_type
where typnamespace = 'pg_catalog'::regnamespace and typtype in ('b', 'r', 'm', 'e', 'd') and
      typname not like '\_%' and typname not in ('hstore', 'citext', 'ghstore')
order by 1
SQL
my @forgotten = grep { !$samples{$_} } @built_in;
is_deeply(\@forgotten, [], 'there are values of every built-in type');

# A column is [ name, type, SQL expressions of its values ]
my @columns;

sub add_column
{
	my ($type, @values) = @_;
	my @sql = map { my $v = $_; $v =~ s/'/''/g; "'$v'::$type" } @values;
	my $number = @columns;

	push @columns, [ "c$number", $type, 'null', @sql ];
	# a domain over an array makes no array of itself by array[]
	return if !@sql || $type eq 'r.numbers';
	my $array = $type . '[]';
	push @columns, [ "a$number", $array, "array[$sql[0], null, $sql[-1]]", "'{}'::$array",
		"array[[$sql[0]], [$sql[1]]]",
		"array_fill($sql[0], array[2, 1], array[-1, 3])", 'null' ];
	return;
}

add_column(qq(pg_catalog."$_"), @{ $samples{$_} }) for @built_in;
add_column($_, @{ $made{$_} }) for sort keys %made;

# A row's value of a column, in some round
sub value
{
	my ($column, $row, $round) = @_;
	my (undef, undef, @values) = @$column;

	return $values[ ($row + $round) % @values ];
}

my $rows = 6;
my $definition = join ', ', 'id int primary key', map { "$_->[0] $_->[1]" } @columns;
my $values = join ', ', map {
	my $row = $_;
	'(' . join(', ', $row, map { value($_, $row, 0) } @columns) . ')';
} 0 .. $rows - 1;

# and types as keys, where they have an order
my @keys;
for my $column (grep { @$_ > 4 } @columns)
{
	my ($name, $type, @values) = @$column;
	my @some = grep { $_ ne 'null' } @values;

	push @keys, [ "key_$name", $type, @some ];
}
my $tries = join "\n", map { <<"SQL" } @keys;
begin; create table $_->[0] (k $_->[1] primary key, v int);
insert into $_->[0] values ($_->[2]), ($_->[3]); delete from $_->[0]; commit;
SQL
$_->cluster->psql($_->name, $tries, on_error_stop => 0) for @all;
my %made_keys = map { $_ => 1 }
  split /\n/, $paris->sql("select tablename from pg_tables where tablename like 'key\\_%'");
@keys = grep { $made_keys{ $_->[0] } } @keys;
cmp_ok(scalar @keys, '>', 60, 'most types can be keys');

$_->sql("create table kinds ($definition)") for @all;
my $daemon = Elvis::Daemon->new('kinds', nodes => \@all,
	config => links_conf(\@all, [ 'paris', 'lyon' ], [ 'paris', 'nice' ]));
$daemon->ctl_ok('apply');
$daemon->start;

sub arrived
{
	my ($what) = @_;
	my ($status, undef, $errors) = $daemon->ctl('wait');

	is($status, 0, "$what: delivered") or die $errors;
	ok(same_rows('kinds', @all), "$what: the same");
	return;
}

$paris->sql("insert into kinds values $values");
arrived('rows of every type');

sub changes
{
	my ($column) = @_;

	return map {
		my $round = $_;
		my $cases = join ' ', map { "when $_ then " . value($column, $_, $round) } 0 .. $rows - 1;

		"update kinds set $column->[0] = case id $cases end;\n";
	} 1 .. @$column - 3;
}

# each statement is a transaction of its own
my @left = @columns;
while (my @some = splice @left, 0, 12)
{
	$paris->sql(join '', map { changes($_) } @some);
	arrived("values of $some[0]->[1] to $some[-1]->[1], changed");
}

$paris->sql('delete from kinds where id % 2 = 0');
arrived('half of them deleted');
$paris->sql('delete from kinds');
arrived('all of them deleted');
is($_->sql('select count(*) from kinds'), 0, 'nothing is left') for @all;

# keys: inserted, another column changed, the key changed, deleted
sub key_changes
{
	my ($table, undef, $last, @values) = @{ $_[0] };
	my $v = 0;
	my $inserts = join '', map {
		"insert into $table values ($_, " . ++$v . ") on conflict do nothing;\n"
	} @values;

	return $inserts . "update $table set v = v + 1;\nupdate $table set k = $last where v = 2;\n";
}

$paris->sql(join '', map { key_changes($_) } @keys);
$daemon->wait_caught_up;
is_deeply([ grep { !same_rows($_, @all) } map { $_->[0] } @keys ], [],
	'keys of every type, changed');
$paris->sql(join ';', map { "delete from $_->[0]" } @keys);
$daemon->wait_caught_up;
is_deeply([ grep { checksum($lyon, $_) !~ /^0 / || checksum($nice, $_) !~ /^0 / } map { $_->[0] } @keys ], [],
	'and deleted');

is($_->sql('select count(*) from elvis.resolution'), 0, 'without a conflict') for @all;

done_testing();
