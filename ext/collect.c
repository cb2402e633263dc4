/*
 * collect.c - finding the rows of a batch by the transactions that belong to it.
 *
 * In the batch are the transactions that ran at its beginning and had ended at its end,
 * each looked for by itself, and those that began after its beginning, a range with holes
 * where transactions still ran.  So a transaction that is open for long costs nobody
 * anything until it ends, and old segments are not even opened.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "miscadmin.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include <elvis/record.h>

#include "collect.h"
#include "compat.h"
#include "settings.h"

#define BLOCK_TRANSACTIONS 4096

/* One segment while its index is walked. */
struct source {
	uint16 number;
	const struct segment *segment;
	Relation log;		/* NULL: not opened yet */
	Relation index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
	bool at_end;
	uint64 xid;		/* where it stands */
	int64 seq;
	bool more;
};

struct walk {
	struct collection *found;
	struct outline *outline;
	struct block block;	/* being walked, when the outline is not complete */
	uint32 in_block;	/* transactions in it */
	Snapshot snapshot;
	int n;
	struct source *sources;
	size_t start;		/* first row of the transaction being gathered */
	uint64 xid;		/* that transaction; 0: none */
};

/* ---- gathering ---- */

static size_t
memory_used(const struct collection *found)
{
	return found->n_rows * sizeof(struct row_place) +
	       found->n_transactions * sizeof(struct transaction);
}

static int
by_last(const void *a, const void *b)
{
	int64 x = ((const struct transaction *) a)->last;
	int64 y = ((const struct transaction *) b)->last;

	return x < y ? -1 : x > y;
}

static void
sort(struct collection *found)
{
	qsort(found->transactions, found->n_transactions, sizeof(struct transaction),
	      by_last);
}

static int
by_first(const void *a, const void *b)
{
	uint32 x = ((const struct transaction *) a)->first;
	uint32 y = ((const struct transaction *) b)->first;

	return x < y ? -1 : x > y;
}

/* Too much: keeps the first half of the transactions and remembers where it cut. */
static void
halve(struct collection *found)
{
	size_t keep = found->n_transactions / 2;
	size_t to = 0;

	if (keep == 0)
		return;
	sort(found);
	found->cut = found->transactions[keep].last;
	found->n_transactions = keep;
	qsort(found->transactions, keep, sizeof(struct transaction), by_first);
	for (size_t i = 0; i < keep; i++) {
		struct transaction *kept = &found->transactions[i];

		memmove(&found->rows[to], &found->rows[kept->first],
			kept->count * sizeof(struct row_place));
		kept->first = to;
		to += kept->count;
	}
	found->n_rows = to;
}

static void
end_block(struct walk *walk, uint64 hi)
{
	struct outline *outline = walk->outline;

	if (walk->in_block > 0) {
		if (outline->n == outline->room) {
			outline->room *= 2;
			outline->blocks = repalloc_huge(
				outline->blocks, outline->room * sizeof(struct block));
		}
		walk->block.hi = hi;
		outline->blocks[outline->n++] = walk->block;
	}
	walk->in_block = 0;
	walk->block = (struct block) {.lo = hi, .min_last = PG_INT64_MAX};
}

static void
add_to_block(struct walk *walk, uint64 xid, int64 last)
{
	walk->block.min_last = Min(walk->block.min_last, last);
	walk->block.max_last = Max(walk->block.max_last, last);
	if (++walk->in_block == BLOCK_TRANSACTIONS)
		end_block(walk, xid + 1);
}

/* All rows of the transaction have been seen: it is kept, or forgotten again. */
static void
end_transaction(struct walk *walk)
{
	struct collection *found = walk->found;
	struct transaction *kept;
	int64 last;

	if (walk->xid == 0)
		return;
	last = found->rows[found->n_rows - 1].seq;
	if (!walk->outline->complete)
		add_to_block(walk, walk->xid, last);
	if (last <= found->after || last >= found->cut) {
		found->n_rows = walk->start;
	} else {
		if (found->n_transactions == found->room_transactions) {
			found->room_transactions *= 2;
			found->transactions = repalloc_huge(found->transactions,
				found->room_transactions * sizeof(struct transaction));
		}
		kept = &found->transactions[found->n_transactions++];
		kept->xid = walk->xid;
		kept->last = last;
		kept->first = walk->start;
		kept->count = found->n_rows - walk->start;
		if (memory_used(found) > (size_t) setting_read_memory * 1024)
			halve(found);
	}
	walk->xid = 0;
}

