-- The log is a row of independent tables elvis.log_<n>, beside each one elvis.snapshot_<n> with
-- the snapshots of its time.  A segment is written while elvis.segment_current says so, is quiet
-- when nobody who wrote into it still runs, and is dropped whole.
create sequence elvis.log_seq cache 1;
create sequence elvis.segment_current cache 1;

create table elvis.segment (
	n int primary key,
	lo xid8,		-- no older transaction has written here; null: not in use yet
	hi xid8,		-- nor this one or a newer one; null: not known yet
	quiet_at bigint,	-- the first snapshot that sees all of it; null: not quiet yet
	made_at timestamptz not null default pg_catalog.clock_timestamp(),
	made_by xid8 not null default pg_catalog.pg_current_xact_id(),
	confirmed_at timestamptz,	-- when everybody had confirmed it
	dropped_at timestamptz
);

create table elvis.subscriber (
	link uuid primary key,
	name text not null,
	target text,
	state text not null default 'running' check (state in ('running', 'paused', 'stopped')),
	reason text,
	state_at timestamptz not null default pg_catalog.clock_timestamp(),
	confirmed_id bigint not null,
	confirmed_token bigint not null,
	confirmed_to_id bigint not null default 0,
	confirmed_to_token bigint not null default 0,
	confirmed_seq bigint not null default 0,
	confirmed_at timestamptz not null default pg_catalog.clock_timestamp(),
	detached_at timestamptz		-- the log is not kept for it any more
);

-- Nothing is ever deleted from a segment, so there is nothing to vacuum, and nothing is planned.
-- Heaps, because they are written as such, whatever the database prefers.
create function elvis.make_segment(n int) returns void
	language plpgsql
	set search_path = pg_catalog, pg_temp
	set default_table_access_method = heap
as $$
begin
	execute format('create table elvis.log_%1$s (xid xid8 not null, seq bigint not null, '
		       'body bytea not null) with (toast_tuple_target = 8160, '
		       'autovacuum_enabled = false, toast.autovacuum_enabled = false)', n);
	execute format('alter table elvis.log_%s alter body set storage external', n);
	-- no two entries are alike: looking for those that are would be in vain
	execute format('create index log_%1$s_xid_seq on elvis.log_%1$s (xid, seq) '
		       'with (deduplicate_items = off)', n);
	execute format('create table elvis.snapshot_%s (id bigint not null primary key, '
		       'token bigint not null, snap pg_snapshot not null, '
		       'at timestamptz not null, sealed bigint not null)', n);
	execute format('revoke all on elvis.log_%1$s, elvis.snapshot_%1$s from public', n);
	insert into elvis.segment (n) values (make_segment.n);
end
$$;

select elvis.make_segment(1), elvis.make_segment(2);
update elvis.segment set lo = '0' where n = 1;
select pg_catalog.setval('elvis.segment_current', 1);

create function elvis.take_snapshot(out id bigint, out token bigint, out at timestamptz,
				    out snap pg_snapshot)
	language c strict as 'MODULE_PATHNAME', 'elvis_take_snapshot';

create function elvis.wait_snapshot(known bigint, floor_ms int, timeout_ms int,
				    out id bigint, out token bigint, out at timestamptz,
				    out fresh bool)
	language c strict as 'MODULE_PATHNAME', 'elvis_wait_snapshot';

create function elvis.read(from_id bigint, from_token bigint, to_id bigint, to_token bigint,
			   seq bigint, inside bigint, max_bytes int, portable text,
			   out body bytea, out seq bigint, out inside bigint, out finished bool,
			   out changes bigint)
	language c strict as 'MODULE_PATHNAME', 'elvis_read';

create function elvis.snapshot_known(id bigint, token bigint) returns bool
	language c strict as 'MODULE_PATHNAME', 'elvis_snapshot_known';

-- Excludes snapshotters until the end of the transaction.
create function elvis.lock_snapshots() returns void
	language c strict as 'MODULE_PATHNAME', 'elvis_lock_snapshots';

-- Whoever waits for a snapshot looks again when this transaction has committed.
create function elvis.wake() returns void
	language c strict as 'MODULE_PATHNAME', 'elvis_wake';

-- Takes the lock to the end of the transaction if that is possible without waiting.
create function elvis.try_lock(target regclass, exclusive bool) returns bool
	language c strict as 'MODULE_PATHNAME', 'elvis_try_lock';

-- The recorded snapshots that are still kept.
create function elvis.snapshots(out segment int, out id bigint, out token bigint,
				out snap pg_snapshot, out at timestamptz, out sealed bigint)
	returns setof record
	language plpgsql stable security definer
	set search_path = pg_catalog, pg_temp
