/*
 * table.c - TABLE records.
 */
#include "model/table.h"

#include <inttypes.h>

#include "model/record.h"

static const char *
get_text(struct elvis_bytes *in, struct arena *arena)
{
	struct elvis_bytes run;

	/* a name with a NUL would be another name to whoever reads it as text */
	if (!elvis_get_string(in, &run) ||
	    memchr(run.at, '\0', (size_t) (run.end - run.at)) != NULL)
		return NULL;
	return arena_strndup(arena, (const char *) run.at, (size_t) (run.end - run.at));
}

static struct elvis_column *
get_column(struct elvis_bytes *in, struct arena *arena)
{
	struct elvis_column *column = arena_zalloc(arena, sizeof(*column));
	uint8_t form, flags;
	uint64_t oid, typmod;

	if (!elvis_get_u8(in, &form) || !elvis_get_u8(in, &flags) ||
	    (column->name = get_text(in, arena)) == NULL ||
	    (column->type = get_text(in, arena)) == NULL ||
	    !elvis_get_varint(in, &oid) || !elvis_get_varint(in, &typmod))
		return NULL;
	column->generated = (flags & ELVIS_COLUMN_GENERATED) != 0;
	return column;
}

static bool
get_columns(struct elvis_bytes *in, struct elvis_column ***columns, uint64_t *n,
	    struct arena *arena)
{
	if (!elvis_get_varint(in, n) || *n > TABLE_COLUMNS_MAX)
		return false;
	*columns = arena_alloc(arena, (*n + 1) * sizeof(**columns));
	for (uint64_t i = 0; i < *n; i++)
		if (((*columns)[i] = get_column(in, arena)) == NULL)
			return false;
	return true;
}

static bool
get_key(struct elvis_bytes *in, struct elvis_table *table, struct elvis_column **columns,
	struct arena *arena)
{
	uint64_t n, column;
	uint32_t *key;

	if (!elvis_get_varint(in, &n) || n > table->n_columns)
		return false;
	key = arena_alloc(arena, (n + 1) * sizeof(*key));
	for (uint64_t i = 0; i < n; i++) {
		if (!elvis_get_varint(in, &column) || column >= table->n_columns)
			return false;
		key[i] = (uint32_t) column;
		columns[column]->in_key = true;
	}
	table->key = key;
	table->n_key = n;
	return true;
}

struct elvis_table *
table_decode(struct elvis_bytes payload, struct arena *arena, struct err *err)
{
	struct elvis_table *table = arena_zalloc(arena, sizeof(*table));
	struct elvis_bytes in = payload;
	struct elvis_column **columns;
	uint64_t n;

	if (!elvis_get_varint(&in, &table->version) ||
	    (table->schema = get_text(&in, arena)) == NULL ||
	    (table->name = get_text(&in, arena)) == NULL ||
	    !get_columns(&in, &columns, &n, arena)) {
		record_damaged(err, "table");
		return NULL;
	}
	table->columns = (const struct elvis_column *const *) columns;
	table->n_columns = n;
	if (!get_key(&in, table, columns, arena)) {
		record_damaged(err, "key of a table");
		return NULL;
	}
	return table;
}

static void
put_rules(struct strbuf *out, const struct elvis_rules *rules)
{
	put_u8(out, (uint8_t) rules->detect);
	put_varint(out, rules->n_ignored);
	for (size_t i = 0; i < rules->n_ignored; i++)
		put_string(out, rules->ignored[i]);
	put_varint(out, rules->n_answers);
	for (uint32_t kind = 0; kind < rules->n_answers; kind++) {
		const struct elvis_answer *answer = &rules->answers[kind];
		const char *policy = rules->policies[kind];

		put_u8(out, (uint8_t) answer->rule);
		put_u8(out, (uint8_t) answer->verdict);
		put_string(out, answer->column != NULL ? answer->column : "");
		put_string(out, policy != NULL ? policy : "");
	}
}

bool
put_table(struct strbuf *out, struct elvis_bytes described, const struct elvis_rules *rules)
{
	AUTO_STRBUF struct strbuf payload;

	strbuf_init(&payload, 16 << 20);
	strbuf_add(&payload, described.at, (size_t) (described.end - described.at));
	put_rules(&payload, rules);
	return strbuf_ok(&payload) &&
	       put_record(out, ELVIS_RECORD_TABLE, payload.data, payload.length);
}

bool
table_key_literal(struct strbuf *out, const struct elvis_table *table)
{
	strbuf_putc(out, '{');
	for (size_t i = 0; i < table->n_key; i++)
		strbuf_printf(out, "%s%" PRIu32, i > 0 ? "," : "", table->key[i]);
	return strbuf_putc(out, '}');
}

bool
table_columns_literal(struct strbuf *out, const struct elvis_table *table)
{
	strbuf_putc(out, '{');
	for (size_t i = 0; i < table->n_columns; i++) {
		strbuf_puts(out, i > 0 ? ",\"" : "\"");
		for (const char *c = table->columns[i]->name; *c != '\0'; c++) {
			if (*c == '"' || *c == '\\')
				strbuf_putc(out, '\\');
			strbuf_putc(out, *c);
		}
		strbuf_putc(out, '"');
	}
	return strbuf_putc(out, '}');
}
