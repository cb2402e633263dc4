# A9: what a table's owner has put beside it (triggers of all kinds, functions in keys) runs within
# apply as that owner and can leave that for nothing else, and never as whoever applies.
use strict;
use warnings;

use Elvis::Link;
use Elvis::Node;
use Test::More;

my $paris = Elvis::Node->new('paris');
my $lyon = Elvis::Node->new('lyon', beside => $paris);
my $link = Elvis::Link->new($paris, $lyon);

$paris->sql('create schema shop; create schema bank; create table shop.t (id int primary key, v int);
	create table bank.t (id int primary key, v int)');
$paris->attach($_, 'master') for qw(shop.t bank.t);
$lyon->sql(<<'SQL');
create role shop; create role bank;
create role daemon login in role elvis_daemon;
create schema seen; grant usage on schema seen to public;
create table seen.calls (n serial, what text, who text);
grant all on all tables in schema seen to public;
grant all on all sequences in schema seen to public;
create function seen.note(what text) returns void language plpgsql as $$
begin
	begin
		reset role;
		insert into seen.calls (what, who) values (what, current_user || ' loose');
	exception when others then
		insert into seen.calls (what, who) values (what, current_user::text);
	end;
end $$;
create function seen.tell() returns trigger language plpgsql as $$
begin perform seen.note(tg_name); return null; end $$;
SQL
for my $owner (qw(shop bank))
{
	$lyon->sql(<<"SQL");
create schema $owner authorization $owner;
set role $owner;
create table $owner.t (id int primary key, v int);
grant usage on schema $owner to daemon;
grant select, insert, update, delete on $owner.t to daemon;
create trigger ${owner}_after after insert or update or delete on $owner.t
	for each row execute function seen.tell();
create constraint trigger ${owner}_deferred after insert or update or delete on $owner.t
	deferrable initially deferred for each row execute function seen.tell();
alter table $owner.t enable always trigger ${owner}_after;
alter table $owner.t enable replica trigger ${owner}_deferred;
SQL
}
$link->start;
$link->{as} = 'daemon';

sub calls
{
	my $calls = $lyon->sql("select string_agg(what || ' ' || who, ', ' order by what, who) from "
		  . '(select distinct what, who from seen.calls) c');

	$lyon->sql('truncate seen.calls');
	return $calls;
}

$paris->sql('begin; insert into shop.t values (1, 1); insert into bank.t values (1, 1);
	update shop.t set v = 2; update bank.t set v = 2; delete from shop.t; delete from bank.t; commit');
is($link->step->{state}, 'd', 'tables of two owners in one transaction');
is(calls(), 'bank_after bank, bank_deferred bank, shop_after shop, shop_deferred shop',
	'each trigger runs as the owner of its table, also those that wait for the end');

# the recheck of a deferrable constraint evaluates what its index is made of
$lyon->sql(<<'SQL');
set role shop;
drop trigger shop_after on shop.t; drop trigger shop_deferred on shop.t;
create function shop.key_of(v int) returns int language plpgsql immutable as $$
begin
	perform set_config('shop.who', coalesce(current_setting('shop.who', true), '') ||
		' ' || current_user, false);
	return v;
end $$;
alter table shop.t add exclude using btree (shop.key_of(v) with =) deferrable initially deferred;
create function shop.who() returns trigger language plpgsql as $$
begin
	insert into seen.calls (what, who)
	select distinct 'key_of', w from regexp_split_to_table(
		coalesce(current_setting('shop.who', true), ''), ' ') w where w <> '';
	return null;
end $$;
reset role;
create trigger who after insert on bank.t for each row execute function shop.who();
alter table bank.t enable always trigger who;
SQL
$paris->sql('insert into shop.t values (2, 2), (3, 3)');
$paris->sql('begin; update shop.t set v = 3 where id = 2; update shop.t set v = 2 where id = 3; commit');
$paris->sql('insert into bank.t values (2, 2)');
is($link->step->{state}, 'd', 'a deferrable constraint on an expression');
is(calls(), 'bank_after bank, bank_deferred bank, key_of shop', 'is rechecked as the owner');

done_testing();
