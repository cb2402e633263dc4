# Frames with any bytes: refused or carried out, never a crash, never a half-done transaction.
#
# ELVIS_SEED repeats a run.
use strict;
use warnings;

use Elvis::Link;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $seed = $ENV{ELVIS_SEED} // ($ENV{ELVIS_LONG} ? time : 1);
srand($seed);
note "seed $seed";

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my @types = (qw(bool int4 text numeric varchar(8) char(3) date timestamptz timetz interval
  uuid jsonb inet int4range text[] numeric[] name bytea varbit tsvector tsquery point polygon path money pg_snapshot), 'numeric(10,2)');
my %value = (bool => 'true', int4 => 7, text => "'some text'", numeric => '12345.6789',
	'numeric(10,2)' => '1.25', 'varchar(8)' => "'varchar'", 'char(3)' => "'abc'", date => "'2024-01-01'",
	timestamptz => "'2024-01-01'", timetz => "'12:00+1'", interval => "'1 mon'",
	uuid => "'00000000-0000-0000-0000-000000000001'", jsonb => "'{\"a\": [1, \"x\"]}'", inet => "'10.0.0.1/8'",
	int4range => "'[1,5)'", 'text[]' => "'{a,b}'", 'numeric[]' => "'{1.5,NULL}'", name => "'name'",
	bytea => "'\\x0001'", varbit => "B'101'", tsvector => "'a:1 b:2'", tsquery => "'a & !b'", point => "'(1,2)'",
	polygon => "'((1,2),(3,4),(5,6))'", path => "'[(1,2),(3,4)]'", money => "'1.25'", pg_snapshot => "'10:20:10'");

