/*
 * postgres.c - the sink that drives elvis.apply() in another database.
 *
 * A target transaction is a transaction there, with the link's position in it.  What is not large
 * goes as one statement that is its own transaction; what is, and what meets a conflict that has to
 * be asked about, goes in an explicit one.  Of such statements several are under way, so that the
 * target has the next one when it is done with one; a piece of a large transaction is sent when the
 * result of the one before it is there.  Meanwhile the daemon reads on.
 */
#include <stdio.h>
#include <stdlib.h>

#include <elvis/sink.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "model/conflict.h"
#include "model/frame.h"
#include "model/table.h"
#include "model/verdict.h"
#include "pg/conn.h"
#include "pg/query.h"
#include "pg/sqlstate.h"

/* Up to this many bytes are held back, for a transaction of one statement: what is cut while
 * catching up, with a source transaction at its end that is not small */
#define ALONE_MAX ((size_t) 1 << 20)

/* More, where there are many tables: what is cut is larger then, so that the rows of one table are
 * inserted together, and rows in different statements are not */
#define ALONE_A_TABLE ((size_t) 16 << 10)
#define ALONE_MOST ((size_t) 5 << 20)

/* So many transactions of one statement are under way at most, unless they are large: the target
 * works at one and has another at hand.  More would only take memory. */
#define AHEAD 2

/* After one that had to ask, so many more are not tried in one statement */
#define WARY 8

/* A bytea is at most 1 GB */
#define FRAME_MAX ((size_t) 1 << 30)

enum { OPT_CONNINFO };

static const struct elvis_option options[] = {
	[OPT_CONNINFO] = {
		.name = "conninfo", .type = ELVIS_OPTION_STRING, .required = true,
		.help = "the database, as libpq takes it; without passwords, for which there are "
			"service and password files",
	},
	{ .name = NULL },
};

/* What the engine told of a version of a table */
struct told {
	const struct elvis_table *table;
	const struct elvis_rules *rules;
};

struct transaction {
	struct elvis_position expected, next;
	int64_t at;
	struct strbuf records;	/* of what is being written: those not sent yet */
};

struct postgres {
	const struct elvis_host *host;
	const struct elvis_link *link;
	struct conn *conn;
	uint32_t form;
	struct hash *tables;	/* version -> struct told */
	struct arena *arena;	/* of `told`, as long as the session */
	struct arena *question;	/* of the conflict being asked about */
	struct strbuf bytes;	/* the frame or verdict being sent */

	struct transaction ring[AHEAD + 1];
	size_t oldest;		/* in the ring: those sent as one statement, their results not */
	size_t n_sent;		/* collected, and behind them the one from begin to commit */
	bool began;		/* BEGIN was sent, and the frame that is FIRST */
	bool flying;		/* a frame was sent in it and its result not collected */
	int wary;		/* so many more are not to go as one statement */
};

static struct transaction *
writing(struct postgres *p)
{
	return &p->ring[(p->oldest + p->n_sent) % ARRAY_LEN(p->ring)];
}

static enum elvis_result
failed(struct postgres *p, const struct err *err)
{
	p->host->fail(p->host, "%s", err->text);
	switch (err->class) {
	case ERR_NONE:
	case ERR_RETRY:
		return ELVIS_SINK_RETRY;
	case ERR_CONFIG:
		return ELVIS_SINK_FATAL;
	case ERR_CONFLICT:
	case ERR_REFUSED:
	case ERR_BUG:
		return ELVIS_SINK_STOPPED;
	}
	return ELVIS_SINK_STOPPED;
}

/* Conflicts --------------------------------------------------------------------- */

static const struct elvis_table *
table_of(void *context, uint64_t version)
{
	const struct postgres *p = context;
	const struct told *told = hash_get_u64(p->tables, version);

	return told != NULL ? told->table : NULL;
}

/* Whoever answers a kind beforehand for that table */
static const char *
policy_of(const struct postgres *p, uint64_t version, uint32_t kind)
{
	const struct told *told = hash_get_u64(p->tables, version);

	return told != NULL && kind < told->rules->n_answers &&
		told->rules->policies[kind] != NULL ? told->rules->policies[kind] : "strict";
}

