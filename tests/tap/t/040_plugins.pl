# Policies and sinks of one's own, at work: found, asked, replaced, and survived when they
# crash or never return.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use Elvis::Util;
use File::Copy ();
use JSON::PP;
use PostgreSQL::Test::Utils ();
use Test::More;

my $tmp = $PostgreSQL::Test::Utils::tmp_check;
my $modules = "$tmp/modules";
my $feed = "$tmp/feed.jsonl";

umask 022;
mkdir $modules;

# ---- two databases, two links ----

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);

for my $node ($paris, $lyon)
{
	$node->sql('create table orders (id int primary key, state text, note text)');
	$node->sql('create table risky (id int primary key, v text)');
	$node->sql('create table accounts (id int primary key, balance numeric(12,2), owner text)');
	$node->sql("insert into accounts values (1, 100.00, 'Ann')");
	$node->sql('create table people (id int primary key, email text unique, nick text unique)');
	$node->sql("insert into people select i, 'e' || i, 'n' || i from generate_series(1, 3) i");
	$node->sql('create table plain (id int primary key, v text)');
	$node->sql("insert into orders select i, 'paid', '-' from generate_series(1, 9) i");
	$node->sql("insert into risky select i, 'a' from generate_series(1, 9) i");
}

# Builds the example as its author would: a copy, pkg-config, make.
sub build_my_policy
{
	my ($from, $to) = @_;
	my $source = "$tmp/source";

	mkdir $source;
	for my $name ('Makefile', 'my_policy.c')
	{
		my $text = PostgreSQL::Test::Utils::slurp_file(
			"$ENV{ELVIS_SRCDIR}/examples/my_policy/$name");

		$text =~ s/\Q$from\E/$to/g if defined $from;
		open my $file, '>', "$source/$name" or die "$source/$name: $!";
		print $file $text;
		close $file or die "$source/$name: $!";
	}
	local $ENV{PKG_CONFIG_PATH} = "$ENV{ELVIS_DESTDIR}$ENV{ELVIS_PKGCONFIGDIR}";
	local $ENV{PKG_CONFIG_SYSROOT_DIR} = $ENV{ELVIS_DESTDIR};
	delete local $ENV{MAKEFLAGS};
	system('make', '-s', '-B', '-C', $source, "CC=$ENV{ELVIS_CC}") == 0
	  or die 'the example does not build';
	File::Copy::copy("$source/my_policy.so", "$modules/my_policy.so") or die "copy: $!";
	return;
}

sub config
{
	my ($how) = @_;

	return <<"CONF";
policy_dirs = "$modules";
run_dir = "$tmp";
decide_timeout = "500 ms";
nodes = ( { name = "paris"; id = 1; conninfo = "\@conninfo paris@"; },
          { name = "lyon"; id = 2; conninfo = "\@conninfo lyon@"; } );
links = (
	{ name = "paris_lyon"; from = "paris"; to = "lyon";
	  tables = (
		{ match = "public.orders";
		  policy = { use = "my_policy"; column = "state";
		             steps = [ "new", "paid", "shipped" ]; }; },
		{ match = "public.accounts"; policy = { use = "delta"; columns = "balance"; }; },
		{ match = "public.people"; policy = { use = "apply_remote"; replace = true; }; },
		{ match = "public.risky";
		  policy = { use = "misbehaves"; how = "$how"; }; } ); },
	{ name = "paris_feed"; from = "paris";
	  sink = { use = "jsonl"; path = "$feed"; rotate_size = 20000; };
	  tables = ( { match = "public.plain"; } ); } );
CONF
}

build_my_policy();
File::Copy::copy("$ENV{ELVIS_BUILDDIR}/tests/plugins/.libs/misbehaves.so",
	"$modules/misbehaves.so") or die "misbehaves: $!";
my $daemon = Elvis::Daemon->new('plugins', config => config('crash'),
	nodes => [ $paris, $lyon ]);
$daemon->ctl_ok('apply', '--adopt');
$daemon->start;
$daemon->wait_caught_up;

sub behind_its_back { $lyon->sql("set session_replication_role = replica; $_[0]"); return; }