static void
add_row(struct walk *walk, const struct source *source)
{
	struct collection *found = walk->found;
	struct row_place *place;

	if (source->xid != walk->xid) {
		end_transaction(walk);
		walk->xid = source->xid;
		walk->start = found->n_rows;
	}
	if (found->n_rows == found->room_rows) {
		found->room_rows *= 2;
		found->rows = repalloc_huge(
			found->rows, found->room_rows * sizeof(struct row_place));
	}
	place = &found->rows[found->n_rows++];
	place->seq = source->seq;
	place->tid = source->slot->tts_tid;
	place->segment = source->number;
	place->more = source->more;
}

/* ---- walking ---- */

static bool
source_open(struct source *source, Snapshot snapshot)
{
	if (source->log != NULL)
		return true;
	source->log = try_table_open(source->segment->log, AccessShareLock);
	if (source->log == NULL)
		return false;
	source->index = index_open(source->segment->index, AccessShareLock);
	source->slot = table_slot_create(source->log, NULL);
	source->scan = compat_index_beginscan(source->log, source->index, snapshot, 2);
	return true;
}

static void
source_close(struct source *source)
{
	if (source->log == NULL)
		return;
	index_endscan(source->scan);
	ExecDropSingleTupleTableSlot(source->slot);
	index_close(source->index, AccessShareLock);
	table_close(source->log, AccessShareLock);
}

/* Does the chunk of this row go on in the next one? */
static bool
goes_on(TupleTableSlot *slot)
{
	bool is_null;
	struct varlena *body = (struct varlena *) DatumGetPointer(
		slot_getattr(slot, SEGMENT_LOG_BODY, &is_null));

	return !VARATT_IS_EXTENDED(body) && VARSIZE(body) >= VARHDRSZ + 2 &&
	       (VARDATA(body)[1] & ELVIS_CHUNK_MORE) != 0;
}

static void
source_next(struct source *source)
{
	bool is_null;

	source->at_end =
		!index_getnext_slot(source->scan, ForwardScanDirection, source->slot);
	if (source->at_end)
		return;
	source->xid = U64FromFullTransactionId(DatumGetFullTransactionId(
		slot_getattr(source->slot, SEGMENT_LOG_XID, &is_null)));
	source->seq =
		DatumGetInt64(slot_getattr(source->slot, SEGMENT_LOG_SEQ, &is_null));
	source->more = goes_on(source->slot);
}

/* Begins with the rows of transactions lo <= xid < hi. */
static void
source_seek(struct source *source, uint64 lo, uint64 hi)
{
	ScanKeyData keys[2];

	ScanKeyInit(&keys[0], 1, BTGreaterEqualStrategyNumber, F_XID8GE,
		    FullTransactionIdGetDatum(FullTransactionIdFromU64(lo)));
	ScanKeyInit(&keys[1], 1, BTLessStrategyNumber, F_XID8LT,
		    FullTransactionIdGetDatum(FullTransactionIdFromU64(hi)));
	index_rescan(source->scan, keys, 2, NULL, 0);
	source_next(source);
}

static struct source *
foremost(struct walk *walk)
{
	struct source *first = NULL;

	for (int i = 0; i < walk->n; i++) {
		struct source *source = &walk->sources[i];

		if (!source->at_end &&
		    (first == NULL || source->xid < first->xid ||
		     (source->xid == first->xid && source->seq < first->seq)))
			first = source;
	}
	return first;
}

/* Gathers the transactions lo <= xid < hi of all segments that may have any. */
static void
walk_range(struct walk *walk, uint64 lo, uint64 hi)
{
	struct source *source;

	if (lo >= hi)
		return;
	for (int i = 0; i < walk->n; i++) {
		source = &walk->sources[i];
		source->at_end = true;
		if (lo < source->segment->hi && hi > source->segment->lo &&
		    source_open(source, walk->snapshot))
			source_seek(source, lo, hi);
	}
	while ((source = foremost(walk)) != NULL) {
		CHECK_FOR_INTERRUPTS();
		add_row(walk, source);
		source_next(source);
	}
	end_transaction(walk);
}

