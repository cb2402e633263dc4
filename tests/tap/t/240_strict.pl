# strict: a change that does not fit stops its link, there and whole, and says why; others go
# on.  It is for a person to mend the cause, or to have that one change passed.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use JSON::PP;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $nice = Elvis::Node->new('nice', beside => $paris);
my @all = ($paris, $lyon, $nice);
my $daemon = Elvis::Daemon->new('strict', nodes => \@all,
	config => links_conf(\@all, [ 'paris', 'lyon' ], [ 'paris', 'nice' ]));

# by somebody who knows how to get past the deny trigger
sub by_hand
{
	my ($sql) = @_;

	$lyon->sql("set session_replication_role = replica; $sql");
	return;
}

sub status_of
{
	my ($link) = @_;
	my ($found) = grep { $_->{link} eq $link } @{ decode_json($daemon->ctl_ok('--json',
		'status'))->{links} };

	return $found;
}

sub wait_stopped
{
	return poll_until { status_of('paris_lyon')->{state} eq 'stopped' } 60;
}

# the newest resolution: what its columns say, in a row
sub resolution
{
	my ($columns) = @_;

	return $lyon->sql("select $columns from elvis.resolution order by id desc limit 1");
}

$_->sql('create table t (id int primary key, v text)') for @all;
$daemon->ctl_ok('apply');
$daemon->start;
$paris->sql("insert into t select i, 'v' || i from generate_series(1, 9) i");
$daemon->wait_caught_up;

by_hand("update t set v = 'by hand' where id = 3");
$paris->sql("begin; update t set v = 'new' where id = 1; update t set v = 'new' where id = 3; "
	  . "update t set v = 'new' where id = 4; commit");

ok(wait_stopped(), 'a row changed by hand stops the link');
is($lyon->sql("select count(*) from t where v = 'new'"), 0, 'nothing of its batch is applied');
my $status = status_of('paris_lyon');
like($status->{reason}, qr/\bpublic\.t\b/, 'the reason names the table');
like($daemon->log_text, qr/error.*\Q$status->{reason}\E/, 'and is in the log');
is(resolution("kind || ' ' || operation || ' ' || table_name || ' ' || verdict || ' ' || policy"),
	'update_differs update t stop strict', 'the resolution says what and who');
is(resolution('key, before, remote, local, written'),
	'{"id": "3"}|{"v": "v3", "id": "3"}|{"v": "new", "id": "3"}|{"v": "by hand", "id": "3"}|',
	'and shows each side');
$daemon->ctl_ok('wait', '--link', 'paris_nice');
ok(same_rows('t', $paris, $nice), 'the other link goes on');
my ($code, undef, $errors) = $daemon->ctl('wait', '--link', 'paris_lyon', '--timeout', 600);
isnt($code, 0, 'nobody waits for a link that does not run');

$daemon->restart;
$paris->sql("update t set v = 'later' where id = 9");
$daemon->ctl_ok('wait', '--link', 'paris_nice');
is(status_of('paris_lyon')->{state}, 'stopped', 'it stays stopped when the daemon starts anew');
is($lyon->sql('select count(*) from elvis.resolution'), 1, 'and has not tried again');

by_hand("update t set v = 'v3' where id = 3");
$daemon->ctl_ok('resume', 'paris_lyon');
$daemon->wait_caught_up;
ok(same_rows('t', @all), 'the cause mended, it goes on where it was');

# without mending, resuming stops at the same change again
by_hand("update t set v = 'by hand' where id in (3, 4)");
$paris->sql("update t set v = 'newest' where id in (3, 4, 5)");
ok(wait_stopped(), 'two more rows changed by hand');
$daemon->ctl_ok('resume', 'paris_lyon');
ok($lyon->poll('select count(*) = 3 from elvis.resolution'), 'resumed, it meets the same again');
ok(wait_stopped(), 'and stops again');
is($lyon->sql('select count(distinct (seq, ordinal)) from elvis.resolution where id > 1'), 1,
	'at the same change');

$daemon->ctl_ok('skip', 'paris_lyon');
ok($lyon->poll('select count(*) = 4 from elvis.resolution'), 'one change skipped');
ok(wait_stopped(), 'it stops at the next that does not fit');
is($lyon->sql("select count(*) from t where v = 'newest'"), 0, 'still with nothing applied');

$daemon->ctl_ok('skip', 'paris_lyon');
$daemon->wait_caught_up;
is($lyon->sql('select string_agg(v, $$ $$ order by id) from t where id between 3 and 5'),
	'by hand by hand newest', 'both passed, the rest is applied');
is($lyon->sql("select string_agg(verdict || key, ' ' order by id) from elvis.resolution "
	  . "where policy = 'operator'"),
	'keep_local{"id": "3"} keep_local{"id": "4"}', 'and that is recorded');

# each of these stops it too, and leaves the row as it is
for my $case (
	[ 'insert_exists', "insert into t values (100, 'here')", "insert into t values (100, 'there')",
		'delete from t where id = 100' ],
	[ 'delete_differs', "update t set v = 'by hand' where id = 6", 'delete from t where id = 6',
		"update t set v = 'v6' where id = 6" ],
	[ 'update_missing', 'delete from t where id = 7', "update t set v = 'x' where id = 7",
		"insert into t values (7, 'v7')" ],
	[ 'delete_missing', 'delete from t where id = 8', 'delete from t where id = 8',
		"insert into t values (8, 'v8')" ])
{
	my ($kind, $hand, $change, $mended) = @$case;

	by_hand($hand);
	my $before = checksum($lyon, 't');
	$paris->sql($change);

	ok(wait_stopped(), "$kind stops the link");
	is(resolution('kind'), $kind, "$kind is what it is called");
	is(checksum($lyon, 't'), $before, "$kind has changed nothing");

	by_hand($mended);
	$daemon->ctl_ok('resume', 'paris_lyon');
	$daemon->wait_caught_up;
}
by_hand("update t set v = 'newest' where id in (3, 4)");
ok(same_rows('t', @all), 'all of it mended, the tables are the same');

done_testing();
