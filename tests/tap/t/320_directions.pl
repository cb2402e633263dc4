# Each of two nodes is master of some tables and replica of the others; one daemon does it, and
# two do.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Load;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon');
my @both = ($paris, $lyon);
my @there = ('paris', 'lyon', 'tables = "public.pgbench_*";');
my @back = ('lyon', 'paris', 'tables = "public.back_*";');
my $both_ways = Elvis::Daemon->new('both_ways', nodes => \@both,
	config => links_conf(\@both, \@there, \@back));
my @one_way = map {
	Elvis::Daemon->new("$_->[0]_$_->[1]", nodes => \@both, config => links_conf(\@both, $_))
} \@there, \@back;

pgbench_tables(@both);
$_->sql('create table back_t (id int primary key, n int default 0); '
	  . 'create table back_log (line text)') for @both;
$both_ways->ctl_ok('apply', '--adopt');

sub write_both_ways
{
	my $load = Elvis::Load->new($paris, clients => 2, transactions => 300);
	my $first = $lyon->sql('select coalesce(max(id), 0) + 1 from back_t');

	$lyon->sql(join '', map { "insert into back_t values ($_); "
		  . "update back_t set n = n + 1 where id % 7 = $_ % 7; "
		  . "insert into back_log values ('line $_');\n" } $first .. $first + 200);
	is($load->finish, 0, 'both nodes are written');
	return;
}

sub same
{
	my ($name) = @_;

	ok(same_pgbench(@both), "$name: what goes one way is the same");
	ok(same_rows('back_t', @both) && same_rows('back_log', @both),
		"$name: what goes the other way, too");
	return;
}

$both_ways->start;
write_both_ways();
$both_ways->wait_caught_up;
same('one daemon');

# a replica's tables are written by nobody else, here and there
for ([ $lyon, 'delete from pgbench_tellers' ], [ $paris, 'delete from back_t' ])
{
	my ($node, $sql) = @$_;
	my ($status) = $node->try_sql($sql);

	isnt($status, 0, 'a replica is refused to users of ' . $node->name);
}

$both_ways->stop;
$_->start for @one_way;
write_both_ways();
$_->wait_caught_up for @one_way;
same('two daemons');

# both at the same links: one of them delivers, the other finds the position moved
$both_ways->start;
write_both_ways();
$both_ways->wait_caught_up;
same('three daemons');
$_->stop for @one_way;
write_both_ways();
$both_ways->wait_caught_up;
same('and one again');

is($_->sql('select count(*) from elvis.resolution'), 0, 'without a conflict at ' . $_->name)
  for @both;

done_testing();
