#include "setup/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"

/* Names and numbers of the attachment come with the tables, which an absent extension has not. */
#define TABLES_FROM(more) \
	"  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace" \
	"  " more \
	" WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence = 'p'" \
	"   AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'elvis')" \
	"   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass" \
	"                   AND d.objid = c.oid AND d.deptype = 'e')"

#define TABLES_SELECT \
	"SELECT c.oid, n.nspname::text, c.relname::text, c.relkind = 'p'," \
	"       EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)," \
	"       (SELECT coalesce(string_agg(t.attname::text, chr(1) ORDER BY t.attnum), '')" \
	"          FROM pg_attribute t WHERE t.attrelid = c.oid AND t.attnum > 0" \
	"           AND NOT t.attisdropped AND t.attgenerated = '')," \
	"       CASE WHEN c.relkind = 'p' THEN (SELECT coalesce(sum(r.relpages), 0)::bigint" \
	"                  FROM pg_partition_tree(c.oid) p JOIN pg_class r ON r.oid = p.relid" \
	"                 WHERE p.isleaf)" \
	"            ELSE c.relpages END,"

/* Every partition has the triggers that capture; users are refused at the root. */
#define ARMED \
	"(a.role IS NULL OR a.role = 'replica' OR NOT EXISTS (SELECT" \
	"    FROM (SELECT c.oid AS relid UNION SELECT p.relid FROM pg_partition_tree(c.oid) p) part" \
	"   WHERE (SELECT count(*) FROM pg_trigger g WHERE g.tgrelid = part.relid" \
	"             AND g.tgfoid IN ('elvis.capture()'::regprocedure," \
	"                              'elvis.capture_truncate()'::regprocedure)" \
	"             AND g.tgenabled = 'A') < 2))" \
	"AND (a.role IS NULL OR a.role = 'master' OR EXISTS (SELECT FROM pg_trigger g" \
	"   WHERE g.tgrelid = c.oid AND g.tgfoid = 'elvis.deny()'::regprocedure" \
	"     AND g.tgenabled = 'O'))"

static const char *
text_or_null(struct arena *arena, const PGresult *result, int row, int column)
{
	return result_null(result, row, column)
		       ? NULL
		       : arena_strdup(arena, result_text(result, row, column));
}

/* The second question has the server read every control file it has. */
static const char installed_sql[] =
	"SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'elvis'),"
	"       EXISTS (SELECT FROM pg_extension WHERE extname = 'elvis')"
	"       OR EXISTS (SELECT FROM pg_available_extensions WHERE name = 'elvis')";

static void
take_installed(struct inventory *inventory, const PGresult *result, struct arena *arena)
{
	(void) arena;
	inventory->installed = result_bool(result, 0, 0);
	inventory->available = result_bool(result, 0, 1);
}

static const char node_sql[] =
	"SELECT s.id, s.name, s.incarnation, s.genuine, s.detail,"
	"       (SELECT n.priority FROM elvis.node n)"
	"  FROM elvis.node_state() s";

static void
take_node(struct inventory *inventory, const PGresult *result, struct arena *arena)
{
	if (PQntuples(result) == 0 || result_null(result, 0, 0))
		return;
	inventory->id = (uint32_t) result_i32(result, 0, 0);
	inventory->name = arena_strdup(arena, result_text(result, 0, 1));
	inventory->incarnation = result_i64(result, 0, 2);
	inventory->genuine = result_bool(result, 0, 3);
	inventory->detail = text_or_null(arena, result, 0, 4);
	inventory->priority = result_i32(result, 0, 5);
}

/* Names with a \1 between them */
static struct conf_strings
split_columns(struct arena *arena, const char *text)
{
	char *copy = arena_strdup(arena, text), *save = NULL;
	const char **items = arena_alloc(arena, (strlen(text) / 2 + 1) * sizeof(*items));
	size_t n = 0;

	for (char *name = strtok_r(copy, "\1", &save); name != NULL;
	     name = strtok_r(NULL, "\1", &save))
		items[n++] = name;
	return (struct conf_strings){ .items = items, .count = n };
}

