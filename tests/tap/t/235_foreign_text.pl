# Text that the target's encoding cannot hold is a conflict like any other: recorded, put to
# the table's policy, and passed when somebody says so.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use Test::More;

$ENV{PGCLIENTENCODING} = 'UTF8';

my $paris = Elvis::Node->new('paris');
my $nice = Elvis::Node->new('nice', beside => $paris, encoding => 'LATIN1');
my @both = ($paris, $nice);
my $daemon = Elvis::Daemon->new('paris_nice', nodes => \@both, config => links_conf(\@both,
	[ 'paris', 'nice', 'tables = ( { match = "public.lax"; policy = "skip"; }, "*.*" );' ]));

$_->sql('create table lax (id int primary key, v text); '
	  . 'create table t (id int primary key, v text)') for @both;
$daemon->ctl_ok('apply');
$daemon->start;

$paris->sql("insert into lax values (1, 'é'), (2, '😀'), (3, 'z')");
my ($status, undef, $errors) = $daemon->ctl('wait');
is($status, 0, 'a policy decides about it') or diag $errors;
is($nice->sql('select string_agg(id || v, $$ $$ order by id) from lax'), '1é 3z',
	'the rest is there');
is($nice->sql('select kind, verdict from elvis.resolution'), 'type_error|keep_local',
	'and it is recorded');

$paris->sql("insert into t values (1, 'é'), (2, '😀'), (3, 'z')");
ok($paris->poll("select state = 'stopped' from elvis.subscriber"), 'strict stops the link');
$daemon->ctl_ok('skip', 'paris_nice');
$daemon->wait_caught_up;
is($nice->sql('select string_agg(id || v, $$ $$ order by id) from t'), '1é 3z',
	'told to pass it, the link goes on');

done_testing();
