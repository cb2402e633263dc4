# A copy is captured where it arrives, and is known there as the source's: it does not go back, and
# goes on to who is behind.  All of it without a superuser.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use IPC::Run;
use Test::More;

my $paris = Elvis::Node->new('paris', bare => 1);
my $lyon = Elvis::Node->new('lyon', bare => 1, beside => $paris);
my $nice = Elvis::Node->new('nice', bare => 1, beside => $paris);
my @nodes = ($paris, $lyon, $nice);

# Extensions are created by a superuser; what follows is done by an owner of tables.
$_->sql('create extension elvis') for @nodes;
$paris->sql('create role shop login; grant elvis_admin, elvis_daemon to shop');
for my $node (@nodes)
{
	$node->sql('create schema shop authorization shop');
	$node->sql('set role shop; create table shop.t (id int primary key, v int, at timestamptz)');
	# what a copy must not trip over
	$node->sql('set role shop; create table shop.child (id int primary key, t int references shop.t)');
	$node->sql(q{set role shop; create function shop.forbid() returns trigger language plpgsql
		as 'begin raise exception $$not for replicas$$; end';});
}
$_->sql('create trigger forbid before insert on shop.child for each row execute function shop.forbid()')
	for $lyon, $nice;
$paris->sql('insert into shop.t select i, 0, clock_timestamp() from generate_series(1, 2000) i');
$paris->sql('insert into shop.child select i, i from generate_series(1, 2000) i');

my $config = <<'CONF';
nodes = ( { name = "paris"; id = 1; conninfo = "@conninfo paris@ user=shop"; },
          { name = "lyon"; id = 2; conninfo = "@conninfo lyon@ user=shop"; },
          { name = "nice"; id = 3; conninfo = "@conninfo nice@ user=shop"; } );
links = (
    { name = "paris_lyon"; from = "paris"; to = "lyon"; tables = (
        { match = "shop.t"; policy = { use = "last_writer_wins"; column = "at"; }; }, "shop.*" ); },
    { name = "lyon_paris"; from = "lyon"; to = "paris"; tables = (
        { match = "shop.t"; policy = { use = "last_writer_wins"; column = "at"; }; } ); },
    { name = "lyon_nice"; from = "lyon"; to = "nice"; tables = (
        { match = "shop.t"; policy = { use = "last_writer_wins"; column = "at"; }; }, "shop.*" ); } );
CONF
my $daemon = Elvis::Daemon->new('everywhere', config => $config, nodes => \@nodes);

my ($status, $out, $err) = $daemon->ctl('apply');
is($status, 6, 'the link with rows to copy waits') or diag $err;
is(join(',', map { $_->sql('select string_agg(name, \',\' order by name) from elvis.subscriber') } $paris, $lyon),
	',lyon_nice,lyon_paris', 'those without have started');
$daemon->start;

my $load = IPC::Run::start([ 'psql', '-qXd', $paris->conninfo, '-c',
	'do $$ begin for i in 1..300 loop update shop.t set v = v + 1, at = clock_timestamp() where id = i;
	 insert into shop.t values (10000 + i, 0, clock_timestamp()); commit; end loop; end $$' ]);
($status, undef, $err) = $daemon->ctl('copy', 'paris_lyon');
is($status, 0, 'it is copied by the owner of the tables') or diag $err;
$load->finish;

# lyon writes as soon as it is full
$lyon->sql('update shop.t set v = 1000, at = clock_timestamp() where id between 1000 and 1100');
$lyon->sql('insert into shop.t values (99999, 1, clock_timestamp())');
$daemon->wait_caught_up;

ok(same_rows('shop.t', @nodes), 'all three hold the same')
	or diag join "\n", map { $_->name . ' ' . checksum($_, 'shop.t') } @nodes;
ok(same_rows('shop.child', @nodes), 'also of a table that one of them writes');
is($paris->sql('select count(*) from shop.t'), 2301, 'and all of it');
is($paris->sql('select count(*) from elvis.resolution'), 0, 'the copy has not come back');
is($nice->sql('select count(distinct link) from elvis.route'), 1, 'and came to the third by one way');
$daemon->stop;

done_testing();
