#include "setup/pump.h"

#include <inttypes.h>
#include <string.h>

#include "base/strbuf.h"

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

bool
pump_form(struct pump_form *form, struct conn *source, struct conn *target,
	  const struct inventory_table *from, const struct inventory_table *to,
	  struct arena *arena, struct err *err)
{
	AUTO_RESULT PGresult *have = NULL;
	AUTO_RESULT PGresult *want = NULL;
	AUTO_STRBUF struct strbuf list;

	strbuf_init(&list, COLUMNS_MAX);
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
	}
	form->columns = arena_strdup(arena, list.data);
	return true;
}

/* Hands bytes to the session, waiting while it takes no more. */
static bool
put(struct conn *conn, const char *data, int length, struct err *err)
{
	PGconn *pg = conn_libpq(conn);
	int put;

	while ((put = PQputCopyData(pg, data, length)) == 0) {
		if (!conn_wait(conn, CONN_READABLE | CONN_WRITABLE, err))
			return false;
		if (!PQconsumeInput(pg) || PQflush(pg) < 0)
			return conn_lost(conn, err);
	}
	return put == 1 || conn_lost(conn, err);
}

static bool
put_end(struct conn *conn, const char *failure, struct err *err)
{
	PGconn *pg = conn_libpq(conn);
	int left;

	while ((left = PQputCopyEnd(pg, failure)) == 0)
		if (!conn_wait(conn, CONN_WRITABLE, err))
			return false;
	while (left >= 0 && (left = PQflush(pg)) > 0) {
		if (!conn_wait(conn, CONN_READABLE | CONN_WRITABLE, err))
			return false;
		if (!PQconsumeInput(pg))
			return conn_lost(conn, err);
	}
	return left == 0 ? conn_collect(conn, NULL, err) : conn_lost(conn, err);
}

/*
 * The queue of unsent bytes would grow with the table, were it not emptied: a target that is
 * slower than the source makes the source wait.
 */
static bool
drain(struct conn *conn, struct err *err)
{
	PGconn *pg = conn_libpq(conn);
	int left;

	while ((left = PQflush(pg)) > 0) {
		if (!conn_wait(conn, CONN_READABLE | CONN_WRITABLE, err))
			return false;
		if (!PQconsumeInput(pg))
			return conn_lost(conn, err);
	}
	return left == 0 || conn_lost(conn, err);
}

/* Rows on their way: what is handed over at once costs the target less than row by row */
#define GATHER_BYTES (64 << 10)

struct passage {
	struct conn *source, *target;
	struct strbuf gathered;
	int64_t bytes;
	pump_listener *listener;
	void *context;
};

static bool
hand_over(struct passage *p, struct err *err)
{
	if (!put(p->target, p->gathered.data, (int) p->gathered.length, err) ||
	    !drain(p->target, err))
		return false;
	p->bytes += (int64_t) p->gathered.length;
	strbuf_reset(&p->gathered);
	p->listener(p->context, p->bytes);
	return true;
}

static bool
pass_row(struct passage *p, const char *data, int length, struct err *err)
{
	if (length < GATHER_BYTES) {
		strbuf_add(&p->gathered, data, (size_t) length);
		return p->gathered.length < GATHER_BYTES || hand_over(p, err);
	}
	if (!hand_over(p, err) || !put(p->target, data, length, err))
		return false;
	p->bytes += length;
	return true;
}

static bool
pass_rows(struct passage *p, struct err *err)
{
	PGconn *pg = conn_libpq(p->source);

	for (;;) {
		char *data = NULL;
		int length = PQgetCopyData(pg, &data, 1);
		bool ok;

		if (length < 0)
			return hand_over(p, err) && conn_collect(p->source, NULL, err);
		if (length == 0) {
			if (!conn_wait(p->source, CONN_READABLE, err))
				return false;
			if (!PQconsumeInput(pg))
				return conn_lost(p->source, err);
			continue;
		}
		ok = pass_row(p, data, length, err);
		PQfreemem(data);
		if (!ok)
			return false;
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

bool
pump_rows(const struct pump_form *form, struct conn *source, struct conn *target,
	  const struct inventory_table *from, const struct inventory_table *to,
	  struct pump_pages pages, struct arena *arena, pump_listener *listener, void *context,
	  struct err *err)
{
	const char *format = form->binary ? "binary" : "text";
	const char *out = arena_printf(arena, "COPY (SELECT %s FROM %s%s%s) TO STDOUT (FORMAT %s)",
				       form->columns, from->partitioned ? "" : "ONLY ",
				       table_sql(arena, from->schema, from->name),
				       where_sql(pages, arena), format);
	const char *in = arena_printf(arena, "COPY %s (%s) FROM STDIN (FORMAT %s)",
				      table_sql(arena, to->schema, to->name), form->columns,
				      format);
	struct passage passage = {
		.source = source, .target = target, .listener = listener, .context = context,
	};
	bool passed;

	/* a table without columns to copy has rows all the same, but nothing to tell them apart */
	if (form->columns[0] == '\0')
		return true;
	if (!conn_command(target, in, err))
		return false;
	if (!conn_command(source, out, err))
		return false;
	strbuf_init(&passage.gathered, 2 * GATHER_BYTES);
	passed = pass_rows(&passage, err) && put_end(target, NULL, err);
	strbuf_free(&passage.gathered);
	return passed;
}
