# elvisctl check, plan and apply: databases become what the configuration says, once.
use strict;
use warnings;

use Elvis::Daemon;
use Elvis::Node;
use JSON::PP;
use Test::More;

my $paris = Elvis::Node->new('paris', bare => 1);
my $lyon = Elvis::Node->new('lyon', bare => 1, beside => $paris);
my $nice = Elvis::Node->new('nice', bare => 1, beside => $paris);
my @nodes = ($paris, $lyon, $nice);

for my $node (@nodes)
{
	$node->sql('create table accounts (id int primary key, balance int, at timestamptz)');
	$node->sql('create table "Odd.Table" ("Key" int primary key, "select" text)');
	$node->sql('create table notes (id int primary key, text text)');
	$node->sql('create table ignored (id int primary key)');
}

sub nodes_text
{
	return 'nodes = ( ' . join(', ', map {
		my $name = $_->name;
		"{ name = \"$name\"; id = " . $_->id . "; conninfo = \"\@conninfo $name\@\"; }"
	} @_) . ' );';
}

my $tree = nodes_text(@nodes) . <<'CONF';
links = (
    { name = "paris_lyon"; from = "paris"; to = "lyon";
      tables = ( { match = "public.ignored"; exclude = true; }, "public.*" ); },
    { name = "lyon_nice"; from = "lyon"; to = "nice";
      tables = ( "public.accounts", "public.\"Odd.Table\"" ); } );
CONF
my $ctl = Elvis::Daemon->new('tree', config => $tree, nodes => \@nodes);

sub role_of
{
	my ($node, $table) = @_;

	return $node->sql("select coalesce((select role from elvis.attachment
		where relid = '$table'::regclass), '-')");
}

sub everything
{
	return join "\n", map {
		$_->sql('select relid::regclass, role, key from elvis.attachment order by 1') . '|'
		  . $_->sql('select * from elvis.node') . '|'
		  . $_->sql('select link, name, confirmed_id, confirmed_token from elvis.subscriber order by 1') . '|'
		  . $_->sql('select link, name, from_id, from_token from elvis.position order by 1')
	} @nodes;
}

# ---- a tree ----

my ($status, $out, $err) = $ctl->ctl('check');
is($status, 0, 'a sound configuration is sound before anything is set up');

($status, $out) = $ctl->ctl('--json', 'plan');
is($status, 0, 'the plan can be made');
my $plan = decode_json($out);
is(scalar(grep { $_->{kind} eq 'start' } @$plan), 2, 'it starts both links');
is($paris->sql("select count(*) from pg_extension where extname = 'elvis'"), 0,
	'and has done nothing');

($status, $out, $err) = $ctl->ctl('apply');
is($status, 0, 'it is applied') or diag $err;
is(role_of($paris, 'accounts'), 'master', 'where changes only leave is a master');
is(role_of($lyon, 'accounts'), 'relay', 'where they arrive and leave is a relay');
is(role_of($nice, '"Odd.Table"'), 'replica', 'where they only arrive is a replica');
is(role_of($lyon, 'notes'), 'replica', 'each table by its own links');
is(role_of($nice, 'notes'), '-', 'what no link carries is left alone');
is(role_of($paris, 'ignored'), '-', 'and so is what a rule excludes');

my $before = everything();
($status, $out) = $ctl->ctl('apply');
is($status, 0, 'applying again is no error');
is(everything(), $before, 'and changes nothing');
($status, $out) = $ctl->ctl('--json', 'plan');
is_deeply(decode_json($out), [], 'since there is nothing to do');

# ---- triggers that somebody has switched off ----

$paris->sql('alter table accounts disable trigger elvis_capture');
$paris->sql('alter trigger elvis_capture on notes rename to renamed');
$lyon->sql('alter table notes disable trigger elvis_deny');
($status, $out) = $ctl->ctl('check');
is(() = $out =~ /disarmed/g, 2, 'a trigger that is off is noticed');
$ctl->ctl_ok('apply');
($status, $out) = $ctl->ctl('check');
unlike($out, qr/disarmed/, 'and put right');
is(($lyon->try_sql('insert into notes values (1)'))[0], 3, 'so that users are refused again');

# ---- another configuration ----

$ctl->write_config(nodes_text(@nodes) . <<'CONF');
links = (
    { name = "renamed"; from = "paris"; to = "lyon"; tables = "public.accounts"; },
    { name = "back"; from = "lyon"; to = "paris"; tables = "public.accounts"; } );
