# Whoever may write a table writes a master without knowing of elvis, and a daemon runs with
# what elvis_daemon and the tables' owners grant it: no superuser takes part once the
# extension is there.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my @both = ($paris, $lyon);

$paris->sql(<<'SQL');
create role owner login;
create role clerk login;
create role setup login in role elvis_admin, owner;
create role runner login in role elvis_daemon;
SQL
$_->sql(<<'SQL') for @both;
create schema shop authorization owner;
set role owner;
create table shop.orders (id int primary key, note text, n int default 0);
create table shop.lines (id int primary key, orders int references shop.orders, who text);
grant usage on schema shop to clerk, runner;
grant select, insert, update, delete, truncate on all tables in schema shop to clerk;
SQL

# code of the owner at the target, which runs inside of apply
$lyon->sql(<<'SQL');
set role owner;
create function shop.tell() returns trigger language plpgsql as $$
begin
	new.who = current_user;
	begin
		reset role;
		new.who = new.who || ' ' || current_user;
	exception when others then
		new.who = new.who || ' only';
	end;
	return new;
end $$;
create trigger tell before insert on shop.lines for each row execute function shop.tell();
alter table shop.lines enable always trigger tell;
SQL

sub daemon_as
{
	my ($role) = @_;
	my $text = links_conf(\@both, [ 'paris', 'lyon', 'tables = (
		{ match = "shop.lines"; ignore_columns = [ "who" ]; }, "shop.*");' ])
	  . 'retry_max = "500 ms";';

	for my $node (@both)
	{
		my ($name, $conninfo) = ($node->name, $node->conninfo . " user=$role");
		$text =~ s/\@conninfo $name\@/$conninfo/;
	}
	return Elvis::Daemon->new($role, config => $text);
}

# (exit status of psql, output, errors)
sub as
{
	my ($role, $node, $sql) = @_;

	return $node->try_sql("set session authorization $role; $sql");
}

sub same
{
	my ($name) = @_;
	my ($status, undef, $errors) = daemon_as('runner')->ctl('wait');

	is($status, 0, "$name: delivered") or diag $errors;
	ok(same_rows($_, @both), "$name: $_ is the same") for 'shop.orders',
	  '(select id, orders from shop.lines)';
	return;
}

my $setup = daemon_as('setup');
my $daemon = daemon_as('runner');
my ($status, undef, $errors);

($status) = daemon_as('clerk')->ctl('apply');
isnt($status, 0, 'not everybody sets up');
($status, undef, $errors) = $setup->ctl('apply');
is($status, 0, 'an admin of elvis who owns the tables does') or diag $errors;

($status, undef, $errors) = as('clerk', $paris, <<'SQL');
insert into shop.orders select i, 'note' from generate_series(1, 100) i;
insert into shop.lines select i, i from generate_series(1, 100) i;
update shop.orders set n = n + 1 where id % 2 = 0;
delete from shop.lines where id > 90; delete from shop.orders where id > 90;
SQL
is($status, 0, 'whoever may write a table writes a master') or diag $errors;
($status) = as('clerk', $lyon, "insert into shop.orders values (1, 'mine')");
isnt($status, 0, 'but no replica');

# without rights on the tables the daemon does nothing, and goes on once it has them
$daemon->start;
$daemon->wait_for_log(qr/permission denied/);
is($lyon->sql('select count(*) from shop.orders'), 0, 'rights on the tables are needed');
$lyon->sql('set role owner; grant select, insert, update, delete, truncate on all tables '
	  . 'in schema shop to runner');
same('with rights');
is($lyon->sql('select string_agg(distinct who, $$, $$) from shop.lines'), 'owner only',
	"the owner's code runs as the owner, and cannot leave");

as('clerk', $paris, 'truncate shop.lines, shop.orders; '
	  . "begin; insert into shop.orders values (1, 'x'); savepoint s; "
	  . 'insert into shop.lines values (1, 1); release s; commit; '
	  . "begin; update shop.orders set note = 'p'; commit;");
same('a truncation and more');

# a conflict, settled by the one who runs it
$lyon->sql("set session_replication_role = replica; update shop.orders set note = 'by hand'");
as('clerk', $paris, "update shop.orders set note = 'x'");
ok($paris->poll("select state = 'stopped' from elvis.subscriber"), 'a conflict stops the link');
($status, undef, $errors) = $daemon->ctl('skip', 'paris_lyon');
is($status, 0, 'whoever runs it may have the change passed') or diag $errors;
$lyon->sql("set session_replication_role = replica; update shop.orders set note = 'x'");
as('clerk', $paris, 'update shop.orders set n = 5');
same('after the conflict');
is($daemon->stop, 0, 'the daemon ends well');

# what belongs to elvis is nobody else's
my ($log) = $paris->sql('select max(n) from elvis.segment where dropped_at is null');
for my $sql ("select * from elvis.log_$log", "insert into elvis.log_$log values ('1', 1, '')",
	'select * from elvis.relation', 'select * from elvis.resolution',
	'update elvis.subscriber set confirmed_id = 0', 'select elvis.take_snapshot()',
	q(select elvis.apply('\x')), q(select elvis.set_link_state(null, 'paused', '')),
	"select elvis.attach('shop.orders', 'replica')", "select elvis.detach('shop.orders')",
	'select elvis.upkeep()', 'select elvis.begin_copy(1)', 'select elvis.same_node()')
{
	($status, undef, $errors) = as('clerk', $paris, $sql);
	like($errors, qr/permission denied/, "refused to a user: $sql");
}
for my $sql ("insert into elvis.log_$log values ('1', 1, '')", 'delete from elvis.subscriber',
	'update elvis.position set seq = 0', 'select elvis.same_node()',
	"select elvis.attach('shop.orders', 'replica')")
{
	($status, undef, $errors) = as('runner', $paris, $sql);
	like($errors, qr/permission denied/, "refused to the daemon's role: $sql");
}

done_testing();
