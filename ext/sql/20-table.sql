-- The tables that take part.
create table elvis.attachment (
	relid regclass primary key,
	role text not null check (role in ('master', 'replica', 'relay')),
	key name,
	capture_unchanged int check (capture_unchanged >= 0)
);
select pg_catalog.pg_extension_config_dump('elvis.attachment', '');

-- Partitions of attached tables that carry elvis' triggers.
create table elvis.partition (
	relid regclass primary key,
	root regclass not null
);
create index partition_root on elvis.partition (root);
select pg_catalog.pg_extension_config_dump('elvis.partition', '');

-- Shapes of attached tables, as changes in the log refer to them.  `descriptor` is the payload of
-- a TABLE record without version and rules.
create sequence elvis.relation_id cache 1;
create table elvis.relation (
	id bigint not null,
	relid oid not null,
	schema_name name not null,
	table_name name not null,
	at timestamptz not null,
	descriptor bytea not null
);
create index relation_number on elvis.relation (id);
create index relation_newest on elvis.relation (relid, id);

create function elvis.capture() returns trigger
	language c as 'MODULE_PATHNAME', 'elvis_capture';

create function elvis.capture_truncate() returns trigger
	language c as 'MODULE_PATHNAME', 'elvis_capture_truncate';

create function elvis.deny() returns trigger
	language c as 'MODULE_PATHNAME', 'elvis_deny';

-- Makes sure that the table's present shape is in elvis.relation; NULL for what cannot be captured.
create function elvis.version(target regclass) returns bigint
	language c strict as 'MODULE_PATHNAME', 'elvis_version';

create function elvis.describe(version bigint, portable bool) returns bytea
	language c strict stable as 'MODULE_PATHNAME', 'elvis_describe';

-- Writes into the stream of this transaction that rows of the table were changed unseen.
create function elvis.gap(version bigint, reason text) returns void
	language c strict as 'MODULE_PATHNAME', 'elvis_gap';

-- Raises an error unless whoever called the outermost function may attach the table.
create function elvis.check_attachable(target regclass, role text, key name) returns void
	language c as 'MODULE_PATHNAME', 'elvis_check_attachable';

-- Puts the triggers of a role on one table, and takes off what does not belong to it.  They are
-- known by their functions: an owner may have renamed them.  Row triggers of a partitioned table
-- come to its partitions by themselves, the others do not.
create function elvis.put_triggers(target regclass, role text, cloned bool) returns void
	language plpgsql
	set search_path = pg_catalog, pg_temp
as $$
declare
	master constant bool := role in ('master', 'relay');
	replica constant bool := role in ('replica', 'relay');
	wanted record;
	there pg_trigger;
	altered text;
begin
	for wanted in
		select * from (values
			('elvis_capture', 'elvis.capture()'::regprocedure, master and not cloned,
			 'after insert or update or delete on %s for each row', master),
			('elvis_capture_truncate', 'elvis.capture_truncate()', master,
			 'after truncate on %s for each statement', master),
			('elvis_deny', 'elvis.deny()', replica,
			 'before insert or update or delete or truncate on %s for each statement',
			 false))
		as t (name, function, ours, definition, always)
	loop
		select * into there from pg_trigger t
		where t.tgrelid = target and t.tgfoid = wanted.function;
		if wanted.ours and not found then
			execute format('create trigger %I ' || wanted.definition ||
				       ' execute function %s', wanted.name, target, wanted.function);
			select * into there from pg_trigger t
			where t.tgrelid = target and t.tgfoid = wanted.function;
		elsif not wanted.ours and found and there.tgparentid = 0 then
			execute format('drop trigger %I on %s', there.tgname, target);
			continue;
		end if;
		-- PostgreSQL 14 looks for the trigger in partitions too, where only those for
		-- rows have a copy
		altered := case there.tgtype & 1 when 0 then 'only ' else '' end || target;
		if wanted.always and there.tgenabled <> 'A' then
			execute format('alter table %s enable always trigger %I', altered, there.tgname);
		end if;
		if wanted.ours and not wanted.always and there.tgenabled <> 'O' then
			execute format('alter table %s enable trigger %I', altered, there.tgname);
		end if;
	end loop;
end
$$;

-- Makes the triggers of a partitioned table's partitions and elvis.partition what they should be.
-- Rows that came or went with a partition were seen by no trigger: that is a gap.
create function elvis.cover_partitions(whole regclass, role text, gaps bool) returns void
	language plpgsql
	set search_path = pg_catalog, pg_temp
