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

# the recheck of a deferrable constraint evaluates what its index is made of; all that such a
# function can leave behind is in sequences
$lyon->sql(<<'SQL');
create sequence seen.as_shop; create sequence seen.as_daemon;
grant all on all sequences in schema seen to public;
set role shop;
drop trigger shop_after on shop.t; drop trigger shop_deferred on shop.t;
create function shop.key_of(v int) returns int language plpgsql immutable as $$
begin
	perform nextval('seen.as_' || current_user);
	return v;
end $$;
alter table shop.t add exclude using btree (shop.key_of(v) with =) deferrable initially deferred;
SQL
$paris->sql('insert into shop.t values (2, 2), (3, 3)');
$paris->sql('begin; update shop.t set v = 3 where id = 2; update shop.t set v = 2 where id = 3; commit');
is($link->step->{state}, 'd', 'a deferrable constraint on an expression');
is($lyon->sql('select s.is_called, d.is_called from seen.as_shop s, seen.as_daemon d'), 't|f',
	'is rechecked as the owner');

# nor does it set the stage for somebody else's
$lyon->sql(<<'SQL');
create function seen.settings() returns trigger language plpgsql as $$
begin
	insert into seen.calls (what, who) values (tg_name,
		current_setting('search_path') || ' ' || current_setting('DateStyle'));
	return new;
end $$;
create trigger bank_before before insert on bank.t for each row execute function seen.settings();
alter table bank.t enable always trigger bank_before;
set role shop;
create function shop.spoil() returns trigger language plpgsql as $$
begin
	perform set_config('search_path', 'shop', false), set_config('DateStyle', 'German', false);
	return new;
end $$;
create trigger spoil before insert on shop.t for each row execute function shop.spoil();
create trigger spoil_after after insert on shop.t for each row execute function shop.spoil();
alter table shop.t enable always trigger spoil;
alter table shop.t enable always trigger spoil_after;
SQL
$paris->sql('begin; insert into shop.t values (4, 4); insert into bank.t values (4, 4);
	insert into shop.t values (5, 5); insert into bank.t values (5, 5); commit');
is($link->step->{state}, 'd', 'a trigger that changes settings');
is(calls(), 'bank_after bank, bank_before pg_catalog, pg_temp ISO, YMD, bank_deferred bank',
	'changes none for others');

# nor where rows of another's wait while a conflict is asked about
$lyon->sql('drop trigger bank_before on bank.t; alter table bank.t disable trigger user; ' .
	"alter table bank.t add stage text default current_setting('search_path') || ' ' || current_setting('DateStyle')");
$lyon->sql(<<'SQL');
set role shop;
alter table shop.t disable trigger user;
create function shop.spoil_value(int) returns bool language plpgsql as $$
begin
	perform set_config('search_path', 'shop', false), set_config('DateStyle', 'German', false);
	return true;
end $$;
create domain shop.number as int check (shop.spoil_value(value));
alter table shop.t drop constraint t_key_of_excl;
alter table shop.t alter v type shop.number;
update shop.t set v = 0 where id = 4;
SQL
$paris->sql('begin; insert into bank.t values (6, 6); update shop.t set v = 40 where id = 4; commit');
is($link->step(answers => [ verdict('keep_local') ])->{state}, 'd', 'a conflict behind rows that wait');
is($lyon->sql('select stage from bank.t where id = 6'), 'pg_catalog, pg_temp ISO, YMD',
	'sets no stage for them either');

done_testing();
