-- The last word: what the two roles may do on the target's side, and nobody else anything.
revoke all on all tables in schema elvis from public;
revoke all on all sequences in schema elvis from public;
revoke execute on all functions in schema elvis from public;

grant select on elvis.position, elvis.position_table, elvis.route, elvis.resolution
	to elvis_admin, elvis_daemon;
grant execute on function
	elvis.link_open(uuid, text, int, bigint),
	elvis.link_start(uuid, text, int, bigint, bigint, bigint),
	elvis.link_forget(uuid),
	elvis.table_start(uuid, regclass, pg_snapshot, bigint, int),
	elvis.skip_change(uuid, bigint, bigint),
	elvis.durable_position(uuid),
	elvis.apply(bytea),
	elvis.answer(bytea),
	elvis.record_resolution(bytea, uuid, text, text, text[], int[], text, text, text)
	to elvis_daemon;
grant execute on function
	elvis.link_start(uuid, text, int, bigint, bigint, bigint),
	elvis.link_forget(uuid),
	elvis.table_start(uuid, regclass, pg_snapshot, bigint, int),
	elvis.table_part(uuid, regclass, bigint),
	elvis.table_forget(uuid, regclass),
	elvis.table_take(uuid, regclass),
	elvis.table_release(uuid, regclass),
	elvis.skip_change(uuid, bigint, bigint),
	elvis.trim_resolutions(interval)
	to elvis_admin;

select pg_catalog.pg_extension_config_dump('elvis.position', '');
select pg_catalog.pg_extension_config_dump('elvis.position_table', '');
select pg_catalog.pg_extension_config_dump('elvis.route', '');
select pg_catalog.pg_extension_config_dump('elvis.resolution', '');
