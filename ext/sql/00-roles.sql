\echo Use "CREATE EXTENSION elvis" to load this file. \quit

-- elvis_admin sets up, elvis_daemon runs.  Roles belong to the cluster: another database may
-- have made them.
do $$
declare
	needed name;
begin
	foreach needed in array array['elvis_admin', 'elvis_daemon']::name[] loop
		if not exists (select from pg_catalog.pg_roles where rolname = needed) then
			execute pg_catalog.format('create role %I nologin', needed);
		end if;
	end loop;
end
$$;

revoke all on schema elvis from public;
grant usage on schema elvis to elvis_admin, elvis_daemon;
