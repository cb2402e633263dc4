# Two links between the same two nodes, each with tables of its own, apply side by side: neither
# waits for the other, whatever is killed nothing is lost or done twice, and no table is brought by
# both.  A table may be moved from one to the other.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Load;
use Elvis::Node;
use Elvis::Util;
use Test::More;
use Time::HiRes qw(sleep);

my $paris = Elvis::Node->new('paris', conf => 'max_prepared_transactions = 5');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my @nodes = ($paris, $lyon);

my $nodes = join ', ', map { sprintf '{ name = "%s"; id = %d; conninfo = "@conninfo %s@"; }',
	$_->name, $_->id, $_->name } @nodes;
my %uuid = (accounts => '1c7a2a34-0a5b-4c53-9f0e-6f9f2b4f7d10', third => '2c7a2a34-0a5b-4c53-9f0e-6f9f2b4f7d10');

# config(LINK => [ RULE, ... ], ...): links from paris to lyon
sub config
{
	my (%rules) = @_;
	my @links;

	for my $link (sort keys %rules)
	{
		my $uuid = $uuid{$link} ? "uuid = \"$uuid{$link}\";" : '';

		push @links, "{ name = \"$link\"; from = \"paris\"; to = \"lyon\"; $uuid tables = ( "
		  . join(', ', @{ $rules{$link} }) . ' ); }';
	}
	return "retry_max = \"500 ms\";\nnodes = ( $nodes );\nlinks = ( " . join(",\n", @links) . " );\n";
}

sub except { return (map { "{ match = \"$_\"; exclude = true; }" } @_), '"public.*"'; }

my ($accounts, $tellers, $late) = map { "public.$_" } qw(pgbench_accounts pgbench_tellers late);
my @split = (accounts => [ "\"$accounts\"", '"public.child"' ], rest => [ except($accounts, 'public.child') ]);
my @moved = (accounts => [ "\"$accounts\"", "\"$tellers\"", '"public.child"' ],
	rest => [ except($accounts, $tellers, 'public.child') ]);