/*
 * Records a stop in a transaction of its own: it is to outlive the rollback.  Failing to must not
 * hide why the link stops.
 */
static void
record_stop(struct postgres *p, struct elvis_bytes bytes, const struct elvis_conflict *conflict,
	    const char *policy, const char *reason)
{
	struct params params = PARAMS_NONE;
	struct err err = ERR_INIT;
	AUTO_STRBUF struct strbuf columns;
	AUTO_STRBUF struct strbuf key;

	strbuf_init(&columns, FRAME_MAX);
	strbuf_init(&key, FRAME_MAX);
	table_columns_literal(&columns, conflict->table);
	table_key_literal(&key, conflict->table);
	params_bytes(&params, bytes.at, (size_t) (bytes.end - bytes.at));
	params_uuid(&params, p->link->uuid);
	params_text(&params, conflict->table->schema);
	params_text(&params, conflict->table->name);
	params_literal(&params, columns.data);
	params_literal(&params, key.data);
	params_text(&params, verdict_name(ELVIS_STOP));
	params_text(&params, policy);
	params_text(&params, reason);
	if (!conn_command(p->conn, "ROLLBACK", &err) ||
	    !conn_run(p->conn, "SELECT elvis.record_resolution($1, $2, $3, $4, $5::text[], "
		      "$6::int[], $7, $8, $9)", &params, NULL, &err))
		p->host->log(p->host, ELVIS_LOG_WARNING,
			     "the conflict could not be recorded: %s", err.text);
	p->began = false;
}

static enum elvis_result
stop(struct postgres *p, struct elvis_bytes bytes, const struct elvis_conflict *conflict,
     const char *policy, const char *reason)
{
	record_stop(p, bytes, conflict, policy, reason);
	p->host->fail(p->host, "%s on table %s.%s, change %lld.%llu: %s says stop%s%s",
		      kind_name(conflict->kind), conflict->table->schema, conflict->table->name,
		      (long long) conflict->seq, (unsigned long long) conflict->ordinal, policy,
		      reason != NULL ? ": " : "", reason != NULL ? reason : "");
	return ELVIS_SINK_STOPPED;
}

static enum elvis_result
try_later(struct postgres *p, const struct elvis_conflict *conflict, const char *policy)
{
	p->host->fail(p->host, "%s on table %s.%s: %s says to try again later",
		      kind_name(conflict->kind), conflict->table->schema, conflict->table->name,
		      policy);
	return ELVIS_SINK_RETRY;
}

/* Asks, and has the walk go on with the answer.  *result is what elvis.answer() told then. */
static enum elvis_result
ask(struct postgres *p, struct elvis_bytes bytes, const struct elvis_conflict *conflict,
    PGresult **result)
{
	struct elvis_verdict verdict = { .action = ELVIS_ABSTAIN };
	struct params params = PARAMS_NONE;
	struct err err = ERR_INIT;
	const char *policy = NULL;

	if (!p->link->ask(p->link, conflict, &verdict, &policy)) {
		p->host->fail(p->host, "the conflict could not be put to the table's policies");
		return ELVIS_SINK_RETRY;
	}
	if (verdict.action == ELVIS_STOP)
		return stop(p, bytes, conflict, policy, verdict.reason);
	if (verdict.action == ELVIS_RETRY)
		return try_later(p, conflict, policy);
	strbuf_reset(&p->bytes);
	if (!put_verdict(&p->bytes, &verdict, policy, conflict->table)) {
		p->host->fail(p->host, "the row that %s made is too large", policy);
		return ELVIS_SINK_STOPPED;
	}
	params_bytes(&params, p->bytes.data, p->bytes.length);
	if (!conn_run(p->conn, "SELECT state, changes, conflict FROM elvis.answer($1)", &params,
		      result, &err))
		return failed(p, &err);
	return ELVIS_SINK_OK;
}

