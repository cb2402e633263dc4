/*
 * transaction.c - target transactions: held back, sent, seen to become whole.
 *
 * What can be held back goes as one statement that is its own transaction, or as a few that are one
 * together; what cannot, and what meets a conflict that has to be asked about, goes in an explicit
 * one.  Of the former several are under way, so that the target has the next one when it is done
 * with one; a piece of the latter is sent when the result of the one before it is there.  Meanwhile
 * the daemon reads on.
 */
#include "parts.h"

#include <string.h>

#include "base/attr.h"
#include "pg/query.h"
#include "pg/sqlstate.h"

/* Up to this many bytes are held back, for a transaction that needs no answer: what is cut while
 * catching up, with a source transaction at its end that is not small */
#define ALONE_MAX ((size_t) 1 << 20)

/* More, where there are many tables: what is cut is larger then, so that the rows of one table are
 * inserted together, and rows in different statements are not */
#define ALONE_A_TABLE ((size_t) 32 << 10)
#define ALONE_MOST ((size_t) 9 << 20)

/* Of more than ALONE_MAX so much is sent at a time: libpq and the server keep no buffer for all of
 * it, and what it is copied to and from stays near the processor */
#define PART_BYTES ((size_t) 256 << 10)

/* After one that had to ask, so many more are not tried without waiting */
#define WARY 8

struct transaction *
transaction_writing(struct postgres *p)
{
	return &p->ring[(p->oldest + p->n_sent) % ARRAY_LEN(p->ring)];
}

static size_t
alone_max(const struct postgres *p)
{
	size_t n = hash_count(p->tables);

	if (n <= ALONE_MAX / ALONE_A_TABLE)
		return ALONE_MAX;
	return n < ALONE_MOST / ALONE_A_TABLE ? n * ALONE_A_TABLE : ALONE_MOST;
}

bool
transaction_holds(const struct postgres *p, const struct transaction *t, size_t more)
{
	return !p->began && frame_length(&t->records) + more <= alone_max(p);
}

static void
release_large(struct strbuf *bytes)
{
	if (bytes->size > ALONE_MAX)
		strbuf_free(bytes);
}

void
transaction_empty(struct transaction *t)
{
	release_large(&t->records);
	frame_gather(&t->records);
}

#define APPLY "SELECT state, changes, conflict FROM elvis.apply($1)"

static void
params_frame(struct params *params, struct strbuf *gathered, const struct frame *frame)
{
	struct elvis_bytes bytes = frame_around(gathered, frame);

	params_bytes(params, bytes.at, (size_t) (bytes.end - bytes.at));
}

/* In the explicit transaction: the frame around what was gathered */
static enum elvis_result
send_frame(struct postgres *p, struct strbuf *gathered, const struct frame *frame)
{
	struct params params = PARAMS_NONE;
	struct err err = ERR_INIT;

	params_frame(&params, gathered, frame);
	p->flying = conn_send(p->conn, APPLY, &params, &err);
	return p->flying ? ELVIS_SINK_OK : postgres_failed(p, &err);
}

/* Behind others, of which no result is known */
static enum elvis_result
queue_frame(struct postgres *p, struct strbuf *gathered, const struct frame *frame)
{
	struct params params = PARAMS_NONE;
	bool more = (frame->flags & ELVIS_FRAME_MORE) != 0;
	struct err err = ERR_INIT;

	params_frame(&params, gathered, frame);
	return conn_queue(p->conn, APPLY, &params, more, &err) ? ELVIS_SINK_OK :
		postgres_failed(p, &err);
}

/* The next part of what is held back, in p->bytes; ELVIS_FRAME_MORE unless it is the last */
static uint8_t
take_part(struct postgres *p, struct elvis_bytes *held)
{
	size_t left = (size_t) (held->end - held->at), part = left < PART_BYTES ? left : PART_BYTES;

	frame_gather(&p->bytes);
	strbuf_add(&p->bytes, held->at, part);
	held->at += part;
	return part < left ? ELVIS_FRAME_MORE : 0;
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
		return postgres_failed(p, &err);
	return conflict_settle(p, result);
}

static enum elvis_result
command(struct postgres *p, const char *sql)
{
	struct err err = ERR_INIT;

	return conn_command(p->conn, sql, &err) ? ELVIS_SINK_OK : postgres_failed(p, &err);
}

/* The next frame may be sent in the explicit transaction; the first begins it, and says so. */
static enum elvis_result
begin_frame(struct postgres *p, const struct transaction *t, struct frame *frame)
{
	enum elvis_result result = collect(p);

	*frame = (struct frame){ .flags = 0 };
	if (result == ELVIS_SINK_OK && !p->began) {
		frame->flags = ELVIS_FRAME_FIRST;
		frame->expected = t->expected;
		result = command(p, "BEGIN");
		p->began = result == ELVIS_SINK_OK;
	}
	return result;
}

static enum elvis_result
send_held(struct postgres *p, struct transaction *t)
{
	struct elvis_bytes held = frame_records(&t->records);
	enum elvis_result result;
	struct frame frame;

	do {
		result = begin_frame(p, t, &frame);
		frame.flags |= take_part(p, &held);
		if (result == ELVIS_SINK_OK)
			result = send_frame(p, &p->bytes, &frame);
	} while (result == ELVIS_SINK_OK && held.at < held.end);
	transaction_empty(t);
	return result;
}