/* Likewise, noting the outline. */
static void
walk_and_note(struct walk *walk, uint64 lo, uint64 hi)
{
	walk->in_block = 0;
	walk->block = (struct block) {.lo = lo, .min_last = PG_INT64_MAX};
	walk_range(walk, lo, hi);
	end_block(walk, hi);
}

static void
walk_batch(struct walk *walk, const struct snapshot_image *from,
	   const struct snapshot_image *to)
{
	uint64 lo = from->xmax;

	for (uint32 i = 0; i < from->n_running; i++)
		if (snapshot_sees(to, from->running[i]))
			walk_and_note(walk, from->running[i], from->running[i] + 1);
	for (uint32 i = 0; i < to->n_running; i++) {
		if (to->running[i] < lo)
			continue;
		walk_and_note(walk, lo, to->running[i]);
		lo = to->running[i] + 1;
	}
	walk_and_note(walk, lo, to->xmax);
	walk->outline->complete = true;
}

/* Only where the outline says that something of this part of the batch is. */
static void
walk_part(struct walk *walk)
{
	for (size_t i = 0; i < walk->outline->n; i++) {
		const struct block *block = &walk->outline->blocks[i];

		if (block->max_last > walk->found->after &&
		    block->min_last < walk->found->cut)
			walk_range(walk, block->lo, block->hi);
	}
}

struct outline *
outline_new(MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "elvis outline",
						      ALLOCSET_SMALL_SIZES);
	struct outline *outline = MemoryContextAllocZero(context, sizeof(*outline));

	outline->context = context;
	outline->room = 16;
	outline->blocks =
		MemoryContextAlloc(context, outline->room * sizeof(struct block));
	return outline;
}

static struct collection *
collection_new(int64 after, MemoryContext parent)
{
	MemoryContext context = AllocSetContextCreate(parent, "elvis collection",
						      ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(context);
	struct collection *found = palloc0(sizeof(*found));
	ListCell *cell;
	List *segments;

	found->context = context;
	found->after = after;
	found->cut = PG_INT64_MAX;
	found->room_rows = 256;
	found->rows = palloc(found->room_rows * sizeof(struct row_place));
	found->room_transactions = 256;
	found->transactions =
		palloc(found->room_transactions * sizeof(struct transaction));
	segments = segment_list();
	if (list_length(segments) > SEGMENTS_MAX)
		ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				errmsg("the log has more than %d segments", SEGMENTS_MAX),
				errhint("Larger ones: elvis.segment_size.")));
	found->segments = palloc(sizeof(struct segment) * Max(list_length(segments), 1));
	foreach(cell, segments) {
		const struct segment *segment = lfirst(cell);

		if (OidIsValid(segment->log))
			found->segments[found->n_segments++] = *segment;
	}
	MemoryContextSwitchTo(before);
	return found;
}

struct collection *
collect(const struct snapshot_image *from, const struct snapshot_image *to, int64 after,
	struct outline *outline, MemoryContext parent)
{
	struct walk walk = {.found = collection_new(after, parent), .outline = outline};

	/*
	 * not the statement's: the end of the batch may have been recorded after that was
	 * taken
	 */
	walk.snapshot = RegisterSnapshot(GetLatestSnapshot());
	walk.n = walk.found->n_segments;
	walk.sources = palloc0(sizeof(struct source) * Max(walk.n, 1));
	for (int i = 0; i < walk.n; i++) {
		walk.sources[i].number = i;
		walk.sources[i].segment = &walk.found->segments[i];
	}
	if (outline->complete) {
		walk_part(&walk);
	} else {
		outline->n = 0;	/* of a walk that an error has ended */
		walk_batch(&walk, from, to);
	}
	for (int i = 0; i < walk.n; i++)
		source_close(&walk.sources[i]);
	UnregisterSnapshot(walk.snapshot);
	sort(walk.found);
	return walk.found;
}
