#include "setup/pump.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"
#include "setup/intake.h"

#define COLUMNS_MAX (1 << 18)

/*
 * Binary forms are alike for built-in types that hold no object numbers of this database.  reg*
 * does, and what is made by CREATE TYPE has a number that differs.
 */
static bool
table_columns(struct conn *conn, const struct inventory_table *table, PGresult **result,
	      struct err *err)
{
	struct params params = PARAMS_NONE;

	params_i64(&params, table->oid);
	return conn_run(conn,
			"SELECT a.attname::text, a.attgenerated <> '',"
			"       format_type(a.atttypid, a.atttypmod),"
			"       t.oid < 16384 AND t.typreceive <> 0 AND t.typsend <> 0"
			"       AND t.typname !~ '^_?reg'"
			"  FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid"
			" WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped"
			" ORDER BY a.attnum", &params, result, err);
}

static bool
same_signature(struct conn *source, struct conn *target, bool *same, struct err *err)
{
	AUTO_RESULT PGresult *here = NULL;
	AUTO_RESULT PGresult *there = NULL;
	const char *sql = "SELECT elvis.signature()";

	if (!conn_run(source, sql, NULL, &here, err) || !conn_run(target, sql, NULL, &there, err))
		return false;
	*same = strcmp(result_text(here, 0, 0), result_text(there, 0, 0)) == 0;
	return true;
}

static int
find_column(const PGresult *columns, const char *name)
{
	for (int i = 0; i < PQntuples(columns); i++)
		if (strcmp(result_text(columns, i, 0), name) == 0)
			return i;
	return -1;
}

/* To the literal of an array */
static void
add_element(struct strbuf *literal, const char *text)
{
	strbuf_puts(literal, literal->length > 0 ? ",\"" : "{\"");
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			strbuf_putc(literal, '\\');
		strbuf_putc(literal, *text);
	}
	strbuf_putc(literal, '"');
}

bool
pump_form(struct pump_form *form, struct conn *source, struct conn *target,
	  const struct inventory_table *from, const struct inventory_table *to,
	  struct arena *arena, struct err *err)
{
	AUTO_RESULT PGresult *have = NULL;
	AUTO_RESULT PGresult *want = NULL;
	AUTO_STRBUF struct strbuf list;
	AUTO_STRBUF struct strbuf names;

	strbuf_init(&list, COLUMNS_MAX);
	strbuf_init(&names, COLUMNS_MAX);
	if (!table_columns(source, from, &have, err) ||
	    !table_columns(target, to, &want, err) ||
	    !same_signature(source, target, &form->binary, err))
		return false;
	for (int i = 0; i < PQntuples(have); i++) {
		const char *name = result_text(have, i, 0);
		int there = find_column(want, name);

		if (result_bool(have, i, 1) || (there >= 0 && result_bool(want, there, 1)))
			continue;
		if (there < 0)
			return err_set(err, ERR_CONFIG, "the target's table %s.%s has no column "
				       "'%s'; add it there", to->schema, to->name, name);
		form->binary = form->binary && result_bool(have, i, 3) &&
			       strcmp(result_text(have, i, 2), result_text(want, there, 2)) == 0;
		strbuf_printf(&list, "%s%s", list.length > 0 ? ", " : "",
			      quote_name(arena, name));
		add_element(&names, name);
	}
	form->columns = arena_strdup(arena, list.data);
	form->names = arena_printf(arena, "%s}", names.data);
	return true;
}

static bool
pass_rows(struct conn *source, struct intake *intake, pump_listener *listener, void *context,
	  struct err *err)
{
	PGconn *pg = conn_libpq(source);
	int64_t told = 0;

	for (;;) {
		char *row = NULL;
		int length = PQgetCopyData(pg, &row, 1);
		bool ok;

		if (length < 0)
			return conn_collect(source, NULL, err);
		if (length == 0) {
			if (!conn_wait(source, CONN_READABLE, err))
				return false;
			if (!PQconsumeInput(pg))
				return conn_lost(source, err);
			continue;
		}
		ok = intake_row(intake, row, (size_t) length, err);
		PQfreemem(row);
		if (!ok)
			return false;
		if (intake->bytes > told)
			listener(context, intake->bytes);
		told = intake->bytes;
	}
}

/* The rows that lie in these pages, as the server finds them without reading others */
static const char *
where_sql(struct pump_pages pages, struct arena *arena)
{
	if (pages.end > 0)
		return arena_printf(arena, " WHERE ctid >= '(%" PRId64 ",0)' AND ctid < '(%" PRId64
				    ",0)'", pages.begin, pages.end);
	return pages.begin > 0
		       ? arena_printf(arena, " WHERE ctid >= '(%" PRId64 ",0)'", pages.begin)
		       : "";
}

/* The executor is spared where the table can be named by itself. */
static const char *
out_sql(const struct pump_form *form, const struct inventory_table *from,
	struct pump_pages pages, struct arena *arena)
{
	const char *name = table_sql(arena, from->schema, from->name);
	const char *where = where_sql(pages, arena);
	const char *format = form->binary ? "binary" : "text";

	if (!from->partitioned && where[0] == '\0')
		return arena_printf(arena, "COPY %s (%s) TO STDOUT (FORMAT %s)", name,
				    form->columns, format);
	return arena_printf(arena, "COPY (SELECT %s FROM %s%s%s) TO STDOUT (FORMAT %s)",
			    form->columns, from->partitioned ? "" : "ONLY ", name, where, format);
}

bool
pump_rows(const struct pump_form *form, struct conn *source, struct conn *target,
	  const struct inventory_table *from, const struct inventory_table *to,
	  struct pump_pages pages, struct arena *arena, pump_listener *listener, void *context,
	  struct err *err)
{
	const struct intake_form there = {
		.table = table_sql(arena, to->schema, to->name), .columns = form->columns,
		.names = form->names, .binary = form->binary,
	};
	struct intake intake;
	bool passed;

	/* a table without columns to copy has rows all the same, but nothing to tell them apart */
	if (form->columns[0] == '\0')
		return true;
	passed = intake_begin(&intake, target, &there, err) &&
		 conn_command(source, out_sql(form, from, pages, arena), err) &&
		 pass_rows(source, &intake, listener, context, err) && intake_end(&intake, err);
	if (passed)
		listener(context, intake.bytes);
	intake_free(&intake);
	return passed;
}
