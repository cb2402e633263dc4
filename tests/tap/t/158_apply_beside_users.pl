# Users of the target write into the very leaves that rows which are applied go into together, its
# indexes are made anew meanwhile, it is vacuumed, and killed: each index stays as the server would
# have made it, a unique one unique, and recovery ends at the same pages.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Load;
use Elvis::Node;
use Elvis::Util;
use PostgreSQL::Test::Utils 'slurp_file';
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon',
	conf => "wal_consistency_checking = 'btree'\nautovacuum_naptime = 1\n");
my @both = ($paris, $lyon);
my $daemon = Elvis::Daemon->new('paris_lyon', nodes => \@both,
	config => links_conf(\@both, [ 'paris', 'lyon' ]) . 'retry_max = "500 ms";');

for my $node (@both)
{
	$node->sql(<<'SQL');
create table busy (id bigint primary key, at int not null, k int not null, w text);
create index on busy (at);
create index on busy (k, id);
create unique index on busy (w);
create sequence ids;
SQL
}
$lyon->sql('create extension amcheck');
$daemon->ctl_ok('apply', '--adopt');
$lyon->sql('alter table busy disable trigger user');

# Odd ones come from paris, even ones are lyon's own, and both grow at the same place.
my $coming = <<'SQL';
begin;
insert into busy select 2 * n + 1, n / 10, n % 7, 'p' || n from (select nextval('ids') n from generate_series(1, 40)) s;
update busy set at = at + 1, k = k + 1 where id between 2 * (currval('ids') - 80) and 2 * currval('ids') and id % 3 = 0;
delete from busy where id between 2 * (currval('ids') - 60) and 2 * currval('ids') and id % 5 = 0;
end;
SQL
my $own = <<'SQL';
select setval('ids', greatest((select max(id) from busy) / 2, 1));
insert into busy select 2 * n, n / 10, n % 7, 'l' || n from (select nextval('ids') n from generate_series(1, 5)) s
	on conflict do nothing;
update busy set k = k + 1 where id = 2 * currval('ids');
delete from busy where id = 2 * (currval('ids') - 3);
SQL
my $anew = <<'SQL';
reindex table concurrently busy;
vacuum busy;
create index concurrently more on busy (k desc, w);
reindex index concurrently busy_at_idx;
drop index concurrently more;
SQL

sub under_load
{
	my ($seconds, $meanwhile) = @_;
	my ($source, @target) = map { Elvis::Load->new(@$_, seconds => $seconds) }
		[ $paris, clients => 3, script => $coming ], [ $lyon, clients => 3, script => $own ],
		[ $lyon, clients => 1, script => $anew ];

	$meanwhile->();
	is($source->finish, 0, 'the source is not disturbed') or diag $source->said;
	return map { $_->finish ? $_->said : '' } @target;
}

sub same
{
	my ($when) = @_;
	my $rows = q(select count(*), sum(hashtextextended(b::text, 0)) from busy b where id % 2 = 1);

	$daemon->wait_caught_up;
	is($lyon->sql($rows), $paris->sql($rows), "$when: the same rows");
	my ($status, undef, $error) = $lyon->try_sql("select bt_index_parent_check(indexrelid, true, true)
		from pg_index where indrelid = 'busy'::regclass and indisvalid");
	is($status, 0, "$when: sound indexes") or diag $error;
	is($lyon->sql('select count(*) from elvis.resolution'), 0, "$when: without a conflict");
	return;
}

$daemon->start;
my ($users, $maker) = under_load(long_or(60, 6), sub { return; });
is($users, '', 'nor are the users of the target');
is($maker, '', 'nor who makes its indexes anew');
cmp_ok($lyon->sql('select count(*) from busy where id % 2 = 0'), '>', 100, 'who have written');
same('beside users');

my $last = $lyon->sql('select max(id) from busy');
under_load(long_or(20, 5), sub {
	$lyon->poll("select max(id) > $last + 2000 from busy");
	$lyon->kill9;
	$lyon->start;
});
same('after a crash among them');
unlike(slurp_file($lyon->cluster->logfile), qr/inconsistent page/, 'recovery makes the same, page by page');
is($daemon->stop, 0, 'the daemon ends well');

done_testing();
