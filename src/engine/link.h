/*
 * A link: takes batches from its source, lets through what is its own, writes that to its sink
 * together with the position, and confirms to the source what is durable there.
 *
 * Whatever fails, the position says where to go on: nothing is lost, and what a sink keeps
 * together with its position is not done twice.  What time may heal is tried again for ever; what
 * it may not stops the link, with the reason recorded at the source, until somebody resumes it.
 *
 * link_run() is the link's thread; link_finish() may be called by any other.
 */
#ifndef ENGINE_LINK_H
#define ENGINE_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include <elvis/sink.h>

#include "base/attr.h"
#include "engine/cache.h"
#include "engine/ends.h"
#include "engine/mailbox.h"
#include "model/source.h"

struct link;

struct node_priority {
	uint32_t node;
	int32_t priority;
};

/* Strings and arrays live as long as the link. */
struct link_settings {
	const char *name, *uuid;
	uint32_t target;	/* number of the node it leads to; 0: not a node */
	bool local_only;	/* carries only what was first written at the source */
	bool by_transaction;	/* a target transaction for each source transaction */
	size_t target_bytes;	/* most changes in a target transaction while catching up */
	size_t spread_bytes;	/* and in one of many tables (model/cut.h); less: the same */
	int confirm_ms;		/* time between two confirmations */
	int retry_ms;		/* longest wait before trying again */
	const struct node_priority *priorities;
	size_t n_priorities;
	int stop_fd;		/* readable: whatever waits is given up */
};

struct link_ends {
	struct link_sink sink;
	struct cache *shared;	/* of the source, with the other links */
	struct source *own;	/* another session with it, for when the link is behind them */
	struct mailbox *mailbox;
	rules_find *rules;
	void *rules_context;
};

/* The settings are copied. */
FRESH struct link *link_new(const struct link_settings *settings);

/* What the link's sink is to be opened with; as long as the link. */
const struct elvis_link *link_face(const struct link *link);

/* Before link_run().  The ends stay the caller's. */
void link_join(struct link *link, const struct link_ends *ends);

/* Works until link_finish(), and leaves the sink closed. */
void link_run(struct link *link);

/* The link is to end at its next boundary between two target transactions. */
void link_finish(struct link *link);

/*
 * Stops the link as if it had met an error, before it has run; link_stop_pending() until the
 * source has recorded it.  Any thread.
 */
void link_stop(struct link *link, const char *reason);
MUST_USE bool link_stop_pending(struct link *link);

/* After link_run() has returned; NULL is fine. */
void link_free(struct link *link);

#endif
