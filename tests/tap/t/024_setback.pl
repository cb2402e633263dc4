# A target restored from an older copy, a source restored from one, two daemons for one link: each
# is noticed, and nothing is skipped or done twice without anybody's word.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon');

$_->sql('create table t (id int primary key, v text)') for $paris, $lyon;
my %daemon = map {
	$_ => Elvis::Daemon->new("setback_$_", nodes => [ $paris, $lyon ], config => <<"CONF") }
nodes = ( { name = "paris"; id = 1; conninfo = "\@conninfo paris\@"; },
          { name = "lyon"; id = 2; conninfo = "\@conninfo lyon\@"; } );
retry_max = "200 ms";
confirm_interval = "100 ms";
links = ( { name = "paris_lyon"; from = "paris"; to = "lyon";
            tables = ( { match = "public.t"; } ); } );
CONF
  qw(one two);
my $daemon = $daemon{one};

sub state_of_link { return $paris->sql('select state from elvis.subscriber'); }
sub await_state
{
	my ($state) = @_;

	return poll_until { state_of_link() eq $state } 30;
}

# A copy of a database as a backup would have it
sub backup
{
	my ($node) = @_;
	my $name = $node->name;

	$node->cluster->safe_psql('postgres', "create database backup template $name");
	return;
}

sub restore
{
	my ($node) = @_;
	my $name = $node->name;

	$node->cluster->safe_psql('postgres', "drop database $name");
	$node->cluster->safe_psql('postgres', "alter database backup rename to $name");
	return;
}

# Until what the target has is confirmed
sub await_confirmed
{
	$daemon->wait_caught_up;
	my $at = $lyon->sql('select from_id from elvis.position');
	return poll_until { $paris->sql('select confirmed_id from elvis.subscriber') >= $at } 30;
}

$daemon->ctl_ok('apply');
$daemon->start;
$paris->sql("insert into t select i, 'x' from generate_series(1, 100) i");
$daemon->wait_caught_up;

# --- two daemons

$daemon{two}->start;
for my $i (101 .. 300) { $paris->sql("insert into t values ($i, 'two daemons')"); }
$daemon->wait_caught_up;
ok(same_rows('t', $paris, $lyon), 'two daemons do nothing twice');
is(state_of_link(), 'running', 'and do not stop each other');
is($daemon{two}->stop, 0, 'one of them ends well');

# --- the target is set back

$daemon->stop;
backup($lyon);
$daemon->start;
$paris->sql("update t set v = 'after the backup'");
ok(await_confirmed(), 'the target confirms');
$daemon->stop;
restore($lyon);
$daemon->start;
ok(await_state('stopped'), 'a copy of the target stops the link');

$daemon->ctl_ok('same-node', 'lyon');
$daemon->ctl_ok('resume', 'paris_lyon');
ok(await_state('stopped'), 'a target older than what it confirmed stops it too');
isnt($lyon->sql('select v from t where id = 1'), 'after the backup', 'nothing is repeated yet');

# nor when a daemon starts that has not seen it stop, until somebody has resumed the link
$daemon->restart;
is(state_of_link(), 'stopped', 'also after a restart');
$daemon->stop;
$daemon->ctl_ok('resume', 'paris_lyon');
$daemon->start;
$daemon->wait_caught_up;
$paris->sql("insert into t values (999, 'confirmed next')");
ok($paris->poll('select reason is null from elvis.subscriber'), 'what was resumed is over');
ok(same_rows('t', $paris, $lyon), 'resumed, it repeats what is still in the log');
is($lyon->sql('select count(*) from elvis.resolution'), 0, 'without a conflict');

# --- the source is set back

$daemon->stop;
backup($paris);
$daemon->start;
$paris->sql("insert into t values (1000, 'lost with the source')");
$daemon->wait_caught_up;
$daemon->stop;
restore($paris);
$daemon->ctl_ok('same-node', 'paris');
$paris->sql("insert into t values (1001, 'after the restore')");
$daemon->start;
ok(await_state('stopped'), 'a source set back stops the link');
is($lyon->sql('select count(*) from t where id = 1001'), 0, 'and nothing is guessed');

$daemon->stop;
done_testing();