/* What elvis.apply() or elvis.answer() told: goes on until the walk is done, or cannot be. */
static enum elvis_result
settle(struct postgres *p, PGresult *result)
{
	enum elvis_result outcome = ELVIS_SINK_OK;

	while (outcome == ELVIS_SINK_OK && result_char(result, 0, 0) != 'd') {
		AUTO_RESULT PGresult *old = result;
		struct elvis_conflict *conflict;
		struct err err = ERR_INIT;
		struct elvis_bytes bytes;
		const char *policy;
		size_t length;

		result = NULL;
		bytes.at = result_bytes(old, 0, 2, &length);
		bytes.end = bytes.at + length;
		arena_reset(p->question);
		conflict = conflict_decode(bytes, table_of, p, p->question, &err);
		if (conflict == NULL)
			return failed(p, &err);
		policy = policy_of(p, conflict->table->version, conflict->kind);
		switch (result_char(old, 0, 0)) {
		case 'a':
			outcome = ask(p, bytes, conflict, &result);
			break;
		case 'r':
			outcome = try_later(p, conflict, policy);
			break;
		default:
			/* of messages only a gap's is known to hold nothing of a row */
			outcome = stop(p, bytes, conflict, policy,
				       conflict->kind == ELVIS_GAP && conflict->message != NULL ?
				       conflict->message : kind_text(conflict->kind));
			break;
		}
	}
	PQclear(result);
	return outcome;
}

/* Frames ------------------------------------------------------------------------ */

static void
release_large(struct strbuf *bytes)
{
	if (bytes->size > ALONE_MAX)
		strbuf_free(bytes);
}

/* send: conn_send(), or conn_queue() for what is a transaction of its own */
static enum elvis_result
put_out(struct postgres *p, const struct frame *frame,
	bool (*send)(struct conn *, const char *, const struct params *, struct err *))
{
	struct params params = PARAMS_NONE;
	struct err err = ERR_INIT;
	bool done;

	strbuf_reset(&p->bytes);
	if (!put_frame(&p->bytes, frame)) {
		p->host->fail(p->host, "a change is larger than 1 GB");
		return ELVIS_SINK_STOPPED;
	}
	params_bytes(&params, p->bytes.data, p->bytes.length);
	done = send(p->conn, "SELECT state, changes, conflict FROM elvis.apply($1)", &params, &err);
	release_large(&p->bytes);
	return done ? ELVIS_SINK_OK : failed(p, &err);
}

/* In the explicit transaction */
static enum elvis_result
send_frame(struct postgres *p, const struct frame *frame)
{
	enum elvis_result result = put_out(p, frame, conn_send);

	p->flying = result == ELVIS_SINK_OK;
	return result;
}

/* The result of the frame that is under way, if one is */
static enum elvis_result
collect(struct postgres *p)
{
	struct err err = ERR_INIT;
	PGresult *result;

	if (!p->flying)
		return ELVIS_SINK_OK;
	p->flying = false;
	if (!conn_collect(p->conn, &result, &err))
		return failed(p, &err);
	return settle(p, result);
}

static enum elvis_result
command(struct postgres *p, const char *sql)
{
	struct err err = ERR_INIT;

	return conn_command(p->conn, sql, &err) ? ELVIS_SINK_OK : failed(p, &err);
}

/* In the explicit transaction, which the first frame begins */
static enum elvis_result
send_records(struct postgres *p, const struct transaction *t, struct elvis_bytes records)
{
	struct frame frame = { .records = records };
	enum elvis_result result = collect(p);

	if (result == ELVIS_SINK_OK && !p->began) {
		frame.flags = ELVIS_FRAME_FIRST;
		frame.expected = t->expected;
		result = command(p, "BEGIN");
		p->began = result == ELVIS_SINK_OK;
	}
	return result == ELVIS_SINK_OK ? send_frame(p, &frame) : result;
}

static struct elvis_bytes
held_bytes(const struct transaction *t)
{
	const uint8_t *at = (const uint8_t *) t->records.data;

	return (struct elvis_bytes){ at, at + t->records.length };
}