/* Those that are not held back; what is under way is collected first, it may need `bytes`. */
static enum elvis_result
send_records(struct postgres *p, const struct transaction *t, struct elvis_bytes records)
{
	struct frame frame;
	enum elvis_result result = begin_frame(p, t, &frame);

	if (result != ELVIS_SINK_OK)
		return result;
	frame_gather(&p->bytes);
	if (!strbuf_add(&p->bytes, records.at, (size_t) (records.end - records.at))) {
		p->host->fail(p->host, "a change is larger than 1 GB");
		return ELVIS_SINK_STOPPED;
	}
	result = send_frame(p, &p->bytes, &frame);
	release_large(&p->bytes);
	return result;
}

static enum elvis_result
commit_explicit(struct postgres *p, struct transaction *t)
{
	struct frame last = { .flags = ELVIS_FRAME_LAST, .next = t->next, .at = t->at };
	enum elvis_result result = p->began && frame_length(&t->records) == 0 ? ELVIS_SINK_OK :
		send_held(p, t);

	if (result == ELVIS_SINK_OK)
		result = collect(p);
	if (result == ELVIS_SINK_OK) {
		frame_gather(&p->bytes);
		result = send_frame(p, &p->bytes, &last);
	}
	if (result == ELVIS_SINK_OK)
		result = collect(p);
	if (result == ELVIS_SINK_OK)
		result = command(p, "COMMIT");
	if (result == ELVIS_SINK_OK)
		p->began = false;
	return result;
}

static enum elvis_result
queue_parts(struct postgres *p, struct transaction *t, struct frame *frame)
{
	struct elvis_bytes held = frame_records(&t->records);
	enum elvis_result result;
	uint8_t more;

	do {
		more = take_part(p, &held);
		frame->flags |= more != 0 ? more : ELVIS_FRAME_LAST;
		result = queue_frame(p, &p->bytes, frame);
		frame->flags = ELVIS_FRAME_ALONE;
	} while (result == ELVIS_SINK_OK && more != 0);
	return result;
}

/* What needs no answer on its way.  Its records are kept until its result is known. */
static enum elvis_result
send_alone(struct postgres *p)
{
	struct transaction *t = transaction_writing(p);
	struct frame frame = {
		.flags = ELVIS_FRAME_FIRST | ELVIS_FRAME_ALONE |
			(p->n_sent > 0 ? ELVIS_FRAME_BEHIND : 0),
		.expected = t->expected, .next = t->next, .at = t->at,
	};
	enum elvis_result result;

	if (frame_length(&t->records) > ALONE_MAX) {
		result = queue_parts(p, t, &frame);
	} else {
		frame.flags |= ELVIS_FRAME_LAST;
		result = queue_frame(p, &t->records, &frame);
	}
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
expect_failures(struct postgres *p)
{
	for (size_t i = 1; i < p->n_sent; i++) {
		struct err err = ERR_INIT;

		if (conn_collect(p->conn, NULL, &err)) {
			p->host->fail(p->host, "somebody else works for the link");
			return ELVIS_SINK_RETRY;
		}
		if (!conn_alive(p->conn))
			return postgres_failed(p, &err);
	}
	return ELVIS_SINK_OK;
}

/* The oldest met what could not be settled, and has left nothing behind.  All of them go once
 * more, one after the other, in explicit transactions. */
static enum elvis_result
send_again(struct postgres *p)
{
	enum elvis_result result = expect_failures(p);

	while (result == ELVIS_SINK_OK && p->n_sent > 0) {
		result = commit_explicit(p, &p->ring[p->oldest]);
		forget_oldest(p);
	}
	p->wary = WARY;
	return result;
}

/* Sees transactions that were sent become whole, until no more than `left` are under way. */
static enum elvis_result
finish(struct postgres *p, size_t left)
{
	enum elvis_result outcome = ELVIS_SINK_OK;

	while (outcome == ELVIS_SINK_OK && p->n_sent > left) {
		struct err err = ERR_INIT;
		PGresult *result;

		if (conn_collect(p->conn, &result, &err)) {
			outcome = conflict_settle(p, result);
			forget_oldest(p);
		} else if (strcmp(conn_sqlstate(p->conn), SQLSTATE_MUST_ASK) == 0) {
			outcome = send_again(p);
		} else {
			outcome = postgres_failed(p, &err);
		}
	}
	return outcome;
}

enum elvis_result
transaction_finish(struct postgres *p)
{
	return finish(p, 0);
}

enum elvis_result
transaction_send(struct postgres *p, struct transaction *t, struct elvis_bytes records)
{
	enum elvis_result result = finish(p, 0);

	if (result == ELVIS_SINK_OK && frame_length(&t->records) > 0)
		result = send_held(p, t);
	return result == ELVIS_SINK_OK ? send_records(p, t, records) : result;
}

enum elvis_result
transaction_commit(struct postgres *p, struct transaction *t)
{
	bool large = frame_length(&t->records) > ALONE_MAX;
	enum elvis_result result = finish(p, p->began || p->wary > 0 ? 0 : AHEAD - 1);

	if (result != ELVIS_SINK_OK)
		return result;
	if (!p->began && p->wary == 0) {
		result = send_alone(p);
		/* of large ones no more are kept: the target has come to this one */
		return result == ELVIS_SINK_OK && large ? finish(p, AHEAD - 1) : result;
	}
	if (p->wary > 0)
		p->wary--;
	return commit_explicit(p, t);
}
