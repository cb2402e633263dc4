-- For the rest of the transaction: what it writes comes from node `source`.
create function elvis.begin_copy(source int) returns void
	language c strict as 'MODULE_PATHNAME', 'elvis_begin_copy';

revoke execute on function elvis.begin_copy(int) from public;
grant execute on function elvis.begin_copy(int) to elvis_admin;