static enum elvis_result
send_held(struct postgres *p, struct transaction *t)
{
	enum elvis_result result = send_records(p, t, held_bytes(t));

	strbuf_reset(&t->records);
	return result;
}

static enum elvis_result
commit_explicit(struct postgres *p, struct transaction *t)
{
	struct frame last = { .flags = ELVIS_FRAME_LAST, .next = t->next, .at = t->at };
	enum elvis_result result = p->began && t->records.length == 0 ? ELVIS_SINK_OK :
		send_held(p, t);

	if (result == ELVIS_SINK_OK)
		result = collect(p);
	if (result == ELVIS_SINK_OK)
		result = send_frame(p, &last);
	if (result == ELVIS_SINK_OK)
		result = collect(p);
	if (result == ELVIS_SINK_OK)
		result = command(p, "COMMIT");
	if (result == ELVIS_SINK_OK)
		p->began = false;
	return result;
}

/* One statement that is its own transaction.  Its records are kept until its result is known. */
static enum elvis_result
send_alone(struct postgres *p)
{
	const struct transaction *t = writing(p);
	struct frame frame = {
		.flags = ELVIS_FRAME_FIRST | ELVIS_FRAME_LAST | ELVIS_FRAME_ALONE |
			(p->n_sent > 0 ? ELVIS_FRAME_BEHIND : 0),
		.expected = t->expected, .next = t->next, .at = t->at,
		.records = held_bytes(t),
	};
	enum elvis_result result = put_out(p, &frame, conn_queue);

	if (result == ELVIS_SINK_OK)
		p->n_sent++;
	return result;
}

/* What a large one took is given back. */
static void
forget_oldest(struct postgres *p)
{
	release_large(&p->ring[p->oldest].records);
	p->oldest = (p->oldest + 1) % ARRAY_LEN(p->ring);
	p->n_sent--;
}

/* What was sent behind one that failed expects a position that is not there, and fails too; unless
 * another daemon has brought the link there meanwhile. */
static enum elvis_result
see_others_fail(struct postgres *p)
{
	for (size_t i = 1; i < p->n_sent; i++) {
		struct err err = ERR_INIT;

		if (conn_collect(p->conn, NULL, &err)) {
			p->host->fail(p->host, "somebody else works for the link");
			return ELVIS_SINK_RETRY;
		}
		if (!conn_alive(p->conn))
			return failed(p, &err);
	}
	return ELVIS_SINK_OK;
}

/* The oldest met what could not be settled, and has left nothing behind.  All of them go once
 * more, one after the other, in explicit transactions. */
static enum elvis_result
send_again(struct postgres *p)
{
	enum elvis_result result = see_others_fail(p);

	while (result == ELVIS_SINK_OK && p->n_sent > 0) {
		result = commit_explicit(p, &p->ring[p->oldest]);
		forget_oldest(p);
	}
	p->wary = WARY;
	return result;
}

/* Sees transactions that went as one statement become whole, until no more than `left` are under
 * way. */
static enum elvis_result
finish(struct postgres *p, size_t left)
{
	enum elvis_result outcome = ELVIS_SINK_OK;

	while (outcome == ELVIS_SINK_OK && p->n_sent > left) {
		struct err err = ERR_INIT;
		PGresult *result;

		if (conn_collect(p->conn, &result, &err)) {
			outcome = settle(p, result);
			forget_oldest(p);
		} else if (strcmp(conn_sqlstate(p->conn), SQLSTATE_MUST_ASK) == 0) {
			outcome = send_again(p);
		} else {
			outcome = failed(p, &err);
		}
	}
	return outcome;
}

/* The calls of <elvis/sink.h> ----------------------------------------------------- */

static void
postgres_close(void *state)
{
	struct postgres *p = state;

	conn_close(p->conn);
	hash_free(p->tables);
	arena_free(p->arena);
	arena_free(p->question);
	strbuf_free(&p->bytes);
	for (size_t i = 0; i < ARRAY_LEN(p->ring); i++)
		strbuf_free(&p->ring[i].records);
	free(p);
}

