/*
 * What a source's snapshotter and the links that read from it tell each other.
 *
 * The snapshotter, which alone talks to the source about anything but reading, says which
 * snapshot is the newest and what the source has recorded of each link; a link says how far it
 * is durable and that it must be stopped.  So a link never waits for the source unless it reads.
 *
 * Any thread.  Slots belong to one link each.
 */
#ifndef ENGINE_MAILBOX_H
#define ENGINE_MAILBOX_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/uuid.h"
#include "model/position.h"
#include "model/subscriber.h"

struct mailbox;
struct slot;

FRESH struct mailbox *mailbox_new(void);
void mailbox_free(struct mailbox *mailbox); /* after every slot; NULL is fine */

/* A link's slot, from here to there */
FRESH struct slot *mailbox_join(struct mailbox *mailbox, const char *uuid);
void mailbox_leave(struct slot *slot);

/* The snapshotter's side ---------------------------------------------------------- */

/* Also after each new connection: it may be another server that answers there, so every link looks
 * anew whether it can go on. */
void mailbox_facts(struct mailbox *mailbox, const struct source_facts *facts);
void mailbox_snapshot(struct mailbox *mailbox, const struct snapshot *snapshot);

/* Does a running link stand at the newest snapshot, or go there, so that what comes after it is
 * wanted at once?  *form: in which form the first of them reads. */
MUST_USE bool mailbox_eager(struct mailbox *mailbox, int *form);

/* All that the source has recorded, at one moment; links not among them are absent. */
void mailbox_subscribers(struct mailbox *mailbox, const struct subscriber *subscribers,
			 size_t n);

/* What a link wants recorded: at most one of both kinds at a time */
struct request {
	struct slot *slot;
	char uuid[UUID_TEXT_SIZE];
	bool stop;		/* state stopped, with `reason` */
	char reason[REASON_MAX];
	bool confirm;
	struct elvis_position position;
};

/* The next link that wants something after `after` (NULL: the first); false: no more. */
MUST_USE bool mailbox_request(struct mailbox *mailbox, const struct slot *after,
			      struct request *request);

/* It is recorded.  What the link has said meanwhile stays to be asked for. */
void mailbox_recorded(struct mailbox *mailbox, const struct request *request);

/* A link's side ------------------------------------------------------------------- */

struct news {
	enum link_state state;
	char reason[REASON_MAX];
	struct snapshot newest;	/* id 0: none yet */
	struct source_facts facts;
	bool confirmed;
	struct elvis_position position;
	uint64_t turn;		/* goes up with every change of state */
};

/* What is known now */
void mailbox_news(struct slot *slot, struct news *news);

/*
 * Sleeps until there is a snapshot newer than `known`, the state is not what it was at `turn`,
 * mailbox_ring() rings, or `timeout_ms` have passed (-1: for good).
 */
void mailbox_wait(struct slot *slot, int64_t known, uint64_t turn, int timeout_ms);

/* Wakes this link, once, now or when it next waits. */
void mailbox_ring(struct slot *slot);

/*
 * Where this link's next batch, from the snapshot `from`, is to end: at the nearest place ahead
 * where another link stands or is going, so that from there on they take the same batches and
 * share what is read; the newest snapshot when there is none.  The link is going there from now
 * on.
 */
struct snapshot mailbox_goal(struct slot *slot, const struct snapshot *from);

/* The form (enum elvis_column_form) in which the link reads from now on */
void mailbox_reads(struct slot *slot, int form);

/* The link goes from the one, where it stands, to the other. */
void mailbox_go(struct slot *slot, const struct snapshot *from, const struct snapshot *to);

void mailbox_confirm(struct slot *slot, const struct elvis_position *position);

/* The link is stopped from now on, here and, as soon as it can be said there, at the source. */
void mailbox_stop(struct slot *slot, const char *reason);

/* That is still to be said at the source. */
MUST_USE bool mailbox_stop_pending(struct slot *slot);

#endif
