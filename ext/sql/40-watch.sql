-- Writes that no trigger of ours sees: event triggers put triggers on new partitions and write a
-- gap into the stream where rows came, went or changed unseen.

-- The attached table that a table is, is a partition of, or was one of; NULL for all others.
create function elvis.attached_root(target oid) returns regclass
	language sql stable
	set search_path = pg_catalog, pg_temp
as $$
	select coalesce(
		(select a.relid from elvis.attachment a where a.relid = target),
		(select p.root::regclass from elvis.partition p where p.relid = target),
		(select a.relid from pg_partition_ancestors(target) up
		 join elvis.attachment a on a.relid = up.relid limit 1))
$$;

-- Triggers that somebody has disabled or dropped are put right by nobody but an operator; what is
-- written from here on is unknown.
create function elvis.check_triggers(target regclass, root regclass) returns void
	language plpgsql
	set search_path = pg_catalog, pg_temp
as $$
begin
	if (select role from elvis.attachment a where a.relid = root) = 'replica' then
		return;
	end if;
	if (select count(*) from pg_trigger t
	    where t.tgrelid = target and t.tgenabled = 'A' and
		  t.tgfoid in ('elvis.capture()'::regprocedure,
			       'elvis.capture_truncate()'::regprocedure)) < 2 then
		perform elvis.gap(elvis.version(root),
				  format('capture was disabled on %s', target));
		raise warning 'changes of table % will not be replicated', target
			using detail = 'Its capture triggers are not there or not enabled ALWAYS.',
			hint = 'Attach it again with elvis.attach(), and copy it to its replicas.';
	end if;
end
$$;

-- A copy of a node that is being restored has no stream: elvis.same_node() or elvis.adopt_node()
-- come first.
create function elvis.is_genuine() returns bool
	language sql stable
	set search_path = pg_catalog, pg_temp
as $$
	select genuine from elvis.node_state()
$$;

create function elvis.watch_ddl() returns event_trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp
as $$
declare
	touched record;
	whole regclass;
begin
	for touched in
		select distinct c.objid
		from pg_event_trigger_ddl_commands() c
		where c.classid = 'pg_class'::regclass and c.object_type = 'table' and
		      c.schema_name is distinct from 'elvis' and
		      c.schema_name is distinct from 'pg_temp'
	loop
		whole := elvis.attached_root(touched.objid);
		continue when whole is null or not elvis.is_genuine();
		perform elvis.cover_partitions(whole, a.role, a.role <> 'replica')
		from elvis.attachment a where a.relid = whole;
		perform elvis.check_triggers(touched.objid, whole);
		-- the new shape, if it is one, is known from here on
		perform elvis.version(whole);
	end loop;
end
$$;

create function elvis.watch_drop() returns event_trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp
as $$
declare
	dropped record;
	root oid;
	role text;
	target regclass;
begin
	for dropped in
		select d.objid, d.object_identity
		from pg_event_trigger_dropped_objects() d
		where d.classid = 'pg_class'::regclass and d.objsubid = 0 and
		      d.object_type = 'table' and not d.is_temporary
	loop
		-- sessions that apply hear of any DELETE there
		if exists (select from elvis.route r where r.relid = dropped.objid) then
			delete from elvis.route r where r.relid = dropped.objid;
		end if;
		delete from elvis.position_table t where t.relid = dropped.objid;
		delete from elvis.attachment a where a.relid = dropped.objid returning a.role into role;
		if found then
			if role <> 'replica' and elvis.is_genuine() then
				perform elvis.gap(elvis.newest_version(dropped.objid),
					format('table %s was dropped', dropped.object_identity));
			end if;
			delete from elvis.partition p where p.root = dropped.objid;
			continue;
		end if;
		delete from elvis.partition p where p.relid = dropped.objid returning p.root into root;
		if found and elvis.is_genuine() then
			perform elvis.gap(elvis.newest_version(root),
				format('partition %s was dropped', dropped.object_identity));
		end if;
	end loop;

	-- triggers of ours, of tables that stay
	for target in
		select distinct to_regclass(format('%I.%I', d.address_names[1], d.address_names[2]))
		from pg_event_trigger_dropped_objects() d
		where d.classid = 'pg_trigger'::regclass and not d.is_temporary
	loop
		root := elvis.attached_root(target);
		if root is not null and elvis.is_genuine() then
			perform elvis.check_triggers(target, root);
		end if;
	end loop;
end
$$;

create function elvis.watch_rewrite() returns event_trigger
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp
as $$
declare
	target constant oid := pg_event_trigger_table_rewrite_oid();
	whole constant regclass := elvis.attached_root(target);
begin
	if whole is not null and elvis.is_genuine() then
		perform elvis.gap(elvis.newest_version(whole),
				  format('%s was rewritten', target::regclass));
	end if;
end
$$;

-- The newest version of a table that may be gone; NULL when there is none.
create function elvis.newest_version(relid oid) returns bigint
	language c strict stable as 'MODULE_PATHNAME', 'elvis_newest_version';

create event trigger elvis_watch_ddl on ddl_command_end
	when tag in ('CREATE TABLE', 'CREATE TABLE AS', 'ALTER TABLE')
	execute function elvis.watch_ddl();
create event trigger elvis_watch_drop on sql_drop
	execute function elvis.watch_drop();
create event trigger elvis_watch_rewrite on table_rewrite
	execute function elvis.watch_rewrite();
alter event trigger elvis_watch_ddl enable always;
alter event trigger elvis_watch_drop enable always;
alter event trigger elvis_watch_rewrite enable always;

-- ---- the log, for people ----

create function elvis.decode(xid xid8, body bytea, out "table" text, out op text, out before jsonb,
			     out after jsonb, out xid xid8, out origin int, out at timestamptz)
	returns setof record
	language c strict stable as 'MODULE_PATHNAME', 'elvis_decode';

create function elvis.all_changes(out "table" text, out op text, out before jsonb, out after jsonb,
				  out xid xid8, out origin int, out at timestamptz)
	returns setof record
	language plpgsql stable security definer
	set search_path = pg_catalog, pg_temp
as $$
declare
	segment int;
begin
	-- a chunk of several rows is joined first: all of them but the last say so
	for segment in
		select s.n from elvis.segment s where s.dropped_at is null order by s.n
	loop
		return query execute format($sql$
			select c.* from (
				select xid, string_agg(bytes, ''::bytea order by seq) as body
				from (select xid, seq,
					     case when joined then substr(body, 3) else body end as bytes,
					     count(*) filter (where not joined)
						over (partition by xid order by seq) as chunk
				      from (select xid, seq, body,
						   coalesce(lag(case when length(body) > 1 then
								get_byte(body, 1) & 4 <> 0 end)
							over (partition by xid order by seq), false) as joined
					    from elvis.log_%s) r) r
				group by xid, chunk order by min(seq)) l,
			elvis.decode(l.xid, l.body) c $sql$, segment);
	end loop;
end
$$;

create view elvis.changes as select * from elvis.all_changes();

revoke all on elvis.changes from public;
grant select on elvis.changes to elvis_admin;
revoke execute on function elvis.attached_root(oid), elvis.is_genuine(), elvis.check_triggers(regclass, regclass),
	elvis.watch_ddl(), elvis.watch_drop(), elvis.watch_rewrite(), elvis.newest_version(oid),
	elvis.decode(xid8, bytea), elvis.all_changes() from public;
grant execute on function elvis.all_changes() to elvis_admin;
