#include "setup/sequence.h"

#include <string.h>

/* The function takes nothing but a sequence that we may read, in whatever order the server goes. */
static bool
ask_source(struct conn *source, PGresult **sequences, struct err *err)
{
	return conn_run(source,
			"SELECT * FROM ("
			"SELECT n.nspname::text, t.relname::text, a.attname::text,"
			"       CASE WHEN s.relkind = 'S' AND s.relpersistence = 'p'"
			"             AND has_sequence_privilege(s.oid, 'SELECT, USAGE')"
			"            THEN pg_sequence_last_value(s.oid) END AS value"
			"  FROM pg_class s JOIN pg_sequence q ON q.seqrelid = s.oid"
			"  JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = s.oid"
			"   AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')"
			"  JOIN pg_class t ON t.oid = d.refobjid"
			"  JOIN pg_namespace n ON n.oid = t.relnamespace"
			"  JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid"
			" WHERE q.seqincrement > 0) x WHERE value IS NOT NULL",
			NULL, sequences, err);
}

/* The columns' sequences may be called otherwise there, or not be there. */
static bool
advance(struct conn *target, const char *table, const char *column, int64_t value,
	size_t *moved, struct err *err)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	params_text(&params, table);
	params_text(&params, column);
	params_i64(&params, value);
	if (!conn_run(target,
		      "SELECT setval(s.name, $3)"
		      "  FROM (SELECT pg_get_serial_sequence($1, $2)::regclass AS name) s"
		      " WHERE s.name IS NOT NULL"
		      "   AND coalesce(pg_sequence_last_value(s.name) < $3, true)",
		      &params, &result, err))
		return err_wrap(err, "the sequence of %s.%s", table, column);
	*moved += (size_t) PQntuples(result);
	return true;
}

static bool
is_followed(const struct site *site, const struct conf_link *link, const char *schema,
	    const char *name, const char *column)
{
	const struct inventory_table *there =
		inventory_table(&site_node(site, link->to)->inventory, schema, name);

	if (there == NULL || there->role == NULL || strcmp(there->role, "master") == 0 ||
	    conf_link_rule(link, schema, name) == NULL)
		return false;
	for (size_t i = 0; i < there->columns.count; i++)
		if (strcmp(there->columns.items[i], column) == 0)
			return true;
	return false;
}

bool
sequences_follow(const struct site *site, const struct conf_link *link, size_t *moved,
		 struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new();
	AUTO_RESULT PGresult *sequences = NULL;

	*moved = 0;
	if (!ask_source(site_node(site, link->from)->conn, &sequences, err))
		return err_wrap(err, "node '%s'", link->from->name);
	for (int i = 0; i < PQntuples(sequences); i++) {
		const char *schema = result_text(sequences, i, 0);
		const char *name = result_text(sequences, i, 1);
		const char *column = result_text(sequences, i, 2);

		if (is_followed(site, link, schema, name, column) &&
		    !advance(site_node(site, link->to)->conn, table_sql(arena, schema, name),
			     column, result_i64(sequences, i, 3), moved, err))
			return err_wrap(err, "node '%s'", link->to->name);
	}
	return true;
}