for my $node ($paris, $lyon)
{
	$node->sql('create table every (id int primary key, '
		  . join(', ', map { "c$_ $types[$_]" } 0 .. $#types) . ')');
}
$paris->attach('every', 'master');

my $link = Elvis::Link->new($paris, $lyon, rules => { '*' => rules(other => always('keep_local')) })->start;
my $values = join(', ', map { $value{$_} } @types);
$paris->sql("insert into every values (1, $values), (2, $values)");
die if $link->step->{state} ne 'd';

$paris->sql("insert into every values (3, $values); update every set c1 = 8, c2 = 'y', c11 = '[1]' where id = 1; "
	  . 'delete from every where id = 2; truncate every; insert into every (id, c3) values (1, 0)');
my ($records, $id, $token) = $link->read;
my $frame = $link->frame($records, $id, $token, 3);

# Many frames a session: a harmless error ends its statement, a crash ends the session.
$lyon->sql(<<'SQL');
create table attempt (frame bytea, outcome text);
create function try_frame(frame bytea) returns text language plpgsql as $$
declare told record;
begin
	begin
		select * into told from elvis.apply(frame);
		perform 1 from every;	-- every row can be read
		perform every::text from every;
		if exists (select from every where numeric_send(c3) <> numeric_send(c3::text::numeric)) then
			raise exception using errcode = 'XX000', message = 'a numeric that is not what it says';
		end if;
		raise exception using errcode = 'EL999', message = told.state;
	exception when others then
		return sqlstate || ' ' || sqlerrm;
	end;
end $$;
SQL

sub try_all
{
	my ($name, @frames) = @_;
	my $sql = $link->open_sql . " \\g /dev/null\n";

	$sql .= "select try_frame('\\x" . unpack('H*', $_) . "');\n" for @frames;
	my ($status, $out, $error) = $lyon->try_sql($sql);
	is($status, 0, "$name: " . @frames . ' frames survived') or diag "seed $seed\n$error";
	my %seen;
	$seen{ substr($_, 0, 5) }++ for split /\n/, $out;
	note join ' ', map { "$_: $seen{$_}" } sort keys %seen;
	# what the server's own receive functions say in this way
	my $theirs = qr{tsquery|tsvector|jsonb version|position information|invalid memory alloc};
	is(join('; ', grep { /^XX/ && !/$theirs/ } split /\n/, $out), '', "$name: no internal error");
	return \%seen;
}

my $seen = try_all('the frame itself', $frame);
is($seen->{EL999}, 1, 'the frame as it is, is carried out');

# where the records begin that matter: everything after head and positions
my $skip = 2 + 40 + 48;
my (@flipped, @cut, @changed, @random);
for (1 .. 1500)
{
	my $copy = $frame;
	my $at = $skip + int rand(length($frame) - $skip);
	substr($copy, $at, 1) = chr(ord(substr($copy, $at, 1)) ^ (1 << int rand 8));
	push @flipped, $copy;
}
for (1 .. 1500)
{
	my $copy = $frame;
	for (0 .. rand 4)
	{
		my $at = $skip + int rand(length($copy) - $skip);
		my $bytes = join '', map { chr int rand 256 } 0 .. rand 5;
		substr($copy, $at, int rand 6) = $bytes;
	}
	push @changed, $copy;
}
push @cut, substr($frame, 0, $_) for map { int rand length $frame } 1 .. 200;
for (1 .. 300)
{
	push @random, substr($frame, 0, $skip) . join '', map { chr int rand 256 } 0 .. rand 200;
}

# the same, but in one value of one change: past the outer layers
my (@values);
my $changes_at = index($frame, 'some text', $skip);
for (1 .. 1500)
{
	my $copy = $frame;
	my $at = $changes_at - 10 + int rand 300;
	next if $at >= length $copy;
	substr($copy, $at, 1) = chr int rand 256;
	push @values, $copy;
}

try_all('one bit', @flipped);
try_all('some bytes', @changed);
try_all('cut short', @cut);
try_all('random', @random);
try_all('within values', @values);

# numerics, whose layout the server does not check for us
my $numeric_at = index($frame, "\x01\x82\x01\x00\x29\x09\x85\x1a", $skip);
cmp_ok($numeric_at, '>', 0, 'the numeric travels in its stored form');
my @numerics;
for (1 .. 2000)
{
	my $copy = $frame;
	substr($copy, $numeric_at + 2 * int(rand 4), 2) = pack 'v', rand() < 0.5 ? rand 65536 : rand 10010
	  for 0 .. rand 2;
	push @numerics, $copy;
}
$seen = try_all('numerics', @numerics);
cmp_ok($seen->{EL999}, '>', 50, 'some of which are numerics') or diag "seed $seed";
cmp_ok($seen->{EL004}, '>', 50, 'and some are not') or diag "seed $seed";

# a zero that has a sign: it would be printed as -0, and no numeric that is read is one
my $zero_at = rindex($frame, "\0\0\0\x06\x00\x80");
cmp_ok($zero_at, '>', 0, 'a zero travels');
substr((my $negative = $frame), $zero_at + 5, 1) = "\xa0";
$seen = try_all('a negative zero', $negative);
is($seen->{EL004}, 1, 'which is refused');

# verdicts likewise
$lyon->sql('update every set c2 = \'local\' where id = 1');
my @verdicts = map { join '', map { chr int rand 256 } 0 .. rand 40 } 1 .. 200;
push @verdicts, map { chr(3) . string('p') . string('r') . join '', map { chr int rand 12 } 0 .. rand 60 } 1 .. 200;
$link->{rules} = {};
my $asking = unpack 'H*', $link->frame($records, $id, $token, 3);
$lyon->sql(<<"SQL");
create function try_verdict(verdict bytea) returns text language plpgsql as \$\$
declare told record;
begin
	begin
		select * into told from elvis.apply('\\x$asking');
		if told.state <> 'a' then return 'not asked'; end if;
		select * into told from elvis.answer(verdict);
		raise exception using errcode = 'EL999', message = told.state;
	exception when others then
		return sqlstate || ' ' || sqlerrm;
	end;
end \$\$;
SQL
my ($status, $out, $error) = $lyon->try_sql($link->open_sql . " \\g /dev/null\n"
	  . join '', map { "select try_verdict('\\x" . unpack('H*', $_) . "');\n" } @verdicts);
is($status, 0, 'verdicts of any bytes are survived') or diag "seed $seed\n$error";
unlike($out, qr/^XX/m, 'without an internal error');
unlike($out, qr/not asked/, 'and were asked for');

# what a daemon sends back for a stop
my @conflicts = map { join '', map { chr int rand 256 } 0 .. rand 80 } 1 .. 200;
my $good = pack 'H*', ($link->step->{hex} // '');
push @conflicts, map { my $c = $good; substr($c, int rand length $c, 1) = chr int rand 256; $c } 1 .. 300;
$lyon->sql(<<'SQL');
create function try_conflict(c bytea, columns text[]) returns text language plpgsql as $$ begin
	perform elvis.record_resolution(c, '00000000-0000-4000-8000-000000000001', 's', 't', columns, '{0}', 'stop', 'p', 'r');
	return 'EL999';
exception when others then return sqlstate || ' ' || sqlerrm; end $$;
SQL
my $columns = 'array[' . join(',', map { "'c$_'" } 0 .. @types) . ']';
($status, $out, $error) = $lyon->try_sql(join '',
	map { "select try_conflict('\\x" . unpack('H*', $_) . "', $columns);\n" } $good, @conflicts);
is($status, 0, 'conflicts of any bytes are survived') or diag "seed $seed\n$error";
is((split /\n/, $out)[0], 'EL999', 'a good one is recorded');
unlike($out, qr/^XX/m, 'bad ones are refused');

# all of this left nothing behind
$link->{rules} = { '*' => rules(other => always('keep_local')) };
is($link->apply($frame)->{state}, 'd', 'then the frame is carried out');
ok(same_rows('every', $paris, $lyon), 'as it was meant');

done_testing();
