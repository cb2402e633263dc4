# A link that is forgotten while it runs is nobody else's trouble.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $nice = Elvis::Node->new('nice', beside => $paris);
my @all = ($paris, $lyon, $nice);
my $daemon = Elvis::Daemon->new('fork', nodes => \@all,
	config => links_conf(\@all, [ 'paris', 'lyon' ], [ 'paris', 'nice' ])
	  . 'confirm_interval = "100 ms"; retry_max = "300 ms";');

$_->sql('create table t (id int primary key)') for @all;
$daemon->ctl_ok('apply');
$daemon->start;
$paris->sql('insert into t select generate_series(1, 10)');
$daemon->wait_caught_up;

# what it has to confirm has no place any more
$paris->sql('insert into t select generate_series(11, 20); '
	  . "select elvis.unsubscribe(link) from elvis.subscriber where name = 'paris_nice'");
for (1 .. 10) { $paris->sql("insert into t values (100 + $_)"); }
$daemon->ctl_ok('wait', '--link', 'paris_lyon', '--timeout', 20);
my $began = $paris->sql('select clock_timestamp()');
for (1 .. 10) { $paris->sql("insert into t values (200 + $_)"); }
$daemon->ctl_ok('wait', '--link', 'paris_lyon', '--timeout', 20);
is($paris->sql("select count(*) from pg_stat_activity where application_name = 'elvisd paris' "
		  . "and backend_start > '$began'"),
	0, 'the source is not connected to again and again');
ok(same_rows('t', $paris, $lyon), 'the other link goes on');
ok($daemon->is_running, 'by the same daemon');

done_testing();
