# Whether a change costs the same among few tables and among very many.
package tables;

use strict;
use warnings;

use Bench::Figures qw(median quote ratios);

sub about
{
	return <<'TEXT';
A backlog of the same number of inserts, two a transaction, goes to 10, to 1,000 or to
10,000 tables in turn. CPU time of all of the source server and of the backends that apply
together. Delivery runs and has brought two inserts of each table before, so that sessions
know all of them; its processes are held while the backlog is made. What a table costs once
is told by those first inserts. The tables have rows before, each another number of them, so
that few or many they grow by as many pages, and none of them just begins. Servers have
1 GB of buffers: in 256 MB the last pages of 10,000 tables and their indexes have no room,
and half of what a change takes is then the kernel's, for files opened, read and written.
TEXT
}

# Locks on all of them at once are wanted while they are made ready, and nobody is to take those
# who are held for lost.
my $conf = "max_locks_per_transaction = 1000\nshared_buffers = 1GB\n" .
	"wal_sender_timeout = 0\nwal_receiver_timeout = 0\n";

my $changes = 200_000;

# Its goals are ratios of elvis to elvis.
sub with_itself { return 1; }

sub run
{
	my ($class, $bench) = @_;
	my @counts = $bench->quick ? (10, 1_000) : (10, 1_000, 10_000);
	my @variants = $bench->delivering;
	my (%route, %us, %once, %ratio);

	for my $count (@counts)
	{
		$route{$count} = { $bench->routes(label => $count, conf => $conf,
			fill => sub { make_tables($_[0], $count) }) };
	}
	for my $repetition (1 .. $bench->repetitions)
	{
		for my $name ($bench->rotate($repetition, @variants))
		{
			for my $count ($bench->rotate($repetition, @counts))
			{
				my ($us, $once) = costs($route{$count}->{$name}, $count);
				push @{ $us{$name}->{$count} }, $us;
				push @{ $once{$name}->{$count} }, $once;
				$bench->raw('tables', 'repetition,variant,tables,' .
					'changes,cpu_us_a_change,cpu_us_a_table',
					"$repetition,$name,$count,$changes,$us,$once");
			}
		}
	}
	for my $name (@variants)
	{
		$ratio{$name} = [ ratios(@{ $us{$name} }{ @counts[-1, 0] }) ];
	}
	$_->remove for map { values %$_ } values %route;
	$bench->goal("CPU a change, $counts[-1] tables / 10", '<=', 1.1, $ratio{elvis});
	return (plot($bench, \%us, \@counts, @variants),
		$bench->table([ 'variant', map({ "$_ tables: us a change" } @counts), 'ratio',
			map({ "$_ tables: us a table" } @counts[1 .. $#counts]) ],
			map { [ $_, figures($us{$_}, @counts),
				quote('%.2f', @{ $ratio{$_} }),
				figures($once{$_}, @counts[1 .. $#counts]) ] } @variants));
}

sub figures
{
	my ($of, @counts) = @_;

	return map { quote('%.2f', @{ $of->{$_} }) } @counts;
}

# In us: what a change costs, and what a table does once
sub costs
{
	my ($route, $count) = @_;
	my ($source, $first) = ($route->source, 2 * $count);

	spread($source, $count, $first);
	my $start = $route->bring_over;
	my $held = $route->bring_held(sub { spread($source, $count, $changes) });
	$route->stop;
	$route->verify;
	my ($once, $us) = map { ($_->{source} + $_->{apply}) * 1e6 } $start, $held;
	$us /= $changes;
	return ($us, ($once - $first * $us) / $count);
}

sub plot
{
	my ($bench, $us, $counts, @variants) = @_;

	return $bench->plot(title => 'Cost of a change by number of tables', y => 'CPU us',
		x => 'tables', series => \@variants, points => { map {
			my $of = $us->{$_};
			$_ => [ map { [ $_, median(@{ $of->{$_} }) ] } @$counts ]
		} @variants });
}

sub make_tables
{
	my ($server, $count) = @_;

	$server->sql(<<"SQL");
do \$\$
begin
	for i in 0 .. $count - 1 loop
		execute format('create table many_%s (id int primary key, b int)', i);
		execute format('insert into many_%s select g, 0 from generate_series(%s, -1) g',
			i, -410 - i * 7919 % 400);
		if i % 100 = 0 then
			commit;
		end if;
	end loop;
end
\$\$;
create sequence many_id
SQL
	return;
}

sub spread
{
	my ($server, $count, $changes) = @_;

	$server->session('backlog')->query(<<"SQL");
do \$\$
begin
	for i in 0 .. $changes - 1 loop
		execute format('insert into many_%s values (\$1, 0)', i % $count)
			using nextval('many_id')::int;
		if i % 2 = 1 then
			commit;
		end if;
	end loop;
end
\$\$
SQL
	return;
}

1;
