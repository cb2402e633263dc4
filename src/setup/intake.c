#include "setup/intake.h"

#include <stdlib.h>

#include "base/mem.h"

/* Rows for COPY FROM that are handed over at once */
#define STREAM_BYTES (64 << 10)

/* And for elvis.fill(), which looks at the table and its columns anew for each piece */
#define PIECE_BYTES (1 << 20)

/* Rows of this size go by COPY each: what a statement is sent takes room several times. */
#define LARGE_BYTES (1 << 20)

/* Pieces under way: one that the target works on, and one for when it is done */
#define QUEUED_MAX 2

/* What binary rows begin with: a signature, no flags and no extension */
static const char header[19] = "PGCOPY\n\377\r\n";

/* Until the session takes more; what it says meanwhile is heard. */
static bool
await_room(struct conn *conn, struct err *err)
{
	if (!conn_wait(conn, CONN_READABLE | CONN_WRITABLE, err))
		return false;
	return PQconsumeInput(conn_libpq(conn)) || conn_lost(conn, err);
}

/* Hands bytes to the session, waiting while it takes no more. */
static bool
put(struct conn *conn, const char *data, size_t length, struct err *err)
{
	PGconn *pg = conn_libpq(conn);
	int put;

	while ((put = PQputCopyData(pg, data, (int) length)) == 0) {
		if (!await_room(conn, err))
			return false;
		if (PQflush(pg) < 0)
			return conn_lost(conn, err);
	}
	return put == 1 || conn_lost(conn, err);
}

/*
 * The queue of unsent bytes would grow with the table, were it not emptied: a target that is
 * slower than the source makes the source wait.
 */
static bool
drain(struct conn *conn, struct err *err)
{
	int left;

	while ((left = PQflush(conn_libpq(conn))) > 0)
		if (!await_room(conn, err))
			return false;
	return left == 0 || conn_lost(conn, err);
}

static bool
put_end(struct conn *conn, struct err *err)
{
	PGconn *pg = conn_libpq(conn);
	int left;

	while ((left = PQputCopyEnd(pg, NULL)) == 0)
		if (!conn_wait(conn, CONN_WRITABLE, err))
			return false;
	if (left < 0)
		return conn_lost(conn, err);
	return drain(conn, err) && conn_collect(conn, NULL, err);
}

static bool
begin_stream(struct intake *in, struct err *err)
{
	const struct intake_form *form = in->form;
	char *sql = mem_printf("COPY %s (%s) FROM STDIN (FORMAT %s)", form->table, form->columns,
			       form->binary ? "binary" : "text");
	bool begun = conn_command(in->conn, sql, err);

	free(sql);
	return begun;
}

/* Pieces ------------------------------------------------------------------------- */

static bool
collect(struct intake *in, int most, struct err *err)
{
	while (in->queued > most) {
		in->queued--;
		if (!conn_collect(in->conn, NULL, err))
			return false;
	}
	return true;
}

static bool
hand_over_piece(struct intake *in, struct err *err)
{
	struct params params = PARAMS_NONE;

	if (in->n_gathered == 0)
		return true;
	params_literal(&params, in->form->table);
	params_literal(&params, in->form->names);
	params_bool(&params, in->form->binary);
	params_bytes(&params, in->gathered.data, in->gathered.length);
	params_i64(&params, in->n_passed);
	if (!collect(in, QUEUED_MAX - 1, err) ||
	    !conn_queue(in->conn, "SELECT elvis.fill($1::regclass, $2::name[], $3, $4, $5)",
			&params, false, err))
		return false;
	in->queued++;
	return true;
}

static bool
hand_over_stream(struct intake *in, struct err *err)
{
	return put(in->conn, in->gathered.data, in->gathered.length, err) && drain(in->conn, err);
}

static bool
hand_over(struct intake *in, struct err *err)
{
	if (!(in->fills ? hand_over_piece(in, err) : hand_over_stream(in, err)))
		return false;
	in->bytes += (int64_t) in->gathered.length;
	in->n_passed += in->n_gathered;
	in->n_gathered = 0;
	strbuf_reset(&in->gathered);
	return true;
}

/* Every piece is a whole of its own. */
static bool
pass_large(struct intake *in, const char *row, size_t length, struct err *err)
{
	if (!hand_over(in, err))
		return false;
	if (in->fills && (!collect(in, 0, err) || !begin_stream(in, err) ||
			  (in->form->binary && !put(in->conn, header, sizeof(header), err))))
		return false;
	if (!put(in->conn, row, length, err) || (in->fills && !put_end(in->conn, err)))
		return false;
	in->bytes += (int64_t) length;
	in->n_passed++;
	return true;
}

bool
intake_begin(struct intake *intake, struct conn *conn, const struct intake_form *form,
	     struct err *err)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *can = NULL;

	*intake = (struct intake){ .conn = conn, .form = form };
	strbuf_init(&intake->gathered, 2 * LARGE_BYTES);
	params_literal(&params, form->table);
	if (!conn_run(conn, "SELECT elvis.can_fill($1::regclass)", &params, &can, err))
		return false;
	intake->fills = result_bool(can, 0, 0);
	return intake->fills || begin_stream(intake, err);
}

bool
intake_row(struct intake *in, const char *row, size_t length, struct err *err)
{
	size_t enough = in->fills ? PIECE_BYTES : STREAM_BYTES;

	/* the first row comes behind the header, which each piece needs */
	if (in->fills && in->form->binary && !in->begun) {
		if (length < sizeof(header))
			return err_set(err, ERR_BUG, "rows do not begin as binary ones do");
		row += sizeof(header);
		length -= sizeof(header);
	}
	in->begun = true;
	if (length >= (in->fills ? LARGE_BYTES : STREAM_BYTES))
		return pass_large(in, row, length, err);
	if (in->fills && in->form->binary && in->n_gathered == 0)
		strbuf_add(&in->gathered, header, sizeof(header));
	strbuf_add(&in->gathered, row, length);
	in->n_gathered++;
	return in->gathered.length < enough || hand_over(in, err);
}

bool
intake_end(struct intake *in, struct err *err)
{
	if (!hand_over(in, err))
		return false;
	return in->fills ? collect(in, 0, err) : put_end(in->conn, err);
}

void
intake_free(struct intake *intake)
{
	strbuf_free(&intake->gathered);
}