/* The database is the node the link leads to, and no copy of it; stored bytes fit when both ends
 * say that they do. */
static bool
meet_target(struct postgres *p, struct err *err)
{
	AUTO_RESULT PGresult *result = NULL;
	const struct elvis_link *link = p->link;

	if (!conn_run(p->conn, "SELECT id, name, genuine, detail, elvis.signature() "
		      "FROM elvis.node_state()", NULL, &result, err))
		return false;
	if (PQntuples(result) != 1 || !result_bool(result, 0, 2))
		return err_set(err, ERR_REFUSED, "%s", PQntuples(result) == 1 ?
			       result_text(result, 0, 3) : "this database is not a node");
	if (link->target != 0 && link->target != (uint32_t) result_i32(result, 0, 0))
		return err_set(err, ERR_CONFIG, "the database is node %d (%s), the link leads to "
			       "node %u", result_i32(result, 0, 0), result_text(result, 0, 1),
			       link->target);
	p->form = strcmp(result_text(result, 0, 4), link->source_signature) == 0 ?
		ELVIS_FORM_STORED : ELVIS_FORM_BINARY;
	return true;
}

static enum elvis_result
postgres_open(const struct elvis_host *host, const struct elvis_link *link,
	      const struct elvis_settings *settings, void **state)
{
	struct postgres *p = mem_zalloc(sizeof(*p));
	struct err err = ERR_INIT;
	char application[64];
	struct conn_options conn_options = {
		.conninfo = elvis_setting(settings, OPT_CONNINFO)->string,
		/* only what is flushed is confirmed, so no commit need wait for it */
		.synchronous_commit = "off",
		.application = application,
		.stop_fd = link->stop_fd,
	};
	enum elvis_result result = ELVIS_SINK_OK;

	snprintf(application, sizeof(application), "elvisd %s", link->name);
	p->host = host;
	p->link = link;
	p->tables = hash_new();
	p->arena = arena_new();
	p->question = arena_new();
	strbuf_init(&p->bytes, FRAME_MAX);
	for (size_t i = 0; i < ARRAY_LEN(p->ring); i++)
		strbuf_init(&p->ring[i].records, FRAME_MAX);
	if (!conn_open(&p->conn, &conn_options, &err) || !meet_target(p, &err)) {
		result = failed(p, &err);
		postgres_close(p);
		return result;
	}
	*state = p;
	return result;
}

static void
read_position(const PGresult *result, struct elvis_position *position, bool *known)
{
	*known = PQntuples(result) == 1 && result_bool(result, 0, 0);
	*position = (struct elvis_position){ .from_id = 0 };
	if (!*known)
		return;
	position->from_id = result_i64(result, 0, 1);
	position->from_token = result_i64(result, 0, 2);
	position->to_id = result_i64(result, 0, 3);
	position->to_token = result_i64(result, 0, 4);
	position->seq = result_i64(result, 0, 5);
}

static enum elvis_result
postgres_position(void *state, struct elvis_position *position, bool *known)
{
	struct postgres *p = state;
	struct params params = PARAMS_NONE;
	struct err err = ERR_INIT;
	AUTO_RESULT PGresult *result = NULL;

	params_uuid(&params, p->link->uuid);
	params_text(&params, p->link->name);
	params_i32(&params, (int32_t) p->link->source);
	params_i64(&params, p->link->incarnation);
	if (!conn_run(p->conn, "SELECT known, from_id, from_token, to_id, to_token, seq "
		      "FROM elvis.link_open($1, $2, $3, $4)", &params, &result, &err))
		return failed(p, &err);
	read_position(result, position, known);
	return ELVIS_SINK_OK;
}

