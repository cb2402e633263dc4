# The tables that are replicated, what happens to them, and how to tell that two databases
# hold the same.
package Bench::Data;

use strict;
use warnings;

use Carp;
use Exporter 'import';

our @EXPORT_OK = qw(tables_of fill give_history_a_key bulk_statement bulk_backlog
	small_transactions tpcb_backlog digest same_work);

# Of the tables that bulk statements change: the columns after id and b, and a row, as a query
# makes it from its id.  A row of `bulk` is as long as one of pgbench_accounts, one of `wide`
# has 42 columns of four types and some 650 bytes, and one of `document` a body of 16 kB out
# of line, which updates leave alone.
my %columns = (
	bulk => 'a int not null, filler char(84) not null',
	wide => join(', ', map { "i$_ int, t$_ text, s$_ timestamptz, n$_ numeric" } 1 .. 10),
	document => 'body text not null',
);
my %row = (
	bulk => 'id % 1000, repeat(chr(97 + id % 26), 84)',
	wide => join(', ', map { "id + $_, 'text ' || id % 1000 || ' of column $_', " .
		"timestamptz '2000-01-01' + id * interval '1 s', id * 0.$_" } 1 .. 10),
	document => 'repeat(md5(id::text), 512)',
);

# A row of `mark` says, once it has arrived, that all before it has.
sub fill
{
	my ($server, $scale) = @_;
	my $place = $server->{place};

	$place->run("$place->{bin}/createdb", '-h', $server->{dir}, '-U', 'bench', 'bench');
	$place->run("$place->{bin}/pgbench", '-i', '-q', '-s', $scale, '-h', $server->{dir},
		'-U', 'bench', 'bench');
	$server->sql("create table $_ (id int primary key, b int not null, $columns{$_})")
		for sort keys %columns;
	$server->sql('alter table document alter body set storage external');
	$server->sql('create table mark (id int primary key)');
	$server->sql('vacuum (freeze, analyze)');
	$server->sql('checkpoint');
	return;
}

# What is replicated: all tables of schema public
sub tables_of
{
	my ($server) = @_;

	return split /\n/, $server->sql("select relname from pg_class " .
		"where relnamespace = 'public'::regnamespace and relkind = 'r' " .
		"order by relname collate \"C\"");
}

# For variants that replicate no table without one
sub give_history_a_key
{
	$_->sql('alter table pgbench_history add hid bigserial primary key') for @_;
	return;
}

# One statement of $kind over the rows $first to $last of $table
sub bulk_statement
{
	my ($kind, $table, $first, $last) = @_;
	my $where = "where id between $first and $last";

	return $kind eq 'insert' ? "insert into $table select id, 0, $row{$table} " .
			"from generate_series($first, $last) id"
		: $kind eq 'update' ? "update $table set b = b + 1 $where"
		: "delete from $table $where";
}

# $count changes of $kind to the rows of $table from 1, $size a transaction
sub bulk_backlog
{
	my ($server, $kind, $table, $count, $size) = @_;
	my $session = $server->session('backlog');

	for (my $first = 1; $first <= $count; $first += $size)
	{
		$session->query(bulk_statement($kind, $table, $first, $first + $size - 1));
	}
	return;
}

# $count transactions by 4 clients
sub tpcb_backlog
{
	my ($server, $count) = @_;
	my $place = $server->{place};

	$place->run("$place->{bin}/pgbench", '-n', '-M', 'prepared', '-c', 4, '-j', 1,
		'-t', $count / 4, '-h', $server->{dir}, '-U', 'bench', 'bench');
	return;
}

# $count transactions of an update and an insert, one after the other, as fast as may be
sub small_transactions
{
	my ($server, $count) = @_;

	$server->session('backlog')->query(<<"SQL");
do \$\$
begin
	for i in 1 .. $count loop
		update pgbench_accounts set abalance = abalance + 1
		where aid = 1 + i * 7919::bigint % 100000;
		insert into pgbench_history (aid, delta) values (i, 1);
		commit;
	end loop;
end
\$\$
SQL
	return;
}

# Rows, and a sum over them that no order changes; of all tables, or of those named
sub digest
{
	my ($server, @of) = @_;

	return join "\n", map {
		"$_ " . $server->session('digest')->query(
			"select count(*), sum(hashtextextended(t::text, 0)) from $_ t")
	} @of ? @of : tables_of($server);
}

# Dies unless the servers, who were given the same work, have done it.  The rows of history
# hold the time and so differ.
sub same_work
{
	my (@servers) = @_;
	my @tables = grep { $_ ne "pgbench_history" } tables_of($servers[0]);
	my @done = map { digest($_, @tables) } @servers;

	$_ eq $done[0] or croak "servers differ:\n$done[0]\nand\n$_" for @done;
	return;
}

1;
