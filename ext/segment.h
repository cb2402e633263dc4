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

/*
 * A chunk is gathered behind the room for the rest of its first row, so that this need
 * not be copied.  One that is longer than a row goes on in others, by which it is read
 * and written much faster than by the table's TOAST: four times as long as its pieces,
 * and with one index entry, not two.
 */
#define SEGMENT_HEAD (MAXALIGN(SizeofHeapTupleHeader) + 2 * sizeof(int64) + VARHDRSZ + 2)
#define SEGMENT_ROW_BYTES 8088	/* of a chunk; with the head they fill a page */

/* The rows that a chunk takes which is `length` bytes long, with its head. */
static inline uint32
segment_rows(size_t length)
{
	size_t bytes = length - SEGMENT_HEAD;

	return bytes == 0 ? 1 : (bytes + SEGMENT_ROW_BYTES - 1) / SEGMENT_ROW_BYTES;
}

/* The first of as many numbers for the chunk that is sealed next: one for each row. */
int64 segment_next_seq(uint32 rows);

void segment_open(struct segment_target *target);

/* `chunk` is SEGMENT_HEAD bytes of anything, then records, together `length` bytes. */
void segment_write(struct segment_target *target, int64 seq, char *chunk, size_t length,
		   uint8 flags);
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