/* The server's order is its collation's; ours is for looking up. */
static int
compare_tables(const void *a, const void *b)
{
	const struct inventory_table *left = a, *right = b;
	int order = strcmp(left->schema, right->schema);

	return order != 0 ? order : strcmp(left->name, right->name);
}

static const char tables_sql[] =
	TABLES_SELECT " a.role, a.key::text, coalesce(a.capture_unchanged, -1), " ARMED
	TABLES_FROM("LEFT JOIN elvis.attachment a ON a.relid = c.oid");

static const char plain_tables_sql[] =
	TABLES_SELECT " NULL::text, NULL::text, -1, true" TABLES_FROM("");

static void
take_tables(struct inventory *inventory, const PGresult *result, struct arena *arena)
{
	struct inventory_table *tables;

	inventory->n_tables = (size_t) PQntuples(result);
	tables = arena_zalloc(arena, (inventory->n_tables + 1) * sizeof(*tables));
	for (int i = 0; i < PQntuples(result); i++)
		tables[i] = (struct inventory_table){
			.oid = (uint32_t) result_i32(result, i, 0),
			.schema = arena_strdup(arena, result_text(result, i, 1)),
			.name = arena_strdup(arena, result_text(result, i, 2)),
			.partitioned = result_bool(result, i, 3),
			.keyed = result_bool(result, i, 4),
			.columns = split_columns(arena, result_text(result, i, 5)),
			.pages = result_i64(result, i, 6),
			.role = text_or_null(arena, result, i, 7),
			.key = text_or_null(arena, result, i, 8),
			.capture_unchanged = result_i32(result, i, 9),
			.armed = result_bool(result, i, 10),
		};
	qsort(tables, inventory->n_tables, sizeof(*tables), compare_tables);
	inventory->tables = tables;
}

static const char subscribers_sql[] =
	"SELECT link::text, name, target, state, reason, confirmed_id"
	"  FROM elvis.subscriber ORDER BY name, link";

static void
take_subscribers(struct inventory *inventory, const PGresult *result, struct arena *arena)
{
	struct inventory_subscriber *subscribers;

	inventory->n_subscribers = (size_t) PQntuples(result);
	subscribers = arena_zalloc(arena, (inventory->n_subscribers + 1) * sizeof(*subscribers));
	for (int i = 0; i < PQntuples(result); i++)
		subscribers[i] = (struct inventory_subscriber){
			.uuid = arena_strdup(arena, result_text(result, i, 0)),
			.name = arena_strdup(arena, result_text(result, i, 1)),
			.target = text_or_null(arena, result, i, 2),
			.state = arena_strdup(arena, result_text(result, i, 3)),
			.reason = text_or_null(arena, result, i, 4),
			.confirmed_id = result_i64(result, i, 5),
		};
	inventory->subscribers = subscribers;
}

static const char positions_sql[] =
	"SELECT link::text, name, source, incarnation, from_id, from_token, to_id,"
	"       seq, at FROM elvis.position ORDER BY name, link";

static void
take_positions(struct inventory *inventory, const PGresult *result, struct arena *arena)
{
	struct inventory_position *positions;

	inventory->n_positions = (size_t) PQntuples(result);
	positions = arena_zalloc(arena, (inventory->n_positions + 1) * sizeof(*positions));
	for (int i = 0; i < PQntuples(result); i++)
		positions[i] = (struct inventory_position){
			.uuid = arena_strdup(arena, result_text(result, i, 0)),
			.name = arena_strdup(arena, result_text(result, i, 1)),
			.source = result_i32(result, i, 2),
			.incarnation = result_i64(result, i, 3),
			.from_id = result_i64(result, i, 4),
			.from_token = result_i64(result, i, 5),
			.to_id = result_i64(result, i, 6),
			.seq = result_i64(result, i, 7),
			.at = result_null(result, i, 8) ? 0 : result_time(result, i, 8),
		};
	inventory->positions = positions;
}

