/*
 * segment.c - writing into the current segment, and what segments there are.
 */
#include "postgres.h"

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
#include "utils/inval.h"
#include "utils/snapmgr.h"
#include "utils/xid8.h"

#include "catalog.h"
#include "compat.h"
#include "segment.h"

PG_FUNCTION_INFO_V1(elvis_try_lock);

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

/* The segment this session wrote into last. */
static struct {
	int32 n;
	Oid log;
	Oid index;
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
	CacheRegisterRelcacheCallback(forget, (Datum) 0);
}

int64
segment_next_seq(void)
{
	return catalog_sequence_next(CATALOG_LOG_SEQ);
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
find_recent(int32 n)
{
	Oid log, index;

	if (likely(recent.n == n))
		return;
	log = find("log", n, "");
	index = find("log", n, "_xid_seq");
	recent.log = log;
	recent.index = index;
	recent.n = OidIsValid(log) && OidIsValid(index) ? n : 0;
}

/*
 * Reads which segment is current, locks it and reads again: if it has moved meanwhile,
 * nobody may be told that the old one is quiet and then find us writing there.
 */
void
segment_open(struct segment_target *target)
{
	for (int tries = 0;; tries++) {
		int32 n = segment_current();

		find_recent(n);
		target->log = recent.n == n ? try_table_open(recent.log, RowExclusiveLock)
					    : NULL;
		if (target->log != NULL) {
			if (likely(segment_current() == n))
				break;
			table_close(target->log, RowExclusiveLock);
		} else if (tries > 10) {
			ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("the log's segment elvis.log_%d is missing", n)));
		}
		CHECK_FOR_INTERRUPTS();
	}
	target->index = index_open(recent.index, RowExclusiveLock);
}

void
segment_write(struct segment_target *target, int64 seq, struct varlena *body)
{
	static IndexInfo info = {.type = T_IndexInfo};
	Datum values[SEGMENT_LOG_COLUMNS];
	bool nulls[SEGMENT_LOG_COLUMNS] = {false};
	HeapTuple row;

	values[SEGMENT_LOG_XID - 1] = FullTransactionIdGetDatum(GetTopFullTransactionId());
	values[SEGMENT_LOG_SEQ - 1] = Int64GetDatum(seq);
	values[SEGMENT_LOG_BODY - 1] = PointerGetDatum(body);
	row = heap_form_tuple(RelationGetDescr(target->log), values, nulls);
	heap_insert(target->log, row, GetCurrentCommandId(true), 0, NULL);
	index_insert(target->index, values, nulls, &row->t_self, target->log,
		     UNIQUE_CHECK_NO, false, &info);
	heap_freetuple(row);
}

void
segment_close(struct segment_target *target)
{
	index_close(target->index, RowExclusiveLock);
	table_close(target->log, NoLock);	/* kept to the end of the transaction */
}

/* ---- the list ---- */

Oid
segment_snapshots(int32 n)
{
	Oid found = find("snapshot", n, "");

	if (!OidIsValid(found))
		ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_TABLE),
			 errmsg("table elvis.snapshot_%d is missing", n)));
	return found;
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
