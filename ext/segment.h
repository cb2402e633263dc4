/*
 * segment.h - the log's segments: where chunks are written and found.
 *
 * A writer may write into the segment that is current while it holds the segment's lock,
 * which it keeps to the end of its transaction; so whoever gets a conflicting lock on a
 * segment that is not current any more knows that nobody who wrote into it still runs.
 */
#ifndef ELVIS_EXT_SEGMENT_H
#define ELVIS_EXT_SEGMENT_H

#include "access/htup_details.h"
#include "access/transam.h"
#include "nodes/pg_list.h"
#include "utils/rel.h"

enum segment_log_column {
	SEGMENT_LOG_XID = 1,
	SEGMENT_LOG_SEQ,
	SEGMENT_LOG_BODY,
	SEGMENT_LOG_COLUMNS = SEGMENT_LOG_BODY
};

#define SEGMENT_INDEXES 8	/* one, and those that are to replace it */

/* The current segment, open for writing. */
struct segment_target {
	Relation log;
	Relation indexes[SEGMENT_INDEXES];
	int n_indexes;
};

void segment_init(void);

/* The number for the chunk that is sealed next. */
int64 segment_next_seq(void);

void segment_open(struct segment_target *target);

/*
 * A chunk is gathered behind the room for the rest of its row, so that nothing has to be
 * copied: `row` is SEGMENT_ROW_HEAD bytes of anything, then the body as a varlena with a
 * four-byte header, both together `length` bytes.
 */
#define SEGMENT_ROW_HEAD (MAXALIGN(SizeofHeapTupleHeader) + 2 * sizeof(int64))

void segment_write(struct segment_target *target, int64 seq, char *row, size_t length);
void segment_close(struct segment_target *target);

/* A segment as elvis.segment describes it. */
struct segment {
	int32 n;
	Oid log;		/* InvalidOid: dropped */
	Oid index;
	Oid snapshots;
	Oid snapshots_pkey;
	uint64 lo, hi;		/* range of transaction ids, hi excluded; as wide as may be */
	int64 quiet_at;		/* 0: not quiet yet */
};

/* All segments, oldest first, in the current memory context. */
List *segment_list(void);

/* Is there a chunk of a transaction lo <= xid < hi, committed by now? */
bool segment_has_chunk(uint64 lo, uint64 hi);

/* Number of the segment that is written now. */
int32 segment_current(void);

/* The table elvis.snapshot_<n> and its key's index; false when they are not there. */
bool segment_snapshots(int32 n, Oid *snapshots, Oid *pkey);

#endif
