/*
 * source.c - what the daemon asks of a source node.
 */
#include "pg/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "pg/query.h"
#include "pg/sqlstate.h"

struct reader {
	struct source source;	/* first: this is what others see */
	struct conn_options options;
	size_t piece_bytes;
	struct conn *conn;	/* NULL: not connected */
};

static struct reader *
reader_of(struct source *source)
{
	return CONTAINER_OF(source, struct reader, source);
}

static void
rest(struct source *source)
{
	struct reader *reader = reader_of(source);

	conn_close(reader->conn);
	reader->conn = NULL;
}

/* If it fails, whoever asks something tries again and hears of it. */
static void
approach(struct source *source)
{
	struct reader *reader = reader_of(source);
	struct err unheard = ERR_INIT;

	if (reader->conn == NULL)
		(void) !conn_begin(&reader->conn, &reader->options, &unheard);
}

/* What was begun may have been left waiting for so long that the server has given it up. */
static bool
connected(struct reader *reader, struct err *err)
{
	struct err unheard = ERR_INIT;

	if (reader->conn != NULL && conn_finish(reader->conn, &reader->options, &unheard))
		return true;
	rest(&reader->source);
	return conn_open(&reader->conn, &reader->options, err);
}

/* After a failure nobody knows what the session still has to say: the next question makes a new
 * one, unless the server has only answered no. */
static bool
failed(struct reader *reader)
{
	if (reader->conn != NULL && (!conn_alive(reader->conn) || conn_busy(reader->conn)))
		rest(&reader->source);
	return false;
}

static const char *
form_name(int form)
{
	switch (form) {
	case ELVIS_FORM_STORED:
		return "stored";
	case ELVIS_FORM_BINARY:
		return "binary";
	default:
		return "text";
	}
}

static bool
read_start(struct source *source, const struct cursor *cursor, int form, struct err *err)
{
	struct reader *reader = reader_of(source);
	struct params params = PARAMS_NONE;

	params_i64(&params, cursor->from_id);
	params_i64(&params, cursor->from_token);
	params_i64(&params, cursor->to_id);
	params_i64(&params, cursor->to_token);
	params_i64(&params, cursor->seq);
	params_i64(&params, cursor->inside);
	params_i32(&params, (int32_t) reader->piece_bytes);
	params_text(&params, form_name(form));
	if (connected(reader, err) &&
	    conn_send(reader->conn, "SELECT seq, inside, finished, body "
		      "FROM elvis.read($1, $2, $3, $4, $5, $6, $7, $8)", &params, err))
		return true;
	return failed(reader);
}

static void
release(void *owner)
{
	PQclear(owner);
}

/*
 * From the columns seq, inside, finished and body; the result goes with the piece.
 *
 * The body is the last on purpose.  libpq's buffer and the result lie in memory alike, so that a
 * body right at the beginning of its message would be copied to a place less than 32 bytes further
 * in its page than it came from, and Zen processors take fifteen times as long for that (`rep
 * movsb`, which glibc uses for so much).
 */
static void
take_piece(struct piece *piece, PGresult *result, int column)
{
	size_t length;

	piece->seq = result_i64(result, 0, column);
	piece->inside = result_i64(result, 0, column + 1);
	piece->finished = result_bool(result, 0, column + 2);
	piece->records.at = result_bytes(result, 0, column + 3, &length);
	piece->records.end = piece->records.at + length;
	piece->owner = result;
	piece->release = release;
}

static bool
read_finish(struct source *source, struct piece *piece, struct err *err)
{
	struct reader *reader = reader_of(source);
	PGresult *result;

	if (reader->conn == NULL)
		return err_set(err, ERR_BUG, "nothing was asked for");
	if (!conn_collect(reader->conn, &result, err))
		return failed(reader);
	if (PQntuples(result) != 1) {
		PQclear(result);
		return err_set(err, ERR_BUG, "elvis.read() returned no row");
	}
	take_piece(piece, result, 0);
	return true;
}

static bool
describe(struct source *source, uint64_t version, bool portable, void **payload, size_t *length,
	 struct err *err)
{
	struct reader *reader = reader_of(source);
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;
	const void *bytes;

	*payload = NULL;
	params_i64(&params, (int64_t) version);
	params_bool(&params, portable);
	if (!connected(reader, err) ||
	    !conn_run(reader->conn, "SELECT elvis.describe($1, $2)", &params, &result, err))
		return failed(reader);
	if (PQntuples(result) != 1 || result_null(result, 0, 0))
		return true;
	bytes = result_bytes(result, 0, 0, length);
	*payload = mem_alloc(*length + 1);
	memcpy(*payload, bytes, *length);
	return true;
}

static bool
knows(struct source *source, int64_t id, int64_t token, bool *known, struct err *err)
{
	struct reader *reader = reader_of(source);
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	params_i64(&params, id);
	params_i64(&params, token);
	if (!connected(reader, err) ||
	    !conn_run(reader->conn, "SELECT elvis.snapshot_known($1, $2)", &params, &result, err))
		return failed(reader);
	*known = PQntuples(result) == 1 && result_bool(result, 0, 0);
	return true;
}

struct source *
source_new(const struct conn_options *options, size_t piece_bytes)
{
	static const struct source_ops ops = {
		approach, read_start, read_finish, describe, knows, rest
	};
	struct reader *reader = mem_zalloc(sizeof(*reader));

	reader->source.ops = &ops;
	reader->piece_bytes = piece_bytes;
	reader->options = *options;
	reader->options.conninfo = mem_strdup(options->conninfo);
	reader->options.application = mem_strdup(options->application);
	return &reader->source;
}

