/*
 * A source node, as the daemon talks to it.
 *
 * There are two kinds of sessions: those that read its log (struct source of model/source.h, made
 * here), and the one that takes its snapshots and keeps its books, for which there are the
 * functions below it, on an ordinary struct conn.
 */
#ifndef PG_SOURCE_H
#define PG_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "model/position.h"
#include "model/source.h"
#include "model/subscriber.h"
#include "pg/conn.h"

/*
 * A session that reads, connected when it is first asked; what the options point to is copied.
 * Pieces are about `piece_bytes` long, more when a single change is.
 */
FRESH struct source *source_new(const struct conn_options *options, size_t piece_bytes);
void source_free(struct source *source);	/* NULL is fine */

/* Who it is.  ERR_REFUSED: it is not set up as a node, or the copy of one. */
MUST_USE bool source_facts(struct conn *conn, struct source_facts *facts, struct err *err);

/*
 * Waits until there is a snapshot newer than `known` or one is worth taking, at most
 * `timeout_ms`, and not before the newest is `floor_ms` old.  *newest is the newest there is;
 * *fresh: it is newer than `known`.
 */
MUST_USE bool source_wait(struct conn *conn, int64_t known, int floor_ms, int timeout_ms,
			  struct snapshot *newest, bool *fresh, struct err *err);

/*
 * The same, and when there is a newer one, the first piece of the batch from `known` to it comes
 * along, read in the same statement: what would take a second session another round trip.  The
 * caller releases the piece; when not *fresh there is none.
 */
MUST_USE bool source_wait_read(struct conn *conn, const struct snapshot *known, int floor_ms,
			       int timeout_ms, size_t piece_bytes, int form,
			       struct snapshot *newest, bool *fresh, struct piece *piece,
			       struct err *err);

/* All rows of elvis.subscriber; *list is the caller's to free(). */
MUST_USE bool source_subscribers(struct conn *conn, struct subscriber **list, size_t *n,
				 struct err *err);

/* Records that the link is durable at its target up to there. */
MUST_USE bool source_confirm(struct conn *conn, const char *uuid,
			     const struct elvis_position *position, struct err *err);

/* Records that the link is stopped, and why. */
MUST_USE bool source_stop(struct conn *conn, const char *uuid, const char *reason,
			  struct err *err);

/* Has segments of the log made, switched and dropped as it is time for. */
MUST_USE bool source_upkeep(struct conn *conn, struct err *err);

#endif