/* Nothing known yet is position zero: there is nothing to confirm. */
static enum elvis_result
postgres_durable(void *state, struct elvis_position *position, bool *known)
{
	struct postgres *p = state;
	struct params params = PARAMS_NONE;
	struct err err = ERR_INIT;
	AUTO_RESULT PGresult *result = NULL;
	enum elvis_result finished = finish(p, 0);

	if (finished != ELVIS_SINK_OK)
		return finished;
	params_uuid(&params, p->link->uuid);
	if (!conn_run(p->conn, "SELECT known, from_id, from_token, to_id, to_token, seq "
		      "FROM elvis.durable_position($1)", &params, &result, &err))
		return failed(p, &err);
	read_position(result, position, known);
	*known = true;
	return ELVIS_SINK_OK;
}

static enum elvis_result
postgres_table(void *state, const struct elvis_table *table, const struct elvis_rules *rules)
{
	struct postgres *p = state;
	struct told *told = hash_get_u64(p->tables, table->version);

	if (told == NULL) {
		told = arena_zalloc(p->arena, sizeof(*told));
		hash_put_u64(p->tables, table->version, told);
	}
	told->table = table;
	told->rules = rules;
	return ELVIS_SINK_OK;
}

static enum elvis_result
postgres_begin(void *state, const struct elvis_position *position)
{
	struct postgres *p = state;

	writing(p)->expected = *position;
	strbuf_reset(&writing(p)->records);
	return ELVIS_SINK_OK;
}

static size_t
alone_max(const struct postgres *p)
{
	size_t n = hash_count(p->tables);

	if (n <= ALONE_MAX / ALONE_A_TABLE)
		return ALONE_MAX;
	return n < ALONE_MOST / ALONE_A_TABLE ? n * ALONE_A_TABLE : ALONE_MOST;
}

static enum elvis_result
postgres_write(void *state, const struct elvis_piece *piece)
{
	struct postgres *p = state;
	struct transaction *t = writing(p);
	const uint8_t *at = piece->records;
	struct elvis_bytes records = { at, at + piece->length };
	enum elvis_result result;

	if (!p->began && t->records.length + piece->length <= alone_max(p)) {
		strbuf_add(&t->records, piece->records, piece->length);
		return ELVIS_SINK_OK;
	}
	result = finish(p, 0);
	if (result == ELVIS_SINK_OK && t->records.length > 0)
		result = send_held(p, t);
	return result == ELVIS_SINK_OK ? send_records(p, t, records) : result;
}

static enum elvis_result
postgres_commit(void *state, const struct elvis_position *next, int64_t at)
{
	struct postgres *p = state;
	struct transaction *t = writing(p);
	bool behind = !p->began && p->wary == 0 && t->records.length <= ALONE_MAX;
	enum elvis_result result = finish(p, behind ? AHEAD - 1 : 0);

	t->next = *next;
	t->at = at;
	if (result != ELVIS_SINK_OK)
		return result;
	if (!p->began && p->wary == 0)
		return send_alone(p);
	if (p->wary > 0)
		p->wary--;
	return commit_explicit(p, t);
}

static enum elvis_result
postgres_settle(void *state)
{
	return finish(state, 0);
}

/* With a statement still under way there is no way to say ROLLBACK: the session ends instead, and
 * the next call finds it lost. */
static void
postgres_rollback(void *state)
{
	struct postgres *p = state;
	struct err err = ERR_INIT;

	strbuf_reset(&writing(p)->records);
	if (p->began && !p->flying && conn_alive(p->conn) && !conn_busy(p->conn))
		(void) !conn_command(p->conn, "ROLLBACK", &err);
	p->began = false;
}

static uint32_t
postgres_form(void *state)
{
	return ((struct postgres *) state)->form;
}

ELVIS_SINK("postgres",
	.version = "1.0",
	.summary = "another database with elvis, each batch one transaction with its position",
	.options = options,
	.format = ELVIS_SINK_RECORDS,
	.flags = ELVIS_SINK_KEEPS_POSITION | ELVIS_SINK_MEETS_CONFLICTS,
	.open = postgres_open,
	.position = postgres_position,
	.table = postgres_table,
	.begin = postgres_begin,
	.write = postgres_write,
	.commit = postgres_commit,
	.rollback = postgres_rollback,
	.durable = postgres_durable,
	.close = postgres_close,
	.form = postgres_form,
	.settle = postgres_settle);
