# One transaction of very many changes: the daemon stays small, and so does the backend that
# applies it, whatever the number.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Load;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $rows = long_or(4_000_000, 200_000);
my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon');
my $daemon = Elvis::Daemon->new('paris_lyon', nodes => [ $paris, $lyon ],
	config => links_conf([ $paris, $lyon ], [ 'paris', 'lyon' ]));

# A line of /proc/PID/status in kB
sub memory
{
	my ($pid, $line) = @_;

	open my $file, '<', "/proc/$pid/status" or return;
	my ($kb) = map { /^$line:\s+(\d+)/ ? $1 : () } <$file>;
	close $file;
	return $kb;
}

plan skip_all => 'no /proc to look into' unless defined memory($$, 'RssAnon');

$_->sql('create table t (id int primary key, n int, v text)') for $paris, $lyon;
$daemon->ctl_ok('apply');
$daemon->start;
$paris->sql("insert into t values (0, 0, 'first')");
$daemon->wait_caught_up;

my $applying = $lyon->sql(
	"select pid from pg_stat_activity where application_name = 'elvisd paris_lyon'");
like($applying, qr/^\d+$/, 'one backend applies');

$paris->sql(<<"SQL");
begin;
insert into t select i, i, md5(i::text) from generate_series(1, $rows) i;
update t set n = n + 1 where id % 3 = 0;
delete from t where id % 6 = 1;
commit;
SQL
my $whole = $paris->sql("select pg_relation_size('t')");
my ($early, $late, $apart) = (0, 0, 0);

my $applied = poll_until
{
	my $now = memory($applying, 'RssAnon') // return 1;
	my $size = $lyon->sql("select pg_relation_size('t')");

	$early = $now if $size < $whole / 10;
	$late = $now if $now > $late;
	$apart = 1 if $size > $whole / 10 && $size < $whole * 0.9;
	$lyon->sql('select count(*) from t where id = 2') == 1;
} long_or(1800, 120);
ok($applied, 'it is applied');
ok($apart, 'and was seen while it was');
$daemon->wait_caught_up;
ok(same_rows('t', $paris, $lyon), 'the same rows');

note "apply: $early kB at a tenth, $late kB at most; elvisd: ", memory($daemon->pid, 'VmHWM'), ' kB';
cmp_ok($late, '<', $early + 32 * 1024, 'the backend that applies does not grow with it');
cmp_ok(memory($daemon->pid, 'VmHWM'), '<', 200 * 1024, 'the daemon stays below 200 MB');

done_testing();