as $$
begin
	for segment in
		select s.n from elvis.segment s where s.dropped_at is null order by s.n
	loop
		return query execute format('select $1, s.id, s.token, s.snap, s.at, s.sealed '
					    'from elvis.snapshot_%s s order by s.id', segment)
		using segment;
	end loop;
end
$$;

create function elvis.newest_snapshot() returns bigint
	language plpgsql stable security definer
	set search_path = pg_catalog, pg_temp
as $$
declare
	segment int;
	newest bigint;
begin
	for segment in
		select s.n from elvis.segment s where s.dropped_at is null order by s.n desc
	loop
		execute format('select max(id) from elvis.snapshot_%s', segment) into newest;
		exit when newest is not null;
	end loop;
	return coalesce(newest, 0);
end
$$;

-- ---- subscribers ----

-- Under the lock of snapshots: the upkeep cannot drop what the new subscriber needs.
create function elvis.subscribe(link uuid, name text, target text,
				out id bigint, out token bigint, out at timestamptz,
				out snap pg_snapshot)
	language plpgsql strict security definer
	set search_path = pg_catalog, pg_temp
as $$
begin
	perform elvis.lock_snapshots();
	select t.id, t.token, t.at, t.snap into id, token, at, snap from elvis.take_snapshot() t;
	insert into elvis.subscriber as s (link, name, target, confirmed_id, confirmed_token)
	values (subscribe.link, subscribe.name, subscribe.target, subscribe.id, subscribe.token)
	on conflict on constraint subscriber_pkey do update
	set name = excluded.name, target = excluded.target;
	-- what a detached subscriber had confirmed is of no use: its log may be gone
	update elvis.subscriber s
	set detached_at = null, state = 'running', reason = null, state_at = clock_timestamp(),
	    confirmed_id = subscribe.id, confirmed_token = subscribe.token, confirmed_to_id = 0,
	    confirmed_to_token = 0, confirmed_seq = 0, confirmed_at = clock_timestamp()
	where s.link = subscribe.link and s.detached_at is not null;
	perform elvis.wake();
end
$$;

create function elvis.unsubscribe(link uuid) returns void
	language plpgsql strict security definer
	set search_path = pg_catalog, pg_temp
as $$
begin
	delete from elvis.subscriber s where s.link = unsubscribe.link;
	perform elvis.wake();
end
$$;

create function elvis.set_link_state(link uuid, state text, reason text) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp
as $$
begin
	update elvis.subscriber s
	set state = set_link_state.state, reason = set_link_state.reason,
	    state_at = clock_timestamp()
	where s.link = set_link_state.link;
	if not found then
		raise exception 'link % is not a subscriber of this node', link
			using errcode = 'undefined_object';
	end if;
	perform elvis.wake();
end
$$;

create function elvis.confirm(link uuid, from_id bigint, from_token bigint, to_id bigint,
			      to_token bigint, seq bigint) returns void
	language plpgsql strict security definer
	set search_path = pg_catalog, pg_temp
as $$
begin
	update elvis.subscriber s
	set confirmed_id = from_id, confirmed_token = from_token, confirmed_to_id = to_id,
	    confirmed_to_token = to_token, confirmed_seq = seq, confirmed_at = clock_timestamp(),
	    -- for which it had been stopped before it was resumed
	    reason = case when s.state <> 'running' then s.reason end
	where s.link = confirm.link and s.detached_at is null;
	if found then
		return;
	end if;
	if exists (select from elvis.subscriber s where s.link = confirm.link) then
		raise exception 'link % has been detached: the log is not kept for it', link
			using errcode = 'EL002', hint = 'Its tables have to be copied again.';
	end if;
	raise exception 'link % is not a subscriber of this node', link
		using errcode = 'undefined_object';
end
$$;

-- ---- upkeep ----

create function elvis.segment_bytes(n int) returns bigint
	language sql stable
	set search_path = pg_catalog, pg_temp
as $$
	select coalesce(pg_total_relation_size(to_regclass('elvis.log_' || n)), 0)
$$;

-- A segment made by this call is used by a later one: writers must find it committed.
create function elvis.switch_segment() returns void
	language plpgsql
	set search_path = pg_catalog, pg_temp
as $$
declare
	present bigint;
	oldest xid8;
begin
	select last_value into present from elvis.segment_current;
	perform from elvis.segment s
	where s.n = present + 1 and s.made_by <> pg_current_xact_id();
	if found then
		if elvis.segment_bytes(present::int) >=
		   pg_size_bytes(current_setting('elvis.segment_size')) then
			oldest := pg_snapshot_xmin(pg_current_snapshot());
			perform setval('elvis.segment_current', present + 1);
			update elvis.segment set lo = oldest where n = present + 1;
		end if;
	elsif not exists (select from elvis.segment s where s.n = present + 1) then
		perform elvis.make_segment((present + 1)::int);
		execute format('alter extension elvis add table elvis.log_%s', present + 1);
		execute format('alter extension elvis add table elvis.snapshot_%s', present + 1);
	end if;
