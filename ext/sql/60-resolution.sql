-- Conflicts and how they were settled.  Values are in their types' text form.  A row is committed
-- with the effect it tells of; that of a stop by itself.
create table elvis.resolution (
	id bigint generated always as identity primary key,
	at timestamptz not null default pg_catalog.clock_timestamp(),
	link uuid not null,
	kind text,			-- NULL: passed by the operator, unseen
	operation text not null,	-- insert, update, delete, truncate, gap
	table_schema text not null,
	table_name text not null,
	key jsonb,			-- the row's key, as the change has it
	before jsonb,			-- the source's row before the change
	remote jsonb,			-- and after it
	local jsonb,			-- the row that was met here
	blockers jsonb,			-- rows in the way on other unique keys: {"index": row}
	written jsonb,			-- the row as it was left here; NULL: none, or not written
	verdict text not null,
	policy text not null,
	reason text,
	sqlstate text,
	message text,
	remote_origin int,
	remote_at timestamptz,
	remote_xid bigint,
	seq bigint not null,		-- with ordinal: the change's address in the link's stream
	ordinal bigint not null
);
create index resolution_at on elvis.resolution (at);
create index resolution_table on elvis.resolution (table_schema, table_name, id);

create function elvis.record_resolution(conflict bytea, link uuid, table_schema text,
					table_name text, columns text[], key int[],
					verdict text, policy text, reason text) returns bigint
	language c as 'MODULE_PATHNAME', 'elvis_record_resolution';

-- Forgets resolutions older than `keep`; how many.
create function elvis.trim_resolutions(keep interval) returns bigint
	language plpgsql strict security definer
	set search_path = pg_catalog, pg_temp
as $$
declare
	gone bigint;
begin
	delete from elvis.resolution r where r.at < clock_timestamp() - keep;
	get diagnostics gone = row_count;
	return gone;
end
$$;