sub link_status
{
	my ($link) = @_;
	my ($it) = grep { $_->{name} eq $link || ($_->{link} // '') eq $link }
	  @{ decode_json($daemon->ctl_ok('--json', 'status'))->{links} };

	return $it;
}

sub slurp_ids
{
	my %seen;

	for my $file ($feed, map { "$feed.$_" } 1 .. 99)
	{
		last unless -e $file;
		for (split /\n/, PostgreSQL::Test::Utils::slurp_file($file))
		{
			my $event = eval { decode_json($_) } // next;

			$seen{ $event->{after}->{id} }++ if $event->{op} eq 'c';
		}
	}
	return \%seen;
}

# ---- a policy of one's own ----

behind_its_back("update orders set state = 'shipped', note = 'lyon' where id = 1");
behind_its_back("update orders set state = 'new', note = 'lyon' where id = 2");
$paris->sql("update orders set note = 'paris' where id in (1, 2)");
$daemon->wait_caught_up;
is($lyon->sql('select note from orders where id = 1'), 'lyon', 'what got further stays');
is($lyon->sql('select note from orders where id = 2'), 'paris', 'or comes');
is($lyon->sql("select count(*) from elvis.resolution where policy = 'my_policy'"), 2,
	'and both are recorded under its name');

# ---- one that is shipped and builds rows ----

behind_its_back("update accounts set balance = balance + 5.50 where id = 1");
$paris->sql("update accounts set balance = balance - 20, owner = 'Anne' where id = 1");
$daemon->wait_caught_up;
is($lyon->sql('select balance, owner from accounts'), '85.50|Anne', 'delta adds up');

behind_its_back("insert into people values (10, 'a', 'x'), (11, 'y', 'b')");
behind_its_back('delete from people where id = 2');
$paris->sql("insert into people values (20, 'a', 'b')");
$paris->sql("update people set nick = 'late' where id = 2");
$paris->sql("update people set email = 'c' where id = 3");
behind_its_back("update people set nick = 'other' where id = 1");
$paris->sql('delete from people where id = 1');
$daemon->wait_caught_up;
ok(same_rows('people', $paris, $lyon), 'apply_remote makes the target what the source is');

# ---- replaced in place ----

build_my_policy('order > 0', 'order < 0');
my $place = length $daemon->log_text;
behind_its_back("update orders set state = 'shipped', note = 'lyon' where id = 3");
$paris->sql("update orders set note = 'paris' where id = 3");
$daemon->wait_caught_up;
is($lyon->sql('select note from orders where id = 3'), 'lyon',
	'a file that is replaced changes nothing yet');
$daemon->reload;
$daemon->wait_for_log(qr/reload|configuration/, $place);
behind_its_back("update orders set state = 'shipped', note = 'lyon' where id = 4");
$paris->sql("update orders set note = 'paris' where id = 4");
$daemon->wait_caught_up;
is($lyon->sql('select note from orders where id = 4'), 'paris', 'a reload takes the new one');

# ---- one that crashes, one that never returns ----

sub stopped_by_policy
{
	my $it = link_status('paris_lyon');

	return $it->{state} eq 'stopped' && ($it->{reason} // '') =~ /policy_error.*misbehaves/;
}

for my $how ('crash', 'never_return')
{
	my $id = $how eq 'crash' ? 1 : 2;

	behind_its_back("update risky set v = 'lyon' where id = $id");
	$paris->sql("update risky set v = 'paris' where id = $id");
	isnt($daemon->wait_ended(60) & 127, 0, "$how: elvisd dies of it");

	$daemon->start;
	my $stopped = poll_until { stopped_by_policy() };
	ok($stopped, "$how: started again, that link is stopped") or diag($daemon->log_text);
	$paris->sql("insert into plain values (1000 + $id, '$how')");
	my $runs = poll_until { -s $feed && slurp_ids()->{ 1000 + $id } };
	ok($runs, "$how: the other link runs");

	# mended, the link goes on where it was
	behind_its_back("update risky set v = 'a' where id = $id");
	$daemon->ctl_ok('resume', 'paris_lyon');
	$daemon->wait_caught_up;
	is($lyon->sql("select v from risky where id = $id"), 'paris', "$how: mended, it goes on");
	next if $how eq 'never_return';
	$daemon->write_config(config('never_return'));
	$place = length $daemon->log_text;
	$daemon->reload;
	$daemon->wait_for_log(qr/reload|configuration/, $place);
}

# ---- jsonl: nothing lost, nothing twice ----

for my $round (1 .. 8)
{
	for my $part (1 .. 5)
	{
		my $first = $round * 10000 + $part * 100;

		$paris->sql("insert into plain select i, 'x' from generate_series($first, $first + 60) i");
	}
	$daemon->kill9;
	$daemon->start;
}
$daemon->wait_caught_up;

# however little was brought before each kill: a file that is full ends before the next transaction
$paris->sql("insert into plain values (90000, 'x')");
$daemon->wait_caught_up;
my $seen = slurp_ids();
is(scalar(keys %$seen), $paris->sql('select count(*) from plain'), 'every insert has its line');
is(scalar(grep { $_ != 1 } values %$seen), 0, 'and only one');
ok(-e "$feed.1", 'in more than one file');
is($daemon->stop, 0, 'it ends well');

done_testing();