end
$$;

-- A segment that is not current and that nobody holds will never change again.
create function elvis.find_quiet_segments() returns void
	language plpgsql
	set search_path = pg_catalog, pg_temp
as $$
declare
	old int;
begin
	for old in
		select s.n from elvis.segment s, elvis.segment_current c
		where s.n < c.last_value and s.quiet_at is null
	loop
		if elvis.try_lock(format('elvis.log_%s', old)::regclass, false) then
			update elvis.segment
			set hi = pg_snapshot_xmax(pg_current_snapshot()),
			    quiet_at = elvis.newest_snapshot() + 1
			where n = old;
		end if;
	end loop;
end
$$;

create function elvis.drop_segment(n int) returns void
	language plpgsql
	set search_path = pg_catalog, pg_temp
as $$
declare
	part text;
begin
	foreach part in array array['log_', 'snapshot_'] loop
		execute format('alter extension elvis drop table elvis.%s%s', part, n);
		execute format('drop table elvis.%s%s', part, n);
	end loop;
	update elvis.segment s set dropped_at = clock_timestamp() where s.n = drop_segment.n;
	-- one row tells from where on the log is whole
	delete from elvis.segment s
	where s.dropped_at is not null and
	      s.quiet_at < (select max(d.quiet_at) from elvis.segment d
			    where d.dropped_at is not null);
end
$$;

create function elvis.drop_confirmed_segments() returns void
	language plpgsql
	set search_path = pg_catalog, pg_temp
as $$
declare
	old int;
begin
	update elvis.segment s
	set confirmed_at = clock_timestamp()
	where s.dropped_at is null and s.confirmed_at is null and
	      s.quiet_at <= elvis.newest_snapshot() and
	      not exists (select from elvis.subscriber b
			  where b.detached_at is null and b.confirmed_id < s.quiet_at);
	for old in
		select s.n from elvis.segment s
		where s.dropped_at is null and
		      s.confirmed_at + current_setting('elvis.keep_confirmed')::interval <=
		      clock_timestamp()
		order by s.n
	loop
		-- never waited for: writers of other sessions would queue behind us
		if elvis.try_lock(format('elvis.log_%s', old)::regclass, true) and
		   elvis.try_lock(format('elvis.snapshot_%s', old)::regclass, true) then
			perform elvis.drop_segment(old);
		end if;
	end loop;
end
$$;

-- A dead subscriber must not fill the disk of the living.  Segments that nobody could confirm yet
-- are no fault of his.
create function elvis.detach_subscribers() returns void
	language plpgsql
	set search_path = pg_catalog, pg_temp
as $$
declare
	allowed constant bigint := pg_size_bytes(current_setting('elvis.subscriber_limit'));
	dead record;
begin
	if allowed = 0 then
		return;
	end if;
	for dead in
		select b.link, b.name, kept.bytes
		from elvis.subscriber b,
		lateral (select sum(elvis.segment_bytes(s.n)) as bytes
			 from elvis.segment s
			 where s.dropped_at is null and s.quiet_at > b.confirmed_id and
			       s.quiet_at <= elvis.newest_snapshot()) kept
		where b.detached_at is null and kept.bytes > allowed
	loop
		update elvis.subscriber b
		set detached_at = clock_timestamp(), state = 'stopped', state_at = clock_timestamp(),
		    reason = format('detached: %s of log were kept for it, more than '
				    'elvis.subscriber_limit; its tables have to be copied again',
				    pg_size_pretty(dead.bytes))
		where b.link = dead.link;
		raise warning 'subscriber "%" is detached: it needs more log than elvis.subscriber_limit',
			dead.name
			using detail = format('%s were kept for it.', pg_size_pretty(dead.bytes)),
			hint = 'Its tables have to be copied again.';
		perform elvis.wake();
	end loop;
end
$$;

create function elvis.upkeep() returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp
	set client_min_messages = warning
as $$
begin
	perform elvis.lock_snapshots();
	perform elvis.find_quiet_segments();
	perform elvis.detach_subscribers();
	perform elvis.drop_confirmed_segments();
	perform elvis.switch_segment();
end
$$;

