/*
 * pending.h - what this transaction has captured and not written yet.
 *
 * Records are gathered in stretches, each owned by one subtransaction.  A stretch becomes
 * a chunk when it is sealed: it gets its seq, and order by seq is the order of capture.
 * Chunks are written when they are full and when the transaction is about to commit or to
 * be prepared.
 */
#ifndef ELVIS_EXT_PENDING_H
#define ELVIS_EXT_PENDING_H

#include "datatype/timestamp.h"

/* Where a change comes from. */
struct context {
	uint32 origin;	/* node that made it first */
	uint32 via;	/* neighbour that handed it over; 0: made here */
	uint64 xid;	/* at its origin; 0: our own */
	int64 at;	/* us since 1970, when it was captured first, or: */
};

#define CONTEXT_NOW INT64_MIN	/* here and now; may become up to 10 ms earlier */

void pending_init(void);

/*
 * Adds a record.  `disordered`: the reader must put this transaction right before it
 * hands it out.
 */
void pending_add(const struct context *context, uint8 tag, const char *payload, size_t length,
		 bool disordered);

/*
 * The payload of the record added last in this subtransaction, when it has this tag and
 * nothing has been captured since; NULL otherwise.
 */
const char *pending_last(uint8 tag, size_t *length);

/* Takes the record back that pending_last() has shown. */
void pending_take_back(void);

#endif
