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

create function elvis.make_segment(n int) returns void
	language plpgsql
	set search_path = pg_catalog, pg_temp
as $$
begin
	execute format('create table elvis.log_%1$s (xid xid8 not null, seq bigint not null, '
		       'body bytea not null) with (toast_tuple_target = 8160, '
		       'autovacuum_vacuum_insert_threshold = -1, '
		       'toast.autovacuum_vacuum_insert_threshold = -1)', n);
	execute format('alter table elvis.log_%s alter body set storage external', n);
	execute format('create index log_%1$s_xid_seq on elvis.log_%1$s (xid, seq)', n);
	execute format('create table elvis.snapshot_%s (id bigint not null primary key, '
		       'token bigint not null, snap pg_snapshot not null, '
		       'at timestamptz not null, sealed bigint not null, sequences jsonb)', n);
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

create function elvis.lock_snapshots() returns void
	language c strict as 'MODULE_PATHNAME', 'elvis_lock_snapshots';

revoke all on elvis.segment, elvis.subscriber, elvis.log_seq, elvis.segment_current from public;
grant select on elvis.segment, elvis.subscriber to elvis_admin, elvis_daemon;
revoke execute on function elvis.make_segment(int), elvis.lock_snapshots(),
	elvis.take_snapshot(),
	elvis.wait_snapshot(bigint, int, int),
	elvis.read(bigint, bigint, bigint, bigint, bigint, bigint, int, text) from public;
grant execute on function elvis.take_snapshot(), elvis.wait_snapshot(bigint, int, int),
	elvis.read(bigint, bigint, bigint, bigint, bigint, bigint, int, text)
	to elvis_admin, elvis_daemon;
