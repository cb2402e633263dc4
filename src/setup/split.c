#include "setup/split.h"

#include <inttypes.h>

#include "base/strbuf.h"

/* Of a part at least: what a transaction and an index filled from several sides cost is less. */
#define PART_BYTES (INT64_C(16) << 20)

#define LIST_MAX (1 << 28)

/* The tables asked about, as an array of their numbers */
static const char *
numbers(const struct split *splits, size_t n, struct arena *arena)
{
	AUTO_STRBUF struct strbuf list;

	strbuf_init(&list, LIST_MAX);
	for (size_t i = 0; i < n; i++)
		if (splits[i].table != NULL)
			strbuf_printf(&list, "%c%" PRIu32, list.length > 0 ? ',' : '{',
				      splits[i].table->oid);
	strbuf_puts(&list, list.length > 0 ? "}" : "{}");
	return arena_strdup(arena, list.data);
}

static struct split *
find_split(struct split *splits, size_t n, uint32_t oid)
{
	for (size_t i = 0; i < n; i++)
		if (splits[i].table != NULL && splits[i].table->oid == oid)
			return &splits[i];
	return NULL;
}

/* At least one page each, and PART_BYTES */
static size_t
parts_of(const struct split *split, size_t most)
{
	int64_t parts = split->bytes / PART_BYTES;

	if (parts > split->pages)
		parts = split->pages;
	return parts < 2 ? 1 : (size_t) parts < most ? (size_t) parts : most;
}

/* Only heaps can be relied on to find rows by their pages. */
static bool
measure(struct split *splits, size_t n, size_t most, struct conn *source, struct arena *arena,
	struct err *err)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	params_literal(&params, numbers(splits, n, arena));
	params_i64(&params, 2 * PART_BYTES);
	if (!conn_run(source,
		      "SELECT c.oid, pg_relation_size(c.oid) / current_setting('block_size')::int,"
		      "       s.bytes"
		      "  FROM pg_class c JOIN pg_am a ON a.oid = c.relam AND a.amname = 'heap',"
		      "       pg_table_size(c.oid) s (bytes)"
		      " WHERE c.oid = ANY ($1::oid[]) AND c.relkind = 'r' AND s.bytes >= $2",
		      &params, &result, err))
		return false;
	for (int i = 0; i < PQntuples(result); i++) {
		struct split *split = find_split(splits, n, (uint32_t) result_i32(result, i, 0));

		split->pages = result_i64(result, i, 1);
		split->bytes = result_i64(result, i, 2);
		split->parts = parts_of(split, most);
	}
	return true;
}

static const char *
divided(const struct split *splits, size_t n, struct arena *arena)
{
	const char *list = NULL;

	for (size_t i = 0; i < n; i++)
		if (splits[i].parts > 1)
			list = arena_printf(arena, "%s%sONLY %s", list ? list : "",
					    list ? ", " : "",
					    table_sql(arena, splits[i].table->schema,
						      splits[i].table->name));
	return list;
}

static bool
lock(const char *list, const char *how, struct conn *source, struct arena *arena,
     struct err *err)
{
	return list == NULL ||
	       conn_command(source, arena_printf(arena, "LOCK TABLE %s IN ACCESS SHARE MODE%s",
						 list, how), err);
}

bool
split_tables(struct split *splits, size_t n, size_t most, struct conn *source,
	     struct arena *arena, const char **locked, struct err *err)
{
	for (size_t i = 0; i < n; i++)
		splits[i] = (struct split){ .table = splits[i].table, .parts = 1 };
	*locked = NULL;
	if (most < 2)
		return true;
	if (!measure(splits, n, most, source, arena, err))
		return false;
	*locked = divided(splits, n, arena);
	return lock(*locked, "", source, arena, err);
}

bool
split_join(const char *locked, struct conn *source, struct arena *arena, struct err *err)
{
	return lock(locked, " NOWAIT", source, arena, err);
}

struct pump_pages
split_pages(const struct split *split, size_t number)
{
	int64_t n = (int64_t) split->parts, i = (int64_t) number;

	return (struct pump_pages){
		.begin = split->pages * i / n,
		.end = i + 1 < n ? split->pages * (i + 1) / n : 0,
	};
}
