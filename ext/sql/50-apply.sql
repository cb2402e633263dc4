-- The target's side of links.  Written by the functions below and by elvis.apply() only.

-- How far each link has delivered.  The row is replaced in place at every commit of the link:
-- room is left on its page, so that it stays there.
create table elvis.position (
	link uuid primary key,
	name text not null,
	source int not null,
	incarnation bigint not null,
	from_id bigint not null,
	from_token bigint not null,
	to_id bigint not null default 0,
	to_token bigint not null default 0,
	seq bigint not null default 0,
	source_at timestamptz,
	at timestamptz not null default pg_catalog.clock_timestamp(),
	skips bigint[],		-- seq and ordinal of each change that is to be passed
	check (pg_catalog.cardinality(skips) % 2 = 0)
) with (fillfactor = 10, autovacuum_vacuum_threshold = 1000, autovacuum_vacuum_scale_factor = 0);

-- Tables that joined a link by a copy: what `copied` shows is in the copy.  Once the link has
-- passed the snapshot `until_id`, which was taken after `copied`, the row has done its work.  Rows
-- that arrive in several transactions make the table unfinished, and nobody's to apply to, until
-- the last of them; a copy that was cut off leaves it so.
create table elvis.position_table (
	link uuid not null references elvis.position on delete cascade,
	relid regclass not null,
	copied pg_snapshot not null,
	until_id bigint,
	parts_left int not null default 0,	-- transactions to come
	primary key (link, relid)
);

-- Which link brings an origin's changes to a table; the first that does so owns them.
create table elvis.route (
	relid regclass not null,
	origin int not null,
	link uuid not null,
	primary key (relid, origin)
);

-- Sessions remember what is theirs.
create function elvis.route_changed() returns trigger
	language c as 'MODULE_PATHNAME', 'elvis_route_changed';

create trigger elvis_route_changed after insert or update or delete or truncate on elvis.route
	for each statement execute function elvis.route_changed();
alter table elvis.route enable always trigger elvis_route_changed;

create function elvis.link_open(link uuid, name text, source int, incarnation bigint,
				out known bool, out from_id bigint, out from_token bigint,
				out to_id bigint, out to_token bigint, out seq bigint)
	language c strict as 'MODULE_PATHNAME', 'elvis_link_open';

create function elvis.link_start(link uuid, name text, source int, incarnation bigint,
				 id bigint, token bigint) returns void
	language plpgsql strict security definer
	set search_path = pg_catalog, pg_temp
as $$
begin
	insert into elvis.position (link, name, source, incarnation, from_id, from_token)
	values (link_start.link, link_start.name, link_start.source, link_start.incarnation,
		link_start.id, link_start.token);
exception
	when unique_violation then
		raise exception 'link "%" has a position already', link_start.name
			using errcode = 'object_not_in_prerequisite_state',
			hint = 'elvis.link_forget() forgets it, for a link that begins anew.';
end
$$;

create function elvis.link_forget(link uuid) returns void
	language plpgsql strict security definer
	set search_path = pg_catalog, pg_temp
as $$
begin
	delete from elvis.route r where r.link = link_forget.link;
	delete from elvis.position p where p.link = link_forget.link;
end
$$;

-- What another link from the same node has brought to the table is this link's to bring from here
-- on.  That is right where the table holds what that link has brought, and no more is under way.
create function elvis.table_take(link uuid, target regclass) returns void
	language plpgsql strict security definer
	set search_path = pg_catalog, pg_temp
as $$
declare
	theirs record;
begin
	for theirs in
		select r.origin, p.link
		from elvis.route r
		join elvis.position p on p.link = r.link
		join elvis.position mine on mine.link = table_take.link and mine.source = p.source
		where r.relid = target and r.link <> table_take.link
		order by p.link
		for share of p	-- no target transaction of theirs is under way until we commit
	loop
		update elvis.route r set link = table_take.link
		where r.relid = target and r.origin = theirs.origin and r.link = theirs.link;
	end loop;
end
$$;

-- The link brings no more changes of the table, and another may.
create function elvis.table_release(link uuid, target regclass) returns void
	language plpgsql strict security definer
	set search_path = pg_catalog, pg_temp
as $$
begin
	perform from elvis.position p where p.link = table_release.link for share;
	delete from elvis.route r where r.link = table_release.link and r.relid = target;
end
$$;

create function elvis.table_start(link uuid, target regclass, copied pg_snapshot,
				  until_id bigint default null, parts int default 0)
	returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp
as $$
begin
	-- No target transaction is under way that does not know of it, nor begins until we commit.
	perform from elvis.position p where p.link = table_start.link for share;
	-- The copy is newer than what any other link has brought.
	perform elvis.table_take(table_start.link, target);
	insert into elvis.position_table
	values (table_start.link, target, table_start.copied, table_start.until_id,
		table_start.parts)
	on conflict on constraint position_table_pkey do update
	set copied = excluded.copied, until_id = excluded.until_id,
	    parts_left = excluded.parts_left;
end
$$;

-- In the transaction that brings a part.  The snapshot tells whose: no other copy's rows come in.
create function elvis.table_part(link uuid, target regclass, until_id bigint) returns void
	language plpgsql strict security definer
	set search_path = pg_catalog, pg_temp
as $$
begin
	update elvis.position_table t set parts_left = t.parts_left - 1
	where t.link = table_part.link and t.relid = target
	  and t.until_id = table_part.until_id and t.parts_left > 0;
	if not found then
		raise exception 'this copy of table % has been given up', target
			using errcode = 'object_in_use',
			hint = 'Another one has begun, or goes on without the table.';
	end if;
end
$$;

create function elvis.table_forget(link uuid, target regclass) returns void
	language sql strict security definer
	set search_path = pg_catalog, pg_temp
as $$
	delete from elvis.position_table t
	where t.link = table_forget.link and t.relid = table_forget.target
$$;

create function elvis.skip_change(link uuid, seq bigint, ordinal bigint) returns void
	language plpgsql strict security definer
	set search_path = pg_catalog, pg_temp
as $$
begin
	update elvis.position p
	set skips = coalesce(p.skips, '{}') || array[skip_change.seq, skip_change.ordinal]
	where p.link = skip_change.link;
	if not found then
		raise exception 'link % has no position here', skip_change.link
			using errcode = 'no_data_found';
	end if;
end
$$;

create function elvis.durable_position(link uuid, out known bool, out from_id bigint,
				       out from_token bigint, out to_id bigint,
				       out to_token bigint, out seq bigint)
	language c strict as 'MODULE_PATHNAME', 'elvis_durable_position';

create function elvis.apply(frame bytea, out state "char", out changes bigint,
			    out conflict bytea)
	language c strict as 'MODULE_PATHNAME', 'elvis_apply';

create function elvis.answer(verdict bytea, out state "char", out changes bigint,
			     out conflict bytea)
	language c strict as 'MODULE_PATHNAME', 'elvis_answer';
