# One conflict, three policies: each table ends as its policy says, the link goes on, and what
# was decided is recorded with all sides.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use JSON::PP;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my @both = ($paris, $lyon);
my $daemon = Elvis::Daemon->new('paris_lyon', nodes => \@both,
	config => links_conf(\@both, [ 'paris', 'lyon', <<'CONF' ]));
tables = (
	{ match = "public.skipped"; policy = "skip"; },
	{ match = "public.overwritten"; policy = "apply_remote"; },
	{ match = "public.newest"; policy = ( { use = "last_writer_wins"; column = "at"; }, "skip" ); },
	"public.*"
);
CONF
my @tables = qw(skipped overwritten newest);

$_->sql(join ';', map { "create table $_ (id int primary key, v text, at int)" } @tables, 'other')
  for @both;
$daemon->ctl_ok('apply');
$daemon->start;
$paris->sql(join ';', map {
	"insert into $_ select i, 'v' || i, 10 from generate_series(1, 5) i" } @tables);
$daemon->wait_caught_up;

# 1: here before there; 2: here after there; 3: gone here; 4: deleted there; 6: made on both
for my $table (@tables)
{
	$lyon->sql(<<"SQL");
set session_replication_role = replica;
update $table set v = 'here', at = 15 where id = 1;
update $table set v = 'here', at = 30 where id = 2;
delete from $table where id = 3;
update $table set v = 'here', at = 15 where id = 4;
insert into $table values (6, 'here', 15);
SQL
	$paris->sql(<<"SQL");
begin;
update $table set v = 'there', at = 20 where id in (1, 2, 3);
delete from $table where id = 4;
update $table set v = 'fits', at = 20 where id = 5;
insert into $table values (6, 'there', 20);
commit;
SQL
}
$paris->sql("insert into other values (1, 'behind it', 1)");
$daemon->wait_caught_up;

sub rows
{
	my ($table) = @_;

	return $lyon->sql("select string_agg(id || ' ' || v, ', ' order by id) from $table");
}

is(rows('skipped'), '1 here, 2 here, 4 here, 5 fits, 6 here', 'skip keeps what is here');
is(rows('overwritten'), '1 there, 2 there, 3 there, 5 fits, 6 there',
	'apply_remote takes what comes');
is(rows('newest'), '1 there, 2 here, 4 here, 5 fits, 6 there',
	'last_writer_wins takes what is newer, and leaves what is gone to the next');
is(rows('other'), '1 behind it', 'the link goes on');

sub resolutions
{
	my ($table, $columns) = @_;

	return $lyon->sql("select string_agg(concat_ws(' ', $columns), ', ' order by key->>'id') "
		  . "from elvis.resolution where table_name = '$table'");
}

is(resolutions('skipped', "key->>'id', kind, verdict, policy"), '1 update_differs keep_local skip, '
	  . '2 update_differs keep_local skip, 3 update_missing keep_local skip, '
	  . '4 delete_differs keep_local skip, 6 insert_exists keep_local skip',
	'all that skip passed is recorded');
is(resolutions('overwritten',
		"before->>'v', remote->>'v', local->>'v', coalesce(written->>'v', '-')"),
	'v1 there here there, v2 there here there, v3 there there, v4 here -, there here there',
	'with the row before, the one that came, the one that was here, the one that is here now');
like(resolutions('newest', "key->>'id', verdict, policy"),
	qr/2 keep_local last_writer_wins, 3 keep_local skip, 4 keep_local skip/,
	'and who has decided');
is($lyon->sql('select count(*) from elvis.resolution where link is null or remote_origin <> 1 '
	  . 'or remote_at is null or remote_xid is null'), 0, 'where it came from, and when');
is(scalar @{ decode_json($daemon->ctl_ok('--json', 'conflicts', 'list')) },
	$lyon->sql('select count(*) from elvis.resolution'), 'elvisctl shows them');

done_testing();
