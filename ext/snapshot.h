/*
 * snapshot.h - the recorded snapshots that cut the stream into batches.
 */
#ifndef ELVIS_EXT_SNAPSHOT_H
#define ELVIS_EXT_SNAPSHOT_H

#include "access/transam.h"
#include "datatype/timestamp.h"

/* A pg_snapshot as it is stored: sorted, top-level transactions only. */
struct snapshot_image {
	int32 header;		/* of a varlena */
	uint32 n_running;
	uint64 xmin;		/* all older ones have ended */
	uint64 xmax;		/* it and all newer ones have not begun */
	uint64 running[FLEXIBLE_ARRAY_MEMBER];
};

struct snapshot_row {
	int64 id;
	int64 token;
	TimestampTz at;
	int64 sealed;		/* last seq given out before it was taken */
	struct snapshot_image *image;
};

void snapshot_init(void);

/* Had the transaction ended when the snapshot was taken? */
bool snapshot_sees(const struct snapshot_image *image, uint64 xid);

/*
 * The recorded snapshot of that id, in the current memory context; false when there is
 * none (any more).
 */
bool snapshot_find(int64 id, struct snapshot_row *row);

/* The newest one; false when none has been taken yet. */
bool snapshot_newest(struct snapshot_row *row);

/*
 * Excludes other snapshotters and the upkeep until the end of the transaction: ids,
 * snapshots and the fate of segments then cannot contradict each other.
 */
void snapshot_lock(void);

/* The present state of running transactions, in the current memory context. */
struct snapshot_image *snapshot_now(void);

#endif
