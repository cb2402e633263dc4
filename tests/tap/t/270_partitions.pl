# A partitioned table goes to one that is partitioned in another way and to a plain one; what no
# row trigger sees stops the link, and is said.
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
my $tables = 'tables = "public.t";';
my $daemon = Elvis::Daemon->new('parts', nodes => \@all, config => links_conf(\@all,
	[ 'paris', 'lyon', $tables ], [ 'paris', 'nice', $tables ]));

my $columns = 'id int, day date, v text, primary key (id, day)';
my $by_day = join '; ', "create table t ($columns) partition by range (day)",
  map { my $n = $_ + 1; "create table t_$_ partition of t "
	  . "for values from ('2024-0$_-01') to ('2024-0$n-01')" } 1 .. 3;
$paris->sql($by_day);
# by another column there, and with a partition that has its columns in another order
$lyon->sql(<<"SQL");
create table t ($columns) partition by hash (id);
create table t_0 partition of t for values with (modulus 2, remainder 0);
create table t_1 (v text, day date not null, id int not null);
alter table t attach partition t_1 for values with (modulus 2, remainder 1);
SQL
$nice->sql("create table t ($columns)");
$daemon->ctl_ok('apply');
$daemon->start;

sub same
{
	my ($name) = @_;
	my ($status, undef, $errors) = $daemon->ctl('wait');

	is($status, 0, "$name: delivered") or diag $errors . $daemon->log_text;
	ok(same_rows('t', @all), "$name: the same");
	return;
}

$paris->sql(<<'SQL');
insert into t select i, '2024-01-01'::date + i % 90, 'v' from generate_series(1, 300) i;
update t set v = 'x' where id % 3 = 0;
delete from t where id % 7 = 0;
SQL
same('rows of all partitions');

$paris->sql("update t set day = '2024-03-03' where day < '2024-02-01' and id % 2 = 0");
same('rows moved to another partition');
$paris->sql("update t set id = id + 1000 where id % 5 = 0");
same('rows moved to another partition there');

$paris->sql(<<'SQL');
insert into t_1 values (5000, '2024-01-02', 'directly'); update t_2 set v = 'directly';
delete from t_3 where id % 2 = 1;
SQL
same('partitions written directly');

$paris->sql(<<'SQL');
create table t_4 partition of t for values from ('2024-04-01') to ('2024-05-01');
insert into t values (6000, '2024-04-02', 'new partition');
begin; create table t_5 partition of t for values from ('2024-05-01') to ('2024-06-01')
	partition by list (id);
create table t_5_a partition of t_5 for values in (6001, 6002);
insert into t values (6001, '2024-05-02', 'a'); commit;
insert into t_5_a values (6002, '2024-05-03', 'a');
SQL
same('partitions made later');

$paris->sql('truncate t');
same('a truncation of all');

# what no row trigger sees
$paris->sql("insert into t select i, '2024-01-01'::date + i % 90, 'v' from generate_series(1, 300) i");
same('rows again');

my %unseen = (
	'a partition truncated' => [ 'truncate t_2', "delete from t where day >= '2024-02-01' and "
		  . "day < '2024-03-01'" ],
	'a partition with rows attached' => [ 'create table more (like t including all); '
		  . "insert into more values (9000, '2024-09-01', 'here'); alter table t attach "
		  . "partition more for values from ('2024-09-01') to ('2024-10-01')",
		"insert into t values (9000, '2024-09-01', 'here')" ],
	'a partition detached' => [ 'alter table t detach partition t_3',
		"delete from t where day >= '2024-03-01' and day < '2024-04-01'" ],
	'a partition dropped' => [ 'drop table t_1', "delete from t where day < '2024-02-01'" ],
	'a trigger disabled' => [ 'alter table t disable trigger elvis_capture',
		'alter table t enable always trigger elvis_capture' ],
);
for my $name (sort keys %unseen)
{
	my ($sql, $mend) = @{ $unseen{$name} };

	$paris->sql($sql);
	ok($paris->poll("select bool_and(state = 'stopped') from elvis.subscriber"),
		"$name stops the links");
	$_->sql("set session_replication_role = replica; $mend")
	  for $name =~ /trigger/ ? () : ($lyon, $nice);
	$paris->sql($mend) if $name =~ /trigger/;
	$daemon->ctl_ok('skip', $_) for 'paris_lyon', 'paris_nice';
	same("$name, mended and passed");
}

is($_->sql("select string_agg(distinct kind, ' ') from elvis.resolution where kind <> 'gap'"), '',
	'nothing else was met') for $lyon, $nice;

done_testing();