/* What is asked, in this order; of a node without the extension it is `bare`, or nothing. */
static const struct step {
	const char *sql, *bare;
	void (*take)(struct inventory *, const PGresult *, struct arena *);
} steps[] = {
	{ installed_sql, installed_sql, take_installed },
	{ node_sql, NULL, take_node },
	{ tables_sql, plain_tables_sql, take_tables },
	{ subscribers_sql, NULL, take_subscribers },
	{ positions_sql, NULL, take_positions },
};

static void
ask(struct inquiry *inquiry, const struct step *step)
{
	const char *sql = inquiry->inventory->installed ? step->sql : step->bare;

	inquiry->asked = inquiry->done && sql != NULL;
	if (inquiry->asked)
		inquiry->asked = inquiry->done = conn_ask(inquiry->conn, sql, inquiry->err);
}

static void
take(struct inquiry *inquiry, const struct step *step, struct arena *arena)
{
	AUTO_RESULT PGresult *result = NULL;

	if (!inquiry->asked)
		return;
	inquiry->done = conn_collect(inquiry->conn, &result, inquiry->err);
	if (inquiry->done)
		step->take(inquiry->inventory, result, arena);
}

static void
command(struct inquiry *inquiry, const char *sql)
{
	inquiry->done = inquiry->done && conn_command(inquiry->conn, sql, inquiry->err);
}

/* Each question goes to all before the first answer is waited for. */
void
inventory_read(struct inquiry *inquiries, size_t n, struct arena *arena)
{
	for (size_t i = 0; i < n; i++) {
		*inquiries[i].inventory = (struct inventory){ 0 };
		inquiries[i].done = true;
		command(&inquiries[i], "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
	}
	for (size_t step = 0; step < ARRAY_LEN(steps); step++) {
		for (size_t i = 0; i < n; i++)
			ask(&inquiries[i], &steps[step]);
		for (size_t i = 0; i < n; i++)
			take(&inquiries[i], &steps[step], arena);
	}
	for (size_t i = 0; i < n; i++)
		command(&inquiries[i], "COMMIT");
}

const struct inventory_table *
inventory_table(const struct inventory *inventory, const char *schema, const char *name)
{
	struct inventory_table wanted = { .schema = schema, .name = name };

	if (inventory->n_tables == 0)
		return NULL;
	return bsearch(&wanted, inventory->tables, inventory->n_tables, sizeof(wanted),
		       compare_tables);
}

const struct inventory_subscriber *
inventory_subscriber(const struct inventory *inventory, const char *uuid)
{
	for (size_t i = 0; i < inventory->n_subscribers; i++)
		if (strcmp(inventory->subscribers[i].uuid, uuid) == 0)
			return &inventory->subscribers[i];
	return NULL;
}

const struct inventory_position *
inventory_position(const struct inventory *inventory, const char *uuid)
{
	for (size_t i = 0; i < inventory->n_positions; i++)
		if (strcmp(inventory->positions[i].uuid, uuid) == 0)
			return &inventory->positions[i];
	return NULL;
}

static const char *
quote(struct arena *arena, const char *text, char mark)
{
	char *quoted = arena_alloc(arena, 2 * strlen(text) + 3);
	char *out = quoted;

	*out++ = mark;
	for (; *text != '\0'; text++) {
		if (*text == mark)
			*out++ = mark;
		*out++ = *text;
	}
	*out++ = mark;
	*out = '\0';
	return quoted;
}

const char *
quote_name(struct arena *arena, const char *name)
{
	return quote(arena, name, '"');
}

/* standard_conforming_strings is on by default, and a backslash in a name is a backslash. */
const char *
quote_text(struct arena *arena, const char *text)
{
	return quote(arena, text, '\'');
}

const char *
table_sql(struct arena *arena, const char *schema, const char *name)
{
	return arena_printf(arena, "%s.%s", quote_name(arena, schema), quote_name(arena, name));
}