CONF
($status) = $ctl->ctl('check');
is($status, 3, 'a table written on both sides needs a policy that converges');
$ctl->write_config(nodes_text(@nodes) . <<'CONF');
links = (
    { name = "renamed"; from = "paris"; to = "lyon";
      tables = ( { match = "public.accounts"; policy = { use = "last_writer_wins"; column = "at"; }; } ); },
    { name = "back"; from = "lyon"; to = "paris";
      tables = ( { match = "public.accounts"; policy = { use = "last_writer_wins"; column = "at"; }; } ); } );
CONF
($status) = $ctl->ctl('apply');
is($status, 0, 'another configuration is applied');
is(role_of($paris, 'accounts') . role_of($lyon, 'accounts'), 'mastermaster',
	'a table written on both sides is a master on both');
is(role_of($lyon, 'notes'), 'replica', 'what it does not name stays attached');
is($paris->sql("select count(*) from elvis.subscriber"), 1, 'a renamed link is the same link');
($status) = $ctl->ctl('apply', '--prune');
is(role_of($lyon, 'notes') . role_of($nice, 'accounts'), '--', '--prune detaches it');
is($lyon->sql("select count(*) from elvis.subscriber where name = 'lyon_nice'"), 0,
	'and ends links that are not there any more');
is($nice->sql('select count(*) from elvis.position'), 0, 'on both sides');

# ---- what is refused, and with which status ----

sub refused
{
	my ($config, $words, $expected, $what) = @_;
	my $wrong = Elvis::Daemon->new('wrong', config => $config, nodes => \@nodes);
	my ($got, undef, $said) = $wrong->ctl(@$words);

	is($got, $expected, $what) or diag $said;
	my $lines = () = $said =~ /\n/g;
	is($lines, 1, '... in one line') or diag $said;
	return $said;
}

my $two = nodes_text($paris, $lyon);
my $link = 'links = ( { name = "l"; from = "paris"; to = "lyon"; tables = ';
like(refused($two . "\nno_such = 1;\n$link \"public.*\"; } );", ['check'], 3, 'an unknown setting'),
	qr/\.conf:2: /, '... with its line');
refused("$two $link \"public.nothing\"; } );", ['apply'], 3, 'a table that is not there');
refused("$two $link ( { match = \"public.*\"; policy = \"nobody\"; } ); } );", ['check'], 3,
	'a policy that is not there');
refused("$two $link ( { match = \"public.*\"; policy = { use = \"skip\"; colour = 1; }; } ); } );",
	['check'], 3, 'an option that the policy has not');
refused("$two $link \"public.*\"; } );", ['copy', 'm'], 3, 'a link that is not configured');
refused("$two $link \"public.*\"; } );", ['frobnicate'], 2, 'a command that there is not');
refused("$two $link \"public.*\"; } );", ['copy'], 2, 'a word too few');
refused("$two $link \"public.*\"; } );", ['plan', '--accept'], 2, 'an option of another command');
(my $away = $two) =~ s/\@conninfo lyon\@/host=\/nowhere dbname=x/;
refused("$away $link \"public.accounts\"; } );", ['apply'], 4, 'a database out of reach');
(my $other = $two) =~ s/id = 1/id = 7/;
refused("$other $link \"public.*\"; } );", ['apply'], 3, 'a number that is another node');

$lyon->sql('drop table ignored');
refused("$two $link \"public.*\"; } );", ['apply'], 3, 'a table that only the source has');

# ---- a cloned node ----

my $clone = Elvis::Node->new('clone', bare => 1, beside => $paris, id => 9);
$clone->cluster->safe_psql('postgres', 'drop database clone');
$lyon->sql("select pg_terminate_backend(pid) from pg_stat_activity
	where datname = 'paris' and pid <> pg_backend_pid()");
$clone->cluster->safe_psql('postgres', 'create database clone template paris');
my $cloned = Elvis::Daemon->new('cloned', nodes => [ $clone, $lyon ],
	config => nodes_text($clone, $lyon)
	  . 'links = ( { name = "l"; from = "clone"; to = "lyon"; tables = "public.notes"; } );');
($status, undef, $err) = $cloned->ctl('apply');
is($status, 3, 'a copy of a node is not taken for it') or diag $err;
like($err, qr/adopt-node clone/, '... and the way out is told');
($status) = $cloned->ctl('adopt-node', 'clone');
is($status, 0, 'it can be made a node of its own');
is($clone->sql('select id, name from elvis.node'), '9|clone', 'with the number configured');
($status, undef, $err) = $cloned->ctl('apply');
is($status, 0, 'and then be set up') or diag $err;

done_testing();