-- The segments, for people: what each is waiting for.
create view elvis.segments as
	select s.n,
	       s.n = c.last_value as current,
	       pg_catalog.pg_size_pretty(elvis.segment_bytes(s.n)) as size,
	       s.quiet_at,
	       s.confirmed_at,
	       (select pg_catalog.string_agg(distinct coalesce(
			'prepared transaction "' || p.gid || '"',
			'process ' || l.pid), ', ')
		from pg_catalog.pg_locks l
		left join pg_catalog.pg_locks t
		on l.pid is null and t.pid is null and t.locktype = 'transactionid' and
		   t.virtualtransaction = l.virtualtransaction
		left join pg_catalog.pg_prepared_xacts p on p.transaction = t.transactionid
		where l.locktype = 'relation' and
		      l.database = (select d.oid from pg_catalog.pg_database d
				    where d.datname = pg_catalog.current_database()) and
		      l.relation = pg_catalog.to_regclass('elvis.log_' || s.n) and
		      l.mode = 'RowExclusiveLock') as held_by,
	       (select pg_catalog.string_agg(b.name, ', ')
		from elvis.subscriber b
		where b.detached_at is null and s.n <= c.last_value and
		      b.confirmed_id < coalesce(s.quiet_at, elvis.newest_snapshot())) as needed_by
	from elvis.segment s, elvis.segment_current c
	where s.dropped_at is null;

create function elvis.adopt_node(id int, name text) returns void
	language plpgsql strict security definer
	set search_path = pg_catalog, pg_temp
as $$
declare
	here elvis.node;
	fresh int;
	old int;
begin
	lock table elvis.node in share row exclusive mode;
	select * into here from elvis.node;
	if not found then
		raise exception 'this database is not a node'
			using errcode = 'EL003', hint = 'Use elvis.setup_node().';
	end if;
	if here.id = adopt_node.id then
		raise exception 'node % is the one this database was copied from', id
			using errcode = 'object_not_in_prerequisite_state',
			hint = 'A node number is never used again; choose another.';
	end if;

	delete from elvis.subscriber;
	delete from elvis.position;
	delete from elvis.position_table;
	delete from elvis.route;
	select greatest(max(s.n), c.last_value) + 1 into fresh
	from elvis.segment s, elvis.segment_current c group by c.last_value;
	perform elvis.make_segment(fresh);
	execute format('alter extension elvis add table elvis.log_%s', fresh);
	execute format('alter extension elvis add table elvis.snapshot_%s', fresh);
	for old in
		select s.n from elvis.segment s where s.dropped_at is null and s.n < fresh
	loop
		perform elvis.drop_segment(old);
	end loop;
	delete from elvis.segment s where s.n < fresh;
	perform setval('elvis.segment_current', fresh);
	update elvis.segment s set lo = '0' where s.n = fresh;
	update elvis.node
	set id = adopt_node.id, name = adopt_node.name, incarnation = elvis.random_number(),
	    system_identifier = elvis.system_identifier(), database = elvis.database_id();
	perform elvis.node_changed();
end
$$;

revoke all on elvis.segment, elvis.subscriber, elvis.log_seq, elvis.segment_current, elvis.segments
	from public;
grant select on elvis.segment, elvis.subscriber, elvis.segments to elvis_admin, elvis_daemon;
revoke execute on function elvis.make_segment(int), elvis.lock_snapshots(), elvis.wake(),
	elvis.try_lock(regclass, bool), elvis.snapshots(), elvis.newest_snapshot(),
	elvis.take_snapshot(), elvis.wait_snapshot(bigint, int, int),
	elvis.snapshot_known(bigint, bigint),
	elvis.read(bigint, bigint, bigint, bigint, bigint, bigint, int, text),
	elvis.subscribe(uuid, text, text), elvis.unsubscribe(uuid),
	elvis.set_link_state(uuid, text, text),
	elvis.confirm(uuid, bigint, bigint, bigint, bigint, bigint),
	elvis.segment_bytes(int), elvis.switch_segment(), elvis.find_quiet_segments(),
	elvis.drop_segment(int), elvis.drop_confirmed_segments(), elvis.detach_subscribers(),
	elvis.upkeep(), elvis.adopt_node(int, text) from public;
grant execute on function elvis.adopt_node(int, text) to elvis_admin;
grant execute on function elvis.take_snapshot(), elvis.wait_snapshot(bigint, int, int),
	elvis.snapshot_known(bigint, bigint), elvis.snapshots(),
	elvis.read(bigint, bigint, bigint, bigint, bigint, bigint, int, text),
	elvis.subscribe(uuid, text, text), elvis.unsubscribe(uuid),
	elvis.set_link_state(uuid, text, text),
	elvis.confirm(uuid, bigint, bigint, bigint, bigint, bigint), elvis.upkeep(),
	elvis.newest_snapshot(), elvis.segment_bytes(int)
	to elvis_admin, elvis_daemon;
