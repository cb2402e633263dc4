/*
 * segment.c - writing into the current segment, and what segments there are.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/execnodes.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include <elvis/record.h>

#include "catalog.h"
#include "compat.h"
#include "inval.h"
#include "leaf.h"
#include "segment.h"

PG_FUNCTION_INFO_V1(elvis_try_lock);

StaticAssertDecl(SEGMENT_HEAD + SEGMENT_ROW_BYTES <= 8160,
		 "a full row must stay in line: toast_tuple_target of elvis.make_segment()");

/* Of so many chunks one looks whether it should guess where its entry goes. */
#define GUESS_EACH 8

enum {
	SEGMENT_N = 1,
	SEGMENT_LO,
	SEGMENT_HI,
	SEGMENT_QUIET_AT,
	SEGMENT_MADE_AT,
	SEGMENT_MADE_BY,
	SEGMENT_CONFIRMED_AT,
	SEGMENT_DROPPED_AT,
};

/* The segment this session wrote into last; n is 0 when it has to be looked for. */
static struct {
	int32 n;
	Oid log;
} recent;

static void
forget(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == recent.log)
		recent.n = 0;
}

void
segment_init(void)
{
	inval_relation(forget);
}

int64
segment_next_seq(uint32 rows)
{
	return catalog_sequence_next(CATALOG_LOG_SEQ, rows);
}

int32
segment_current(void)
{
	return (int32) catalog_sequence_last(CATALOG_SEGMENT_CURRENT);
}

static Oid
find(const char *prefix, int32 n, const char *suffix)
{
	char name[NAMEDATALEN];

	snprintf(name, sizeof(name), "%s_%d%s", prefix, n, suffix);
	return catalog_find(name);
}

static void
find_current(void)
{
	int32 n = segment_current();

	recent.log = find("log", n, "");
	recent.n = OidIsValid(recent.log) ? n : 0;
}

static bool
is_ours(Relation index)
{
	const int2vector *columns = &index->rd_index->indkey;

	return index->rd_index->indisready && columns->dim1 == 2 &&
	       columns->values[0] == SEGMENT_LOG_XID &&
	       columns->values[1] == SEGMENT_LOG_SEQ;
}

/*
 * The indexes that need an entry for each row: the one there is, and while it is built
 * anew concurrently also the one that will replace it.  Whoever drops or exchanges an
 * index waits for the table's lock; who moves one to another tablespace, only for the
 * index's own.
 */
static void
open_indexes(struct segment_target *target)
{
	List *oids = RelationGetIndexList(target->log);
	ListCell *cell;

	target->n_indexes = 0;
	foreach(cell, oids) {
		Relation index = index_open(lfirst_oid(cell), RowExclusiveLock);

		if (!is_ours(index))
			index_close(index, RowExclusiveLock);
		else if (target->n_indexes < SEGMENT_INDEXES)
			target->indexes[target->n_indexes++] = index;
		else
			ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("table elvis.%s has too many indexes",
					RelationGetRelationName(target->log)),
				 errhint("Drop those that REINDEX CONCURRENTLY has left "
					 "behind.")));
	}
	list_free(oids);
}

/*
 * Locks the segment that was current when this session looked last, and looks again: if
 * another is, nobody may be told that the old one is quiet and then find us writing
 * there.
 */
void
segment_open(struct segment_target *target)
{
	for (int tries = 0;; tries++) {
		int32 n;

		if (recent.n == 0)
			find_current();
		n = recent.n;
		target->log = n == 0 ? NULL
				     : try_table_open(recent.log, RowExclusiveLock);
		if (target->log != NULL) {
			if (likely(segment_current() == n))
				break;
			table_close(target->log, RowExclusiveLock);
		} else if (tries > 10) {
			ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the log's segment elvis.log_%d is missing",
					segment_current())));
		}
		recent.n = 0;
		CHECK_FOR_INTERRUPTS();
	}
	open_indexes(target);
}

/*
 * Transaction numbers and seqs grow, so entries mostly go to the last leaf.  Of many that write
 * at a time some find it held by others, which must not make them look for it each time.
 */
static void
guess_leaves(struct segment_target *target)
{
	static unsigned turn;

	if (turn++ % GUESS_EACH != 0)
		return;
	for (int i = 0; i < target->n_indexes; i++)
		leaf_guess(target->indexes[i]);
}

/* `row` is the head, which is filled in here, and what it is to hold of its chunk. */
static void
write_row(struct segment_target *target, int64 seq, char *row, size_t length, uint8 flags)
{
	static IndexInfo info = {.type = T_IndexInfo};
	HeapTupleHeader header = (HeapTupleHeader) row;
	HeapTupleData tuple = {.t_len = length, .t_data = header};
	uint64 xid = U64FromFullTransactionId(GetTopFullTransactionId());
	Datum key[] = {UInt64GetDatum(xid), Int64GetDatum(seq)};
	bool nulls[lengthof(key)] = {false};
	char *body;

	memset(header, 0, MAXALIGN(SizeofHeapTupleHeader));
	HeapTupleHeaderSetNatts(header, SEGMENT_LOG_COLUMNS);
	header->t_infomask = HEAP_HASVARWIDTH;
	header->t_hoff = MAXALIGN(SizeofHeapTupleHeader);
	memcpy(row + header->t_hoff, &xid, sizeof(xid));
	memcpy(row + header->t_hoff + sizeof(xid), &seq, sizeof(seq));
	body = row + header->t_hoff + sizeof(xid) + sizeof(seq);
	SET_VARSIZE(body, row + length - body);
	body[VARHDRSZ] = ELVIS_RECORD_FORMAT;
	body[VARHDRSZ + 1] = (char) flags;
	heap_insert(target->log, &tuple, GetCurrentCommandId(true), 0, NULL);
	guess_leaves(target);
	for (int i = 0; i < target->n_indexes; i++)
		index_insert(target->indexes[i], key, nulls, &tuple.t_self, target->log,
			     UNIQUE_CHECK_NO, false, &info);
}

