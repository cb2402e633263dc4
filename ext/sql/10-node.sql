-- Our tables are written without the executor, as heaps, whatever the database prefers.
set local default_table_access_method = heap;

-- Which node this database is.  The recorded system identifier and database tell a copy of the
-- database from the database itself.
create table elvis.node (
	id int not null check (id > 0),
	name text not null,
	priority int not null default 0,
	incarnation bigint not null,
	system_identifier bigint not null,
	database oid not null
);
create unique index node_is_one on elvis.node ((true));
select pg_catalog.pg_extension_config_dump('elvis.node', '');

create function elvis.system_identifier() returns bigint
	language c strict as 'MODULE_PATHNAME', 'elvis_system_identifier';

create function elvis.database_id() returns oid
	language c strict as 'MODULE_PATHNAME', 'elvis_database_id';

create function elvis.random_number() returns bigint
	language c strict as 'MODULE_PATHNAME', 'elvis_random_number';

-- Tells every session that what it remembers of elvis.node is stale.
create function elvis.node_changed() returns void
	language c strict as 'MODULE_PATHNAME', 'elvis_node_changed';

create function elvis.signature() returns text
	language c strict stable as 'MODULE_PATHNAME', 'elvis_signature';

create function elvis.setup_node(id int, name text, priority int default 0) returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp
as $$
declare
	here elvis.node;
begin
	lock table elvis.node in share row exclusive mode;
	select * into here from elvis.node;
	if not found then
		insert into elvis.node
		values (setup_node.id, setup_node.name, setup_node.priority, elvis.random_number(),
			elvis.system_identifier(), elvis.database_id());
	elsif here.id <> setup_node.id then
		raise exception 'this database is node % ("%") already', here.id, here.name
			using errcode = 'object_not_in_prerequisite_state',
			hint = 'A node number is never changed. A copy of a node becomes one of its own '
			       'by elvis.adopt_node().';
	elsif here.system_identifier <> elvis.system_identifier() or
	      here.database <> elvis.database_id() then
		raise exception 'this database is a copy of node % ("%")', here.id, here.name
			using errcode = 'EL003',
			hint = 'Use elvis.adopt_node() to make it another node, or '
			       'elvis.same_node() if it takes that node''s place.';
	else
		update elvis.node
		set name = setup_node.name, priority = setup_node.priority
		where (node.name, node.priority) is distinct from
		      (setup_node.name, setup_node.priority);
	end if;
	perform elvis.node_changed();
end
$$;

create function elvis.same_node() returns void
	language plpgsql security definer
	set search_path = pg_catalog, pg_temp
as $$
begin
	update elvis.node
	set system_identifier = elvis.system_identifier(), database = elvis.database_id();
	if not found then
		raise exception 'this database is not a node'
			using errcode = 'EL003', hint = 'Use elvis.setup_node().';
	end if;
	perform elvis.node_changed();
end
$$;

create function elvis.node_state(out id int, out name text, out incarnation bigint,
				 out genuine bool, out detail text)
	language plpgsql stable security definer
	set search_path = pg_catalog, pg_temp
as $$
declare
	here elvis.node;
begin
	select * into here from elvis.node;
	if not found then
		genuine := false;
		detail := 'this database is not a node: elvis.setup_node() makes it one';
		return;
	end if;
	id := here.id;
	name := here.name;
	incarnation := here.incarnation;
	genuine := here.system_identifier = elvis.system_identifier() and
		   here.database = elvis.database_id();
	if not genuine then
		detail := format('this database is a copy of node %s ("%s"), made in cluster %s as '
				 'database %s and now in cluster %s as database %s', here.id,
				 here.name, here.system_identifier, here.database,
				 elvis.system_identifier(), elvis.database_id());
	end if;
end
$$;

revoke all on elvis.node from public;
grant select on elvis.node to elvis_admin, elvis_daemon;
revoke execute on function elvis.system_identifier(), elvis.database_id(), elvis.random_number(),
	elvis.node_changed(), elvis.signature(), elvis.setup_node(int, text, int),
	elvis.same_node(), elvis.node_state() from public;
grant execute on function elvis.setup_node(int, text, int), elvis.same_node() to elvis_admin;
grant execute on function elvis.signature(), elvis.node_state() to elvis_admin, elvis_daemon;