as $$
declare
	part record;
	filled bool;
begin
	for part in
		select tree.relid, tree.isleaf, known.relid is null as is_new,
		       c.relkind = 'f' as is_foreign
		from pg_partition_tree(whole) tree
		join pg_class c on c.oid = tree.relid
		left join elvis.partition known on known.relid = tree.relid
		where tree.relid <> whole
	loop
		if part.is_foreign then
			raise exception 'table % is replicated and cannot have the foreign partition %',
				whole, part.relid
				using errcode = 'wrong_object_type',
				hint = 'Changes are captured where they are stored.';
		end if;
		-- entered first: putting triggers on it makes our event triggers come here again
		if part.is_new then
			insert into elvis.partition values (part.relid, whole);
		end if;
		perform elvis.put_triggers(part.relid, role, true);
		continue when not (part.is_new and part.isleaf and gaps);
		execute format('select exists (select from only %s)', part.relid) into filled;
		if filled then
			perform elvis.gap(elvis.version(whole),
				format('partition %s was attached with rows', part.relid));
		end if;
	end loop;

	for part in
		select known.relid
		from elvis.partition known
		where known.root = whole and
		      known.relid not in (select tree.relid from pg_partition_tree(whole) tree)
	loop
		delete from elvis.partition known where known.relid = part.relid;
		if exists (select from pg_class c where c.oid = part.relid) then
			perform elvis.put_triggers(part.relid, 'none', false);
		end if;
		if gaps then
			perform elvis.gap(elvis.version(whole),
				format('partition %s was detached', part.relid::regclass));
		end if;
	end loop;
end
$$;

create function elvis.attach(target regclass, role text, key name default null,
			     capture_unchanged int default null) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp
as $$
begin
	if target is null or role is null then
		raise exception 'a table and a role must be given'
			using errcode = 'null_value_not_allowed';
	end if;
	-- As CREATE TRIGGER does: nobody is in the middle of writing when capture begins.
	execute format('lock table only %s in share row exclusive mode', target);
	perform elvis.check_attachable(target, role, key);

	-- Our event triggers watch whether capture is there: that it ends is entered before its
	-- triggers go, that it begins after they have come.
	update elvis.attachment a set role = attach.role
	where a.relid = target and attach.role = 'replica';
	perform elvis.put_triggers(target, role, false);
	perform elvis.cover_partitions(target, role, false);
	insert into elvis.attachment
	values (target, attach.role, attach.key, attach.capture_unchanged)
	on conflict (relid) do update
	set role = excluded.role, key = excluded.key,
	    capture_unchanged = excluded.capture_unchanged;
	perform elvis.tables_changed(target);
	perform elvis.version(target);
end
$$;

-- Tells every session that what it remembers of the table and its partitions is stale.
create function elvis.tables_changed(target regclass) returns void
	language c strict as 'MODULE_PATHNAME', 'elvis_tables_changed';

create function elvis.detach(target regclass) returns void
	language plpgsql security definer strict
	set search_path = pg_catalog, pg_temp
as $$
declare
	part oid;
begin
	if not exists (select from elvis.attachment a where a.relid = target) then
		raise notice 'table % is not attached', target;
		return;
	end if;
	perform elvis.check_attachable(target, 'none', null);
	delete from elvis.attachment a where a.relid = target;
	for part in
		delete from elvis.partition p where p.root = target returning p.relid
	loop
		perform elvis.put_triggers(part, 'none', true);
	end loop;
	perform elvis.put_triggers(target, 'none', false);
	perform elvis.tables_changed(target);
end
$$;

revoke all on elvis.attachment, elvis.partition, elvis.relation, elvis.relation_id from public;
grant select on elvis.attachment, elvis.relation to elvis_admin, elvis_daemon;
revoke execute on function elvis.capture(), elvis.capture_truncate(), elvis.deny(),
	elvis.version(regclass), elvis.describe(bigint, bool), elvis.gap(bigint, text),
	elvis.check_attachable(regclass, text, name), elvis.put_triggers(regclass, text, bool),
	elvis.cover_partitions(regclass, text, bool), elvis.tables_changed(regclass),
	elvis.attach(regclass, text, name, int), elvis.detach(regclass) from public;
grant execute on function elvis.attach(regclass, text, name, int), elvis.detach(regclass)
	to elvis_admin;
grant execute on function elvis.describe(bigint, bool) to elvis_admin, elvis_daemon;
