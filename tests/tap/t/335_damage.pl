# A log that is damaged stops the links that meet it, with a reason; the node's snapshots and
# books go on.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $daemon = Elvis::Daemon->new('damage', nodes => [ $paris, $lyon ],
	config => links_conf([ $paris, $lyon ], [ 'paris', 'lyon' ]));
my $state = "select state from elvis.subscriber where name = 'paris_lyon'";

$_->sql('create table t (id int primary key)') for $paris, $lyon;
$daemon->ctl_ok('apply', '--adopt');
$daemon->start;
$paris->sql('insert into t values (1)');
$daemon->wait_caught_up;

# a chunk that only a superuser, or a broken disk, can have put there
$paris->sql("begin; insert into elvis.log_1 values (pg_current_xact_id(), "
	  . "nextval('elvis.log_seq'), '\\x0101ff'); select elvis.wake(); commit");
ok($paris->poll("select ($state) = 'stopped'"), 'the link is stopped');
isnt($paris->sql("select reason from elvis.subscriber"), '', 'and says why');
my $newest = $paris->sql('select max(id) from elvis.snapshots()');
$paris->sql('insert into t values (2)');
ok($paris->poll("select max(id) > $newest from elvis.snapshots()"), 'snapshots go on');
is($lyon->sql('select string_agg(id::text, \' \') from t'), '1', 'nothing behind it was applied');
is($daemon->stop, 0, 'the daemon ends well');

done_testing();
