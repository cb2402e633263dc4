# A backlog that has little of each of many tables is applied in large target transactions, which
# travel in parts: all of one is there or nothing, whatever happens to daemon or server, and a
# conflict in the middle of it is asked about.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Gate;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $TABLES = 100;
my $ROWS = 12;    # of each table, 1 kB each: less than a target transaction may have of it

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon');
my @tables = map { "t$_" } 1 .. $TABLES;
for my $node ($paris, $lyon)
{
	$node->sql(join ';', map { "create table $_ (id int primary key, v text)" } @tables);
}
my $asks = "$ENV{ELVIS_BUILDDIR}/tests/plugins/.libs/asks.so";
my $daemon = Elvis::Daemon->new('many', nodes => [ $paris, $lyon ], config => <<"CONF");
nodes = ( { name = "paris"; id = 1; conninfo = "\@conninfo paris\@"; },
          { name = "lyon"; id = 2; conninfo = "\@conninfo lyon\@"; } );
retry_max = "200 ms";
links = ( { name = "paris_lyon"; from = "paris"; to = "lyon";
            tables = ( { match = "public.*"; policy = "$asks"; } ); } );
CONF
$daemon->ctl_ok('apply');

# Rows of all tables in turn, a source transaction for each round
sub write_rounds
{
	my ($from, $to) = @_;

	$paris->sql(<<"SQL");
do \$\$ begin
	for i in $from .. $to loop
		for t in 1 .. $TABLES loop
			execute format('insert into t%s values (\$1, repeat(md5(\$1::text), 32))', t) using i;
		end loop;
		commit;
	end loop;
end \$\$
SQL
	return;
}

# How many target transactions wrote these rows
sub transactions
{
	my ($where) = @_;
	my $all = join ' union ', map { "select xmin::text from $_ where $where" } @tables;

	return $lyon->sql("select count(*) from ($all) x");
}

sub contents
{
	my $all = join ' union all ',
		map { "select '$_', md5(string_agg(id || v, ',' order by id)) from $_" } @tables;

	return $_[0]->sql("$all order by 1");
}

sub all_same { return contents($paris) eq contents($lyon); }

# ---- the session knows the tables first: what a transaction may hold grows with them ----
$daemon->start;
write_rounds(1, 1);
$daemon->wait_caught_up;
$daemon->stop;

write_rounds(2, $ROWS + 1);
$daemon->start;
$daemon->wait_caught_up;
ok(all_same(), 'a backlog of many tables');

# ---- with sessions that know all tables ----
my $last = $tables[-1];
my $gate = Elvis::Gate->new($lyon, $last);
my $at = 1;

# The next rounds, which pile up behind the first of them while the link stands at its last row;
# what else is done then: amid them, and behind them
sub pile_up
{
	my (%do) = @_;

	$at += $ROWS + 1;
	$lyon->sql("select setval('gate_row', 1, false)");
	$gate->shut(1);
	write_rounds($at, $at);
	ok($gate->reached, 'the link stands');
	write_rounds($at + 1, $at + $ROWS / 2);
	$do{amid}->() if $do{amid};
	write_rounds($at + $ROWS / 2 + 1, $at + $ROWS);
	$do{behind}->() if $do{behind};
	$gate->open;
	return;
}

pile_up();
$daemon->wait_caught_up;
ok(all_same(), 'a backlog that piled up behind a row');
is(transactions("id between $at + 1 and $at + $ROWS"), 1, 'is one target transaction');

# ---- the daemon is killed in the middle of one, then the server ----
my $gone = q(select count(*) = 0 from pg_stat_activity
	where application_name like 'elvisd%' and query ilike '%elvis.%');
for my $whom (qw(daemon server))
{
	pile_up();
	$lyon->poll("select exists (select from $last where id = $at)");
	if ($whom eq 'daemon')
	{
		$daemon->kill9;
		$lyon->poll($gone);
		$daemon->start;
	}
	else
	{
		$lyon->kill9;
		$lyon->start;
	}
	$daemon->wait_caught_up;
	ok(all_same(), "the $whom was killed: nothing is missing or there twice");
}

# ---- a part is refused, and the transaction when it is to be committed ----
sub goes_on
{
	my ($what) = @_;

	$daemon->restart;
	$daemon->ctl_ok('resume', 'paris_lyon')
	  if $paris->sql('select state from elvis.subscriber') eq 'stopped';
	$daemon->wait_caught_up;
	ok(all_same(), "$what was refused: nothing is missing or there twice");
	return;
}

my $told = length $daemon->log_text;
pile_up(behind => sub { $lyon->sql('alter function elvis.apply rename to gone') });
$daemon->wait_for_log(qr/link paris_lyon: .*elvis.apply.* does not exist/, $told);
$lyon->sql('alter function elvis.gone rename to apply');
goes_on('a part');

my $module = "$ENV{ELVIS_BUILDDIR}/tests/regress/.libs/late_writer.so";
$daemon->stop;
$at += $ROWS + 1;
$told = length $daemon->log_text;
write_rounds($at, $at + $ROWS);
$lyon->sql("alter database lyon set session_preload_libraries = '$module';
	alter database lyon set late_writer.statement = 'select 1 / 0'");
$daemon->start;
$daemon->wait_for_log(qr/link paris_lyon: .*division by zero/, $told);
is($lyon->sql("set late_writer.statement = \$\$\$\$; select count(*) from t1 where id >= $at"), 0,
	'what cannot be committed is not there');
$lyon->sql('set late_writer.statement = $$$$; alter database lyon reset all');
goes_on('the commit');

# ---- a conflict in the middle ----
$lyon->sql("set session_replication_role = replica; update t50 set v = 'lyon' where id = 1");
pile_up(amid => sub { $paris->sql("update t50 set v = 'merge' where id = 1") });
$daemon->wait_caught_up;
is($lyon->sql('select v from t50 where id = 1'), 'lyon+merge', 'is asked about and settled');
is($lyon->sql('select count(*) from elvis.resolution'), 1, 'and recorded once');
$lyon->sql("set session_replication_role = replica; update t50 set v = 'merge' where id = 1");
ok(all_same(), 'with all the other rows');
$gate->remove;
is($daemon->stop, 0, 'the daemon ends well');

done_testing();
