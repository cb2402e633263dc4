# What elvisd makes sure of before its links run: that nodes would not come to differ.  It waits
# for no node, and takes no offence at what nobody has attached.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $nice = Elvis::Node->new('nice');
my @all = ($paris, $lyon, $nice);
my $wins = 'tables = ( { match = "public.*"; policy = { use = "last_writer_wins"; '
  . 'column = "n"; }; } );';

sub config
{
	my ($policy) = @_;

	return links_conf(\@all, [ 'paris', 'lyon', "forward = \"local\"; $policy" ],
		[ 'lyon', 'paris', "forward = \"local\"; $policy" ], [ 'paris', 'nice', $wins ])
	  . 'retry_max = "500 ms";';
}

my $daemon = Elvis::Daemon->new('survey', nodes => \@all, config => config($wins));

sub arrives
{
	my ($id, $node) = @_;

	$paris->sql("insert into t values ($id, 1)");
	return $node->poll("select count(*) = 1 from t where id = $id");
}

$_->sql('create table t (id int primary key, n int)') for @all;
$daemon->ctl_ok('apply', '--adopt');
$daemon->start;
ok(arrives(1, $lyon) && arrives(2, $nice), 'what is sound runs');

# two writers, and strict between them
$daemon->write_config(config('tables = "public.*";'));
my $heard = length $daemon->log_text;
$daemon->reload;
$daemon->wait_for_log(qr/not reloaded/, $heard);
ok(arrives(3, $lyon), 'a danger is not taken up while it runs');
$daemon->stop;
$daemon->start;
is($daemon->wait_ended(60) >> 8, 3, 'and not started with');
$paris->sql('insert into t values (4, 1)');
is($lyon->sql('select count(*) from t where id = 4'), 0, 'nothing is delivered');
is($daemon->status >> 8, ($daemon->ctl('check'))[0], 'elvisctl check says the same');

# a table that is not attached does no harm yet
$daemon->write_config(config(
	"$wins" =~ s/\( \{/( { match = "public.later"; policy = "strict"; }, {/r));
$_->sql('create table later (id int primary key)') for @all;
isnt(($daemon->ctl('apply'))[0], 0, 'elvisctl attaches no table that would come to differ');
$daemon->start;
ok(arrives(5, $lyon), 'and elvisd runs the others');
$daemon->stop;

# a node that is away
$daemon->write_config(config($wins));
$nice->cluster->stop;
$daemon->start;
ok(arrives(6, $lyon), 'a node that is away keeps no link from running');
$nice->cluster->start;
ok($nice->poll('select count(*) = 1 from t where id = 6'), 'its own runs when it is back');
is($daemon->stop, 0, 'the daemon ends well');

# A12: what nobody was told of, because our event triggers were disabled before
$heard = length $daemon->log_text;
$daemon->start;
ok(arrives(7, $lyon), 'while capture is whole');
unlike(substr($daemon->log_text, $heard), qr/warning +\S+: node 'paris'/, 'it is not complained of');
$daemon->stop;
$paris->sql('alter event trigger elvis_watch_ddl disable; alter table t disable trigger elvis_capture; '
	  . 'alter event trigger elvis_watch_ddl enable always');
is($paris->sql("select count(*) from elvis.changes where op = 'gap'"), 0, 'a trigger is disabled unseen');
$heard = length $daemon->log_text;
$daemon->start;
ok($daemon->wait_for_log(qr/warning +\S+: node 'paris'.*public\.t /, $heard), 'a start tells of it');
is($daemon->stop, 0, 'and the daemon runs');

done_testing();