void
source_free(struct source *source)
{
	struct reader *reader;

	if (source == NULL)
		return;
	reader = reader_of(source);
	rest(source);
	free((void *) (uintptr_t) reader->options.conninfo);
	free((void *) (uintptr_t) reader->options.application);
	free(reader);
}

/* Books ------------------------------------------------------------------------- */

bool
source_facts(struct conn *conn, struct source_facts *facts, struct err *err)
{
	AUTO_RESULT PGresult *result = NULL;

	if (!conn_run(conn, "SELECT id, incarnation, genuine, detail, elvis.signature(), "
		      "name FROM elvis.node_state()", NULL, &result, err))
		return false;
	if (PQntuples(result) != 1 || !result_bool(result, 0, 2))
		return err_set(err, ERR_REFUSED, "%s", PQntuples(result) == 1 ?
			       result_text(result, 0, 3) : "this database is not a node");
	facts->number = (uint32_t) result_i32(result, 0, 0);
	facts->incarnation = result_i64(result, 0, 1);
	snprintf(facts->signature, sizeof(facts->signature), "%s", result_text(result, 0, 4));
	snprintf(facts->name, sizeof(facts->name), "%s", result_text(result, 0, 5));
	return true;
}

static bool
take_snapshot(const PGresult *result, struct snapshot *newest, bool *fresh, struct err *err)
{
	if (PQntuples(result) != 1)
		return err_set(err, ERR_BUG, "elvis.wait_snapshot() returned no row");
	newest->id = result_i64(result, 0, 0);
	newest->token = result_i64(result, 0, 1);
	newest->at = result_time(result, 0, 2);
	*fresh = result_bool(result, 0, 3);
	return true;
}

bool
source_wait(struct conn *conn, int64_t known, int floor_ms, int timeout_ms,
	    struct snapshot *newest, bool *fresh, struct err *err)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	params_i64(&params, known);
	params_i32(&params, floor_ms);
	params_i32(&params, timeout_ms);
	return conn_run(conn, "SELECT id, token, at, fresh "
			"FROM elvis.wait_snapshot($1, $2, $3)", &params, &result, err) &&
	       take_snapshot(result, newest, fresh, err);
}

/* elvis.read() is strict: with nothing new it is not called. */
bool
source_wait_read(struct conn *conn, const struct snapshot *known, int floor_ms, int timeout_ms,
		 size_t piece_bytes, int form, struct snapshot *newest, bool *fresh,
		 struct piece *piece, struct err *err)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	params_i64(&params, known->id);
	params_i64(&params, known->token);
	params_i32(&params, floor_ms);
	params_i32(&params, timeout_ms);
	params_i32(&params, (int32_t) piece_bytes);
	params_text(&params, form_name(form));
	if (!conn_run(conn, "SELECT w.id, w.token, w.at, w.fresh, r.seq, r.inside, "
		      "       r.finished, r.body "
		      "FROM elvis.wait_snapshot($1, $3, $4) w, "
		      "     elvis.read($1, $2, CASE WHEN w.fresh THEN w.id END, w.token, 0, 0, "
		      "                $5, $6) r", &params, &result, err) ||
	    !take_snapshot(result, newest, fresh, err))
		return false;
	if (*fresh) {
		take_piece(piece, result, 4);
		result = NULL;
	}
	return true;
}

static enum link_state
state_parse(const char *text)
{
	if (strcmp(text, "running") == 0)
		return LINK_RUNNING;
	return strcmp(text, "paused") == 0 ? LINK_PAUSED : LINK_STOPPED;
}

bool
source_subscribers(struct conn *conn, struct subscriber **list, size_t *n, struct err *err)
{
	AUTO_RESULT PGresult *result = NULL;

	if (!conn_run(conn, "SELECT link::text, state, reason, confirmed_id, confirmed_token, "
		      "confirmed_to_id, confirmed_to_token, confirmed_seq "
		      "FROM elvis.subscriber", NULL, &result, err))
		return false;
	*n = (size_t) PQntuples(result);
	*list = mem_zalloc((*n + 1) * sizeof(**list));
	for (size_t i = 0; i < *n; i++) {
		struct subscriber *s = &(*list)[i];
		int row = (int) i;

		snprintf(s->uuid, sizeof(s->uuid), "%s", result_text(result, row, 0));
		s->state = state_parse(result_text(result, row, 1));
		snprintf(s->reason, sizeof(s->reason), "%s", result_text(result, row, 2));
		s->position.from_id = result_i64(result, row, 3);
		s->position.from_token = result_i64(result, row, 4);
		s->position.to_id = result_i64(result, row, 5);
		s->position.to_token = result_i64(result, row, 6);
		s->position.seq = result_i64(result, row, 7);
		s->confirmed = s->position.from_id != 0;
	}
	return true;
}

bool
source_confirm(struct conn *conn, const char *uuid, const struct elvis_position *position,
	       struct err *err)
{
	struct params params = PARAMS_NONE;

	params_uuid(&params, uuid);
	params_i64(&params, position->from_id);
	params_i64(&params, position->from_token);
	params_i64(&params, position->to_id);
	params_i64(&params, position->to_token);
	params_i64(&params, position->seq);
	return conn_run(conn, "SELECT elvis.confirm($1, $2, $3, $4, $5, $6)", &params, NULL, err);
}

bool
source_stop(struct conn *conn, const char *uuid, const char *reason, struct err *err)
{
	struct params params = PARAMS_NONE;

	params_uuid(&params, uuid);
	params_text(&params, reason);
	return conn_run(conn, "SELECT elvis.set_link_state($1, 'stopped', $2)", &params, NULL,
			err);
}

bool
source_upkeep(struct conn *conn, struct err *err)
{
	return conn_run(conn, "SELECT elvis.upkeep()", NULL, NULL, err);
}
