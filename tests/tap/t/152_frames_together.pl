# A target transaction in frames that are worked on together: they may be cut anywhere, nothing is
# done or locked before the last of them is there, and then it is as if they were one.
use strict;
use warnings;

use Elvis::Link;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my ($FIRST, $LAST, $ALONE, $MORE) = (1, 2, 4, 16);

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
for my $node ($paris, $lyon)
{
	$node->sql('create table t (id int primary key, v text)');
	$node->sql('create table u (id int primary key, v text)');
}
$paris->attach($_, 'master') for qw(t u);
my $link = Elvis::Link->new($paris, $lyon)->start;

# All there is to deliver, in so many frames with these flags besides
sub frames
{
	my ($n, $flags) = @_;
	my $whole = $link->frame($link->read, $FIRST | $LAST);
	my ($expected, $next, $records) = unpack 'x2 a40 a48 a*', $whole;
	my $part = int(length($records) / $n) + 1;
	my @frames;

	for my $i (1 .. $n)
	{
		push @frames, chr(1)
		  . chr(($flags // 0) | ($i == 1 ? $FIRST : 0) | ($i == $n ? $LAST : $MORE))
		  . ($i == 1 ? $expected : '') . ($i == $n ? $next : '')
		  . substr($records, 0, $part, '');
	}
	return @frames;
}

# The statements in one transaction, in one session: (what they say, the error)
sub transaction
{
	my (@statements) = @_;
	my ($status, $out, $error) = $lyon->try_sql(
		join "\n", $link->open_sql . '\g /dev/null', 'begin;', @statements, 'commit;');

	return ($out, $error);
}

sub applies { return map { 'select state, changes from elvis.apply(' . hex_of($_) . ');' } @_; }

sub fill
{
	my ($from, $to) = @_;

	$paris->sql("insert into $_ select g, 'v' || g from generate_series($from, $to) g") for qw(t u);
	return;
}

my ($out, $error);

fill(1, 100);
($out, $error) = transaction(applies(frames(7)));
is($error, '', 'seven frames, cut anywhere');
is($out, "d|0\n" x 6 . 'd|200', 'the changes are the last one\'s');
ok(same_rows($_, $paris, $lyon), "$_ has all of them") for qw(t u);

fill(101, 200);
($out, $error) = transaction(applies(frames(5, $ALONE)));
is("$out$error", "d|0\n" x 4 . 'd|200', 'likewise where the transaction is alone');
ok(same_rows($_, $paris, $lyon), "$_ has all of them") for qw(t u);

# ---- a conflict ----
$lyon->sql("update t set v = 'local' where id = 50");
$paris->sql("update t set v = 'new' where id between 1 and 100");
($out, $error) = transaction(applies(frames(4, $ALONE)));
like($error, qr/a change of table "public.t" does not fit/, 'alone, a conflict is raised');
is($lyon->sql("select count(*) from t where v = 'new'"), 0, 'and nothing is left behind');
($out, $error) = transaction(applies(frames(4)),
	'select state, changes from elvis.answer(' . hex_of(verdict('keep_local')) . ');');
is("$out$error", "d|0\nd|0\nd|0\na|49\nd|100", 'else it is asked when the last is there');
is($lyon->sql("select count(*) from t where v = 'new'"), 99, 'and the walk goes on');
$paris->sql("update t set v = 'local' where id = 50");
transaction(applies(frames(1)), 'select elvis.answer(' . hex_of(verdict('keep_local')) . ');');
ok(same_rows('t', $paris, $lyon), 'both are the same again');

# ---- what the server refuses is found among what was gathered ----
$lyon->sql('alter table u add check (id <> 207)');
$link->{rules} = { '*' => rules(constraint_violation => always('keep_local')) };
fill(201, 300);
($out, $error) = transaction(applies(frames(6)));
is("$out$error", "d|0\n" x 5 . 'd|200', 'a row that is refused');
is($lyon->sql("select string_agg(key->>'id', ' ') from elvis.resolution where verdict = 'keep_local'
	and kind = 'constraint_violation'"), '207', 'is passed and told of');
is($lyon->sql('select count(*) from u where id > 200'), 99, 'and no other');

# ---- while more is to come ----
fill(301, 400);
my @frames = frames(3);
my $session = $lyon->cluster->background_psql('lyon', on_error_stop => 0);
$session->query_safe($link->open_sql);
$session->query_safe('begin');
is($session->query_safe($_), 'd|0', 'a frame is kept') for applies(@frames[0, 1]);
is($lyon->sql('select count(*) from (select from elvis.position for update nowait) p'), 1,
	'the position is not locked');
is($lyon->sql("select count(*) from pg_locks where locktype = 'transactionid'
	and pid in (select pid from pg_stat_activity where state = 'idle in transaction')"), 0,
	'nor has the transaction a number that others would wait for');
$session->query_safe('rollback');
$session->quit;
($out, $error) = transaction(applies(@frames[0, 1]));
like($error, qr/must not end before its last frame/, 'it cannot end there');
is($lyon->sql('select count(*) from t where id > 300'), 0, 'nothing was done');
($out, $error) = transaction(applies(@frames));
is("$out$error", "d|0\nd|0\nd|200", 'all of them are applied after that');

# ---- what does not go together ----
sub flags
{
	my ($frame, $flags) = @_;

	substr $frame, 1, 1, chr $flags;
	return $frame;
}

fill(401, 500);
@frames = frames(2);
for (
	[ 'the last, but going on', flags($frames[1], $LAST | $MORE) ],
	[ 'alone, but neither the last nor going on', flags($frames[0], $FIRST | $ALONE) ],
	[ 'alone, but not all of it', flags($frames[1], $LAST | $ALONE) ],
	[ 'alone, but not all of it', flags($frames[0], $FIRST | $MORE | $ALONE), $frames[1] ],
	[ '', substr($frames[0], 0, -1), $frames[1] ])
{
	my ($what, @bad) = @$_;

	@bad = ($frames[0], @bad) unless ord(substr $bad[0], 1, 1) & $FIRST;
	($out, $error) = transaction(applies(@bad));
	like($error, qr/frame is damaged: \Q$what\E/, 'refused: ' . ($what || 'a byte is missing'));
}
is($lyon->sql('select count(*) from t where id > 400'), 0, 'with nothing done');
($out, $error) = transaction(applies(@frames));
is("$out$error", "d|0\nd|200", 'what is sound is applied');

# ---- savepoints: the position goes with what was applied, whatever is rolled back ----
fill(501, 600);
@frames = frames(2);
($out, $error) = transaction('savepoint a;', applies(flags(substr($frames[0], 0, 42), $FIRST)),
	'release a;', 'savepoint b;', 'rollback to b;');
like($error, qr/must not end before its last frame/,
	'another savepoint rolled back does not end what a released one has begun');
my $durable = "select from_id from elvis.durable_position('$link->{uuid}')";
my $before = ($link->position)[0];
($out, $error) = transaction('savepoint a;', applies(frames(1)), 'rollback to a;', 'commit;',
	"$durable;", 'begin;');
is("$out$error", "d|200\n$before", 'a position rolled back with a savepoint is not taken for durable');
is($lyon->sql('select count(*) from t where id > 500'), 0, 'nor are the rows there');
($out, $error) = transaction('savepoint a;', applies($frames[0]), 'release a;', applies($frames[1]),
	'commit;', "$durable;", 'begin;');
is($error, '', 'frames on both sides of a released savepoint');
ok(same_rows('t', $paris, $lyon), 'have done all');

done_testing();
