/*
 * What the files of the sink postgres share: a session with the target and its transactions.
 */
#ifndef SINKS_POSTGRES_PARTS_H
#define SINKS_POSTGRES_PARTS_H

#include <elvis/sink.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/strbuf.h"
#include "model/frame.h"
#include "pg/conn.h"

/* So many transactions that need no answer are under way at most: the target works at one and has
 * another at hand.  More would only take memory. */
#define AHEAD 2

/* A bytea is at most 1 GB */
#define FRAME_MAX ((size_t) 1 << 30)

/* What the engine told of a version of a table */
struct told {
	const struct elvis_table *table;
	const struct elvis_rules *rules;
};

struct transaction {
	struct elvis_position expected, next;
	int64_t at;
	struct strbuf records;	/* frame_gather(): of what is being written, those not sent yet */
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
	size_t oldest;		/* in the ring: those sent without waiting, their results not */
	size_t n_sent;		/* collected, and behind them the one from begin to commit */
	bool began;		/* BEGIN was sent, and the frame that is FIRST */
	bool flying;		/* a frame was sent in it and its result not collected */
	int wary;		/* so many more are not to go without waiting */
};

/* Tells the engine what went wrong; what that means for the link. */
enum elvis_result postgres_failed(struct postgres *p, const struct err *err);

/* Conflicts (conflict.c) -------------------------------------------------------- */

/*
 * What elvis.apply() told, which is consumed: asks and answers until the walk is done, or cannot
 * be.
 */
enum elvis_result conflict_settle(struct postgres *p, PGresult *result);

/* Target transactions (transaction.c) ------------------------------------------- */

/* The one from begin to commit */
struct transaction *transaction_writing(struct postgres *p);

/* Nothing is held back for it any more; what a large one took is given back. */
void transaction_empty(struct transaction *t);

/* Is it to hold back so many bytes more, to go when it ends?  Otherwise they are sent. */
bool transaction_holds(const struct postgres *p, const struct transaction *t, size_t more);
enum elvis_result transaction_send(struct postgres *p, struct transaction *t,
				   struct elvis_bytes records);

/* Ends it, and waits for the result later, if that can be. */
enum elvis_result transaction_commit(struct postgres *p, struct transaction *t);

/* Sees all that were sent become whole. */
enum elvis_result transaction_finish(struct postgres *p);

#endif
