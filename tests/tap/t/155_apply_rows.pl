# How apply knows a row: by where it put it last (B6), and by images first, the type's equality where
# they differ (C5).
use strict;
use warnings;

use Elvis::Link;
use Elvis::Node;
use Elvis::Util;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $link = Elvis::Link->new($paris, $lyon)->start;
my $told;

# ---- one row, again and again ----
$_->sql('create table hot (id int primary key, n int default 0)') for $paris, $lyon;
$paris->attach('hot', 'master');
$paris->sql('insert into hot values (1), (2)');
is($link->step->{state}, 'd', 'rows to be replaced');
$paris->sql('do $$ begin for i in 1 .. 3000 loop update hot set n = n + 1 where id = 1; end loop; end $$');
$told = $link->step;
is($told->{state}, 'd', 'one is, three thousand times');
is($lyon->sql('select n from hot where id = 1'), 3000, 'each time');
ok($lyon->poll("select n_tup_upd >= 3000 from pg_stat_user_tables where relname = 'hot'"), 'as is known');
cmp_ok($lyon->sql("select idx_scan from pg_stat_user_indexes where indexrelname = 'hot_pkey'"), '<', 100,
	'without a search of the index each time');

# ---- what is the same ----
$_->sql('create table same (id int primary key, n numeric, f float8, j jsonb, v int)') for $paris, $lyon;
$paris->attach('same', 'master');
$paris->sql(q(insert into same values (1, 1.00, 0, '{"a": 1.0}', 0)));
is($link->step->{state}, 'd', 'a row');
$lyon->sql(q(update same set n = 1.0, f = '-0', j = '{"a": 1.00}'));
$paris->sql('update same set v = 1');
$told = $link->step;
is($told->{state}, 'd', 'what is equal by its type is no conflict') or diag explain $told;
is($lyon->sql('select n, f, j, v from same'), '1.0|-0|{"a": 1.00}|1', 'and stays as it is');
$lyon->sql('update same set n = 1.01');
$paris->sql('update same set v = 2');
is($link->step->{state}, 'a', 'what is not, is one');

# json has no equality: it is the same only as it is written
$link->{rules} = { '*' => rules(other => always('keep_local')) };
is($link->step->{state}, 'd', 'left as it is');
$link->{rules} = {};
$_->sql('create table told (id int primary key, j json, v int)') for $paris, $lyon;
$paris->attach('told', 'master');
$paris->sql(q(insert into told values (1, '{"a":1}', 0)));
is($link->step->{state}, 'd', 'a row of a type without equality');
$paris->sql('update told set v = 1');
is($link->step->{state}, 'd', 'is compared as it is written');
$lyon->sql(q(update told set j = '{"a": 1}'));
$paris->sql('update told set v = 2');
is($link->step->{state}, 'a', 'and differs when it is written otherwise');

done_testing();
