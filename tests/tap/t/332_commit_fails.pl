# The target raises an error when the transaction of a statement is to be committed, behind the
# statement's own result: the link hears which, and neither loses nor repeats anything.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $module = "$ENV{ELVIS_BUILDDIR}/tests/regress/.libs/late_writer.so";

$_->sql('create table t (id int primary key, v text)') for $paris, $lyon;
my $daemon = Elvis::Daemon->new('commit', nodes => [ $paris, $lyon ], config =>
	links_conf([ $paris, $lyon ], [ 'paris', 'lyon', 'granularity = "transaction";' ])
	. 'retry_max = "200 ms";');
$daemon->ctl_ok('apply');

$lyon->sql("alter database lyon set session_preload_libraries = '$module';
	alter database lyon set late_writer.statement = 'select 1 / 0'");
$paris->sql("insert into t values ($_, 'x')") for 1 .. 20;
my $at = length $daemon->log_text;
$daemon->start;
$daemon->wait_for_log(qr/link paris_lyon: .*division by zero/, $at);
ok(1, 'the error is told');
is($lyon->sql('set late_writer.statement = $$$$; select count(*) from t'), 0, 'nothing is applied');

$daemon->stop;
$lyon->sql('set late_writer.statement = $$$$; alter database lyon reset all');
$daemon->start;
$daemon->ctl_ok('resume', 'paris_lyon')
	if $paris->sql('select state from elvis.subscriber') eq 'stopped';
$daemon->wait_caught_up;
ok(same_rows('t', $paris, $lyon), 'all is, when it succeeds');
is($daemon->stop, 0, 'the daemon ends well');

done_testing();