/*
 * The rows after the first are copied: the chunk must stay as it is, as it may have to be
 * written again.
 */
void
segment_write(struct segment_target *target, int64 seq, char *chunk, size_t length,
	      uint8 flags)
{
	static union {
		uint64 aligned;
		char bytes[SEGMENT_HEAD + SEGMENT_ROW_BYTES];
	} row;
	uint8 flags_inside = (flags & ~ELVIS_CHUNK_LAST) | ELVIS_CHUNK_MORE;
	const char *rest = chunk + SEGMENT_HEAD + SEGMENT_ROW_BYTES;
	uint32 n = segment_rows(length);

	if (n == 1) {
		write_row(target, seq, chunk, length, flags);
		return;
	}
	write_row(target, seq, chunk, rest - chunk, flags_inside);
	while (--n > 0) {
		size_t bytes = Min(chunk + length - rest, SEGMENT_ROW_BYTES);

		CHECK_FOR_INTERRUPTS();
		memcpy(row.bytes + SEGMENT_HEAD, rest, bytes);
		write_row(target, ++seq, row.bytes, SEGMENT_HEAD + bytes,
			  n > 1 ? flags_inside : flags);
		rest += bytes;
	}
}

void
segment_close(struct segment_target *target)
{
	for (int i = 0; i < target->n_indexes; i++)
		index_close(target->indexes[i], RowExclusiveLock);
	table_close(target->log, NoLock);	/* kept to the end of the transaction */
}

/* ---- the list ---- */

bool
segment_snapshots(int32 n, Oid *snapshots, Oid *pkey)
{
	*snapshots = find("snapshot", n, "");
	*pkey = find("snapshot", n, "_pkey");
	return OidIsValid(*snapshots) && OidIsValid(*pkey);
}

static uint64
xid_column(HeapTuple row, TupleDesc shape, int number, uint64 if_null)
{
	bool is_null;
	Datum value = heap_getattr(row, number, shape, &is_null);

	return is_null ? if_null
		       : U64FromFullTransactionId(DatumGetFullTransactionId(value));
}

static struct segment *
segment_from(HeapTuple row, TupleDesc shape)
{
	struct segment *segment = palloc0(sizeof(*segment));
	bool is_null;
	Datum value;

	segment->n = DatumGetInt32(heap_getattr(row, SEGMENT_N, shape, &is_null));
	segment->lo = xid_column(row, shape, SEGMENT_LO, 0);
	segment->hi = xid_column(row, shape, SEGMENT_HI, UINT64_MAX);
	value = heap_getattr(row, SEGMENT_QUIET_AT, shape, &is_null);
	segment->quiet_at = is_null ? 0 : DatumGetInt64(value);
	if (heap_attisnull(row, SEGMENT_DROPPED_AT, shape)) {
		segment->log = find("log", segment->n, "");
		segment->index = find("log", segment->n, "_xid_seq");
		segment->snapshots = find("snapshot", segment->n, "");
		segment->snapshots_pkey = find("snapshot", segment->n, "_pkey");
	}
	return segment;
}

static int
by_number(const ListCell *a, const ListCell *b)
{
	return ((struct segment *) lfirst(a))->n - ((struct segment *) lfirst(b))->n;
}

List *
segment_list(void)
{
	struct catalog_scan scan;
	List *segments = NIL;
	HeapTuple row;

	catalog_scan_begin(&scan, catalog_oid(CATALOG_SEGMENT), InvalidOid, 0, NULL);
	while ((row = catalog_scan_next(&scan)) != NULL)
		segments = lappend(segments,
				   segment_from(row, RelationGetDescr(scan.relation)));
	catalog_scan_end(&scan);
	list_sort(segments, by_number);
	return segments;
}

static bool
has_chunk(const struct segment *segment, uint64 lo, uint64 hi)
{
	Relation log = try_table_open(segment->log, AccessShareLock);
	Snapshot snapshot;
	SysScanDesc scan;
	ScanKeyData range[2];
	bool found;

	if (log == NULL)
		return false;
	ScanKeyInit(&range[0], SEGMENT_LOG_XID, BTGreaterEqualStrategyNumber, F_XID8GE,
		    FullTransactionIdGetDatum(FullTransactionIdFromU64(lo)));
	ScanKeyInit(&range[1], SEGMENT_LOG_XID, BTLessStrategyNumber, F_XID8LT,
		    FullTransactionIdGetDatum(FullTransactionIdFromU64(hi)));
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = systable_beginscan(log, segment->index, true, snapshot, 2, range);
	found = systable_getnext(scan) != NULL;
	systable_endscan(scan);
	UnregisterSnapshot(snapshot);
	table_close(log, AccessShareLock);
	return found;
}

bool
segment_has_chunk(uint64 lo, uint64 hi)
{
	ListCell *cell;

	if (lo >= hi)
		return false;
	foreach(cell, segment_list()) {
		struct segment *segment = lfirst(cell);

		if (OidIsValid(segment->log) && lo < segment->hi && hi > segment->lo &&
		    has_chunk(segment, lo, hi))
			return true;
	}
	return false;
}

/*
 * ShareLock: nobody who wrote into it still runs.  AccessExclusiveLock: it may be
 * dropped.
 */
Datum
elvis_try_lock(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(ConditionalLockRelationOid(
		PG_GETARG_OID(0), PG_GETARG_BOOL(1) ? AccessExclusiveLock : ShareLock));
}
