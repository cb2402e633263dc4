-- For the rest of the transaction: what it writes comes from node `source`.
create function elvis.begin_copy(source int) returns void
	language c strict as 'MODULE_PATHNAME', 'elvis_begin_copy';

revoke execute on function elvis.begin_copy(int) from public;
grant execute on function elvis.begin_copy(int) to elvis_admin;

-- Is a table one that rows can be put into by elvis.fill()?  Else there is COPY.
create function elvis.can_fill(target regclass) returns boolean
	language c strict as 'MODULE_PATHNAME', 'elvis_can_fill';

-- As COPY target (columns) FROM STDIN, in the transaction of a copy, with rows that COPY TO wrote and
-- that follow `before` others; returns how many they are.
create function elvis.fill(target regclass, columns name[], is_binary boolean, rows bytea, before bigint)
	returns bigint
	language c strict as 'MODULE_PATHNAME', 'elvis_fill';

revoke execute on function
	elvis.can_fill(regclass),
	elvis.fill(regclass, name[], boolean, bytea, bigint)
	from public;
grant execute on function
	elvis.can_fill(regclass),
	elvis.fill(regclass, name[], boolean, bytea, bigint)
	to elvis_admin;
