/*
 * collect.h - where the rows of a batch are, in the order in which they are handed out.
 */
#ifndef ELVIS_EXT_COLLECT_H
#define ELVIS_EXT_COLLECT_H

#include "storage/itemptr.h"

#include "segment.h"
#include "snapshot.h"

#define SEGMENTS_MAX 32767

/* One row of the log. */
struct row_place {
	int64 seq;
	ItemPointerData tid;
	uint16 segment : 15;	/* number in the collection's list */
	uint16 more : 1;	/* its chunk goes on in the next row */
};

/* One transaction: `count` rows from `first` on, in the order of their seq. */
struct transaction {
	uint64 xid;
	int64 last;		/* seq of its last row */
	uint32 first;
	uint32 count;
};

/*
 * The transactions of a batch whose last seq lies above `after` and below `cut`, in the
 * order of their last seq: whoever depends on a transaction has sealed its last chunk
 * after that one committed.
 */
struct collection {
	MemoryContext context;	/* it lives in */
	int n_segments;
	struct segment *segments;
	int64 after;
	int64 cut;		/* PG_INT64_MAX: there is nothing more behind it */
	size_t n_rows, room_rows;
	struct row_place *rows;
	size_t n_transactions, room_transactions;
	struct transaction *transactions;
};

/*
 * A run of a batch's transaction ids, and between which numbers their transactions' last
 * ones lie. Ids and numbers rise together but for transactions that were open for long,
 * so that a part of a large batch is found in few blocks.
 */
struct block {
	uint64 lo, hi;		/* hi excluded */
	int64 min_last, max_last;
};

/* All of a batch, in blocks.  True for ever, wherever its rows are moved to. */
struct outline {
	MemoryContext context;	/* it lives in */
	bool complete;		/* the batch has been walked to its end */
	size_t n, room;
	struct block *blocks;
};

struct outline *outline_new(MemoryContext parent);

/*
 * Collects the transactions of (from, to] behind `after`, from the beginning as many as
 * fit the setting elvis.read_memory; at least one if there is one.  Made in a context of
 * its own below `parent`.  The first time for a batch everything is walked and its
 * outline completed; later the outline says where to look.
 */
struct collection *collect(const struct snapshot_image *from, const struct snapshot_image *to,
			   int64 after, struct outline *outline, MemoryContext parent);

#endif