pgbench_tables(@nodes);
$_->sql('create table late (id int primary key, v text);
	create table parent (id int primary key); create table child (id int primary key references parent)')
  for @nodes;

# ---- what elvisctl says ----

my $daemon = Elvis::Daemon->new('two', nodes => \@nodes,
	config => config(accounts => ['"public.*"'], rest => ['"public.*"']));
my ($status, $out, $err) = $daemon->ctl('check');
is($status, 3, 'the same tables by two links are refused') or diag "$out$err";
$daemon->write_config(config(@split));
$daemon->ctl_ok('check');
$daemon->ctl_ok('apply', '--adopt');
($status, $out) = $daemon->ctl('plan');
is($status, 0, 'tables of their own are not, and there is no more to do') or diag $out;

# ---- side by side ----

sub owner
{
	my ($table) = @_;

	return $lyon->sql("select p.name from elvis.route r join elvis.position p using (link)
		where r.relid = '$table'::regclass");
}

$daemon->start;
my $load = Elvis::Load->new($paris, clients => 4, seconds => long_or(60, 6));
for (1 .. long_or(20, 3))
{
	my $since = $lyon->sql('select clock_timestamp()');
	ok($lyon->poll("select count(*) = 2 from elvis.position where at > '$since'"),
		'both links bring something');
	$daemon->kill9;
	$daemon->start;
}
is($load->finish, 0, 'there was load');
$daemon->wait_caught_up;
ok(same_pgbench(@nodes), 'after crashes both hold the same');
is($lyon->sql('select count(*) from elvis.resolution'), 0, 'without a conflict');
is(owner('pgbench_accounts') . ' ' . owner('pgbench_history'), 'accounts rest', 'which came by two links');

$lyon->sql(q(begin; lock table pgbench_accounts; prepare transaction 'slow'));
is(Elvis::Load->new($paris, clients => 1, transactions => 20)->finish, 0, 'a table is slow');
$daemon->ctl_ok('wait', '--link', 'rest');
ok(same_rows('pgbench_history', @nodes), 'the other link is not held up by it');
isnt(($daemon->ctl('wait', '--link', 'accounts', '--timeout', 1))[0], 0, 'its own is');
$lyon->sql(q(rollback prepared 'slow'));
$daemon->wait_caught_up;
ok(same_pgbench(@nodes), 'and follows');
like($daemon->ctl_ok('status'), qr/rest.*\n.*accounts|accounts.*\n.*rest/, 'both are told of');

# ---- what was one transaction is two here ----

$lyon->sql(q(begin; lock table parent; prepare transaction 'slow'));
$paris->sql('begin; insert into parent values (1); insert into child values (1); commit');
$daemon->ctl_ok('wait', '--link', 'accounts');
is($lyon->sql('select count(*) from child'), 1, 'a row may come before the one that it refers to');
$lyon->sql(q(rollback prepared 'slow'));
$daemon->wait_caught_up;
ok(same_rows($_, @nodes), "$_ is the same in the end") for 'parent', 'child';

# ---- the same table by two links, which no configuration shows ----

my $third = Elvis::Daemon->new('third', nodes => \@nodes, config => config(third => ["\"$late\""]));
$third->ctl_ok('check');
$third->ctl_ok('apply');
$paris->sql(q(insert into late values (1, 'once')));
$daemon->wait_caught_up;
$third->start;
$third->wait_for_log(qr/come here by two links/);
$paris->sql(q(update late set v = 'again'));
$daemon->wait_caught_up;
ok(same_rows('late', @nodes), 'the one that brought it first goes on');
is(owner('late'), 'rest', 'and owns it');
is($lyon->sql('select count(*) from elvis.resolution'), 0, 'the other has brought nothing');
is($third->stop, 0, 'its daemon ends well');
$third->ctl_ok('forget', 'third');

# ---- a table moves from one link to the other, under load ----

sub reconfigure
{
	my $at = length $daemon->log_text;

	$daemon->write_config(config(@_));
	$daemon->reload;
	$daemon->wait_for_log(qr/reloaded/, $at);
	return $at;
}

$load = Elvis::Load->new($paris, clients => 2, seconds => long_or(60, 8));
my $at = reconfigure(@moved);
$daemon->wait_for_log(qr/come here by two links/, $at);
is(owner('pgbench_tellers'), 'rest', 'no link takes what is the other one\'s');
like($daemon->ctl_ok('plan'), qr/pgbench_tellers was brought by link 'rest'.*copy accounts/, 'plan says what to do');
$daemon->ctl_ok('copy', 'accounts', '--table', $tellers, '--truncate');
is(owner('pgbench_tellers'), 'accounts', 'a copy moves it');
is($load->finish, 0, 'there was load');
$daemon->wait_caught_up;
ok(same_pgbench(@nodes), 'and both hold the same');
is($lyon->sql('select count(*) from elvis.resolution'), 0, 'without a conflict');

# ---- and back, while nothing is written ----

reconfigure(@split);
like($daemon->ctl_ok('plan', '--adopt'), qr/link 'rest' bring public.pgbench_tellers in the place of link 'accounts'/,
	'it may be told that both hold the same');
$daemon->ctl_ok('apply', '--adopt');
is(owner('pgbench_tellers'), 'rest', 'then it moves as it is');
is(Elvis::Load->new($paris, clients => 2, transactions => 50)->finish, 0, 'there is load');
$daemon->wait_caught_up;
ok(same_pgbench(@nodes), 'and both hold the same');
is($lyon->sql('select count(*) from elvis.resolution'), 0, 'without a conflict');

# ---- a link that goes leaves its tables to others ----

is($daemon->stop, 0, 'the daemon ends well');
$daemon->ctl_ok('forget', 'accounts');
$daemon->write_config(config(rest => ['"public.*"']));
$daemon->ctl_ok('check');
$daemon->start;
is(Elvis::Load->new($paris, clients => 2, transactions => 50)->finish, 0, 'there is load');
$daemon->wait_caught_up;
ok(same_pgbench(@nodes), 'one link brings all');
is(owner('pgbench_accounts'), 'rest', 'and owns it');
is($daemon->stop, 0, 'the daemon ends well');

done_testing();
