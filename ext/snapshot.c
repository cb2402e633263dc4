/*
 * snapshot.c - taking, recording and finding snapshots.
 *
 * The lock comes first, the snapshot after it: a snapshot taken before the lock was
 * granted could be older than the one recorded last, and the batch between them would be
 * handed out twice.  The snapshot of the calling statement is never used.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_class.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "catalog.h"
#include "compat.h"
#include "inval.h"
#include "node.h"
#include "recent.h"
#include "segment.h"
#include "snapshot.h"
#include "wait.h"

PG_FUNCTION_INFO_V1(elvis_take_snapshot);
PG_FUNCTION_INFO_V1(elvis_wait_snapshot);
PG_FUNCTION_INFO_V1(elvis_lock_snapshots);
PG_FUNCTION_INFO_V1(elvis_snapshot_known);

enum {
	SNAPSHOT_ID = 1,
	SNAPSHOT_TOKEN,
	SNAPSHOT_SNAP,
	SNAPSHOT_AT,
	SNAPSHOT_SEALED,
	SNAPSHOT_COLUMNS = SNAPSHOT_SEALED
};

/* ---- images ---- */

static int
by_xid(const void *a, const void *b)
{
	uint64 x = *(const uint64 *) a, y = *(const uint64 *) b;

	return x < y ? -1 : x > y;
}

bool
snapshot_sees(const struct snapshot_image *image, uint64 xid)
{
	if (xid < image->xmin)
		return true;
	return xid < image->xmax && bsearch(&xid, image->running, image->n_running,
					    sizeof(uint64), by_xid) == NULL;
}

/*
 * The full number of a transaction that is not newer than `next` and less than 2^31
 * older.
 */
static uint64
widen(TransactionId xid, FullTransactionId next)
{
	uint32 epoch = EpochFromFullTransactionId(next);

	if (xid > XidFromFullTransactionId(next))
		epoch--;
	return (uint64) epoch << 32 | xid;
}

struct snapshot_image *
snapshot_now(void)
{
	Snapshot snapshot = GetLatestSnapshot();
	FullTransactionId next = ReadNextFullTransactionId();
	Size size = offsetof(struct snapshot_image, running) +
		    sizeof(uint64) * snapshot->xcnt;
	struct snapshot_image *image = palloc(size);
	uint32 n = 0;

	image->xmin = widen(snapshot->xmin, next);
	image->xmax = widen(snapshot->xmax, next);
	for (uint32 i = 0; i < snapshot->xcnt; i++)
		image->running[i] = widen(snapshot->xip[i], next);
	qsort(image->running, snapshot->xcnt, sizeof(uint64), by_xid);
	/* a transaction just being prepared is there twice */
	for (uint32 i = 0; i < snapshot->xcnt; i++)
		if (n == 0 || image->running[i] != image->running[n - 1])
			image->running[n++] = image->running[i];
	image->n_running = n;
	SET_VARSIZE(image, offsetof(struct snapshot_image, running) + sizeof(uint64) * n);
	return image;
}

/* Whatever had ended in `old` has ended in `new`. */
static bool
follows(const struct snapshot_image *new, const struct snapshot_image *old)
{
	if (new->xmin < old->xmin || new->xmax < old->xmax)
		return false;
	for (uint32 i = 0; i < new->n_running; i++)
		if (snapshot_sees(old, new->running[i]))
			return false;
	return true;
}

/* ---- rows ---- */

static void
row_from(HeapTuple tuple, TupleDesc shape, struct snapshot_row *row)
{
	bool is_null;

	row->id = DatumGetInt64(heap_getattr(tuple, SNAPSHOT_ID, shape, &is_null));
	row->token = DatumGetInt64(heap_getattr(tuple, SNAPSHOT_TOKEN, shape, &is_null));
	row->at = DatumGetTimestampTz(heap_getattr(tuple, SNAPSHOT_AT, shape, &is_null));
	row->sealed =
		DatumGetInt64(heap_getattr(tuple, SNAPSHOT_SEALED, shape, &is_null));
	row->image = (struct snapshot_image *) PG_DETOAST_DATUM_COPY(
		heap_getattr(tuple, SNAPSHOT_SNAP, shape, &is_null));
}

/* The row of one segment's snapshots with that id, or the newest one when `id` is 0. */
static bool
find_in(Oid snapshots, Oid pkey, int64 id, struct snapshot_row *row)
{
	Relation relation = try_table_open(snapshots, AccessShareLock);
	Relation index;
	Snapshot snapshot;
	SysScanDesc scan;
	ScanKeyData by_id;
	HeapTuple tuple;

	if (relation == NULL)
		return false;
	index = index_open(pkey, AccessShareLock);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	ScanKeyInit(&by_id, SNAPSHOT_ID, BTEqualStrategyNumber, F_INT8EQ,
		    Int64GetDatum(id));
	scan = systable_beginscan_ordered(relation, index, snapshot, id == 0 ? 0 : 1,
					  &by_id);
	tuple = systable_getnext_ordered(scan, BackwardScanDirection);
	if (tuple != NULL)
		row_from(tuple, RelationGetDescr(relation), row);
	systable_endscan_ordered(scan);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	table_close(relation, AccessShareLock);
	return tuple != NULL;
}

static bool
find_anywhere(int64 id, struct snapshot_row *row)
{
	List *segments = segment_list();

	for (int i = list_length(segments) - 1; i >= 0; i--) {
		struct segment *segment = list_nth(segments, i);

		if (OidIsValid(segment->snapshots) &&
		    find_in(segment->snapshots, segment->snapshots_pkey, id, row)) {
			recent_add(segment->snapshots, row);
			return true;
		}
	}
	return false;
}

bool
snapshot_find(int64 id, struct snapshot_row *row)
{
	return id != 0 && (recent_find(id, row) || find_anywhere(id, row));
}

/* Where snapshots are recorded now; n is 0 when it has to be looked for. */
static struct {
	int32 n;
	Oid snapshots, pkey;
} current;

static void
forget_current(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == current.snapshots)
		current.n = 0;
}

void
snapshot_init(void)
{
	inval_relation(forget_current);
}

static void
find_current(void)
{
	int32 n = segment_current();

	if (n == current.n)
		return;
	current.n = n;	/* first: what changes meanwhile makes us look again */
	if (segment_snapshots(n, &current.snapshots, &current.pkey))
		return;
	current.n = 0;
	ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
			errmsg("table elvis.snapshot_%d or its key is missing", n)));
}

/* In the current segment, unless none has been recorded since it is. */
bool
snapshot_newest(struct snapshot_row *row)
{
	find_current();
	if (!find_in(current.snapshots, current.pkey, 0, row))
		return find_anywhere(0, row);
	recent_add(current.snapshots, row);
	return true;
}

/* ---- taking one ---- */

void
snapshot_lock(void)
{
	/*
	 * not the lock of the relation: nobody else uses this one, neither vacuum nor DDL
	 */
	LockDatabaseObject(RelationRelationId, catalog_oid(CATALOG_SEGMENT), 0,
			   ExclusiveLock);
}

static void
check_session(void)
{
	node_genuine();
	PreventCommandIfReadOnly("taking a snapshot");
	if (XactIsoLevel != XACT_READ_COMMITTED)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("snapshots are taken in READ COMMITTED "
				       "transactions only")));
}

/*
 * Nothing is delivered from before the flush of the snapshot it lies before, so no crash
 * of the source takes back what has been delivered.
 */
static void
commit_durably(void)
{
	if (synchronous_commit < SYNCHRONOUS_COMMIT_LOCAL_FLUSH)
		(void) set_config_option("synchronous_commit", "local", PGC_USERSET,
					 PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0, false);
}

/*
 * Random numbers are drawn many at a time, because each draw costs as much as a row.  The time
 * makes another token of one that is used twice, by a machine set back with all that was in its
 * memory.
 */
static int64
random_token(TimestampTz at)
{
	static int64 drawn[64];
	static int left;

	for (;;) {
		if (left == 0 && !pg_strong_random(drawn, sizeof(drawn)))
			ereport(ERROR,
				(errcode(ERRCODE_INTERNAL_ERROR),
				 errmsg("could not get random numbers")));
		if (left == 0)
			left = lengthof(drawn);
		if ((drawn[--left] ^ at) != 0)
			return drawn[left] ^ at;
	}
}

static void
record(const struct snapshot_row *row)
{
	Datum values[SNAPSHOT_COLUMNS];
	bool nulls[SNAPSHOT_COLUMNS] = {false};
	Relation relation;

	find_current();
	relation = table_open(current.snapshots, RowExclusiveLock);
	values[SNAPSHOT_ID - 1] = Int64GetDatum(row->id);
	values[SNAPSHOT_TOKEN - 1] = Int64GetDatum(row->token);
	values[SNAPSHOT_SNAP - 1] = PointerGetDatum(row->image);
	values[SNAPSHOT_AT - 1] = TimestampTzGetDatum(row->at);
	values[SNAPSHOT_SEALED - 1] = Int64GetDatum(row->sealed);
	catalog_insert(relation, values, nulls);
	recent_add(RelationGetRelid(relation), row);
	table_close(relation, RowExclusiveLock);
}

/* Under the lock: records a new snapshot behind `last` (NULL: the first one). */
static void
take(const struct snapshot_row *last, struct snapshot_row *row)
{
	row->id = last == NULL ? 1 : last->id + 1;
	row->sealed = catalog_sequence_last(CATALOG_LOG_SEQ);	/* before the snapshot */
	row->image = snapshot_now();
	row->at = GetCurrentTimestamp();
	row->token = random_token(row->at);
	if (last != NULL && !follows(row->image, last->image))
		ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg("a new snapshot would lie before snapshot " INT64_FORMAT,
				last->id),
			 errhint("Was this database restored with its log but with older "
				 "transaction numbers? Use elvis.adopt_node().")));
	commit_durably();
	record(row);
	CommandCounterIncrement();	/* elvis.read() in the same statement finds it */
	wait_wake_at_commit();
}

static Datum
result(FunctionCallInfo fcinfo, Datum *values)
{
	bool nulls[4] = {false};
	TupleDesc shape;

	if (get_call_result_type(fcinfo, NULL, &shape) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(shape), values, nulls));
}

Datum
elvis_take_snapshot(PG_FUNCTION_ARGS)
{
	struct snapshot_row last, row;
	Datum values[4];

	check_session();
	snapshot_lock();
	take(snapshot_newest(&last) ? &last : NULL, &row);
	values[0] = Int64GetDatum(row.id);
	values[1] = Int64GetDatum(row.token);
	values[2] = TimestampTzGetDatum(row.at);
	values[3] = PointerGetDatum(row.image);
	PG_RETURN_DATUM(result(fcinfo, values));
}

/* For the upkeep and whoever enters a subscriber. */
Datum
elvis_lock_snapshots(PG_FUNCTION_ARGS)
{
	node_genuine();
	snapshot_lock();
	PG_RETURN_VOID();
}

Datum
elvis_snapshot_known(PG_FUNCTION_ARGS)
{
	struct snapshot_row row;

	node_genuine();
	PG_RETURN_BOOL(snapshot_find(PG_GETARG_INT64(0), &row) &&
		       row.token == PG_GETARG_INT64(1));
}

/* ---- waiting for something to take one of ---- */

/*
 * Has something captured ended since the snapshot?  Either it has sealed a chunk since,
 * or it was there then, has ended now, and has a chunk.  "There" are those the snapshot
 * calls running, and some that it does not know: a transaction may be newer than the
 * newest that had ended.  Those that still run are passed over, however much they have
 * written.
 */
static bool
anything_since(const struct snapshot_row *row)
{
	const struct snapshot_image *then = row->image;
	struct snapshot_image *now;
	uint64 lo = then->xmax;

	if (catalog_sequence_last(CATALOG_LOG_SEQ) != row->sealed)
		return true;
	now = snapshot_now();
	for (uint32 i = 0; i < then->n_running; i++)
		if (snapshot_sees(now, then->running[i]) &&
		    segment_has_chunk(then->running[i], then->running[i] + 1))
			return true;
	for (uint32 i = 0; i < now->n_running; i++) {
		if (now->running[i] < lo)
			continue;
		if (segment_has_chunk(lo, now->running[i]))
			return true;
		lo = now->running[i] + 1;
	}
	return segment_has_chunk(lo, now->xmax);
}

static long
ms_until(TimestampTz then)
{
	return TimestampDifferenceMilliseconds(GetCurrentTimestamp(), then);
}

/*
 * Takes a snapshot unless another session has just taken one, or there is nothing to see.
 */
static void
take_if_needed(struct snapshot_row *newest, bool *any)
{
	struct snapshot_row row;
	int64 known = *any ? newest->id : 0;

	snapshot_lock();
	*any = snapshot_newest(newest);
	if (*any && (newest->id != known || !anything_since(newest)))
		return;
	take(*any ? newest : NULL, &row);
	*newest = row;
	*any = true;
}

/*
 * Is there something to take one of?  The newest that this session knows will do to see that
 * there is; that there is not, and under the lock which one is the newest, the tables say.
 */
static bool
anything_new(struct snapshot_row *newest, bool *any, int64 known)
{
	bool seen = recent_find(0, newest) && newest->id == known;

	if (seen && anything_since(newest)) {
		*any = true;
		return true;
	}
	*any = snapshot_newest(newest);
	return !*any || newest->id > known || (!seen && anything_since(newest));
}

/*
 * One look: true when there is an answer.  Otherwise *nap_ms says how long nothing can
 * change, and 0 that only a commit or the timeout can.
 */
static bool
look(struct snapshot_row *newest, bool *any, int64 known, int32 floor_ms, long *nap_ms)
{
	*nap_ms = 0;
	if (!anything_new(newest, any, known))
		return false;
	if (*any && newest->id > known)
		return true;
	if (*any)
		*nap_ms = ms_until(TimestampTzPlusMilliseconds(newest->at, floor_ms));
	if (*nap_ms > 0)
		return false;
	take_if_needed(newest, any);
	return *any && newest->id > known;
}

Datum
elvis_wait_snapshot(PG_FUNCTION_ARGS)
{
	int64 known = PG_GETARG_INT64(0);
	int32 floor_ms = Max(PG_GETARG_INT32(1), 0);
	int32 timeout_ms = Min(Max(PG_GETARG_INT32(2), 0), 1000);
	TimestampTz end = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), timeout_ms);
	struct snapshot_row newest = {0};
	bool woken = false;
	Datum values[4];
	bool any;

	check_session();
	for (;;) {
		uint64 seen = wait_counter();
		long nap_ms, left;

		if (look(&newest, &any, known, floor_ms, &nap_ms))
			break;
		left = ms_until(end);
		/*
		 * woken for something that is not a change: the caller may want to know
		 */
		if (left <= 0 || (woken && nap_ms <= 0))
			break;
		if (nap_ms > 0)
			wait_nap(Min(nap_ms, left));
		else
			wait_sleep(seen, left);
		woken = wait_counter() != seen;
	}
	values[0] = Int64GetDatum(any ? newest.id : 0);
	values[1] = Int64GetDatum(any ? newest.token : 0);
	values[2] = TimestampTzGetDatum(any ? newest.at : GetCurrentTimestamp());
	values[3] = BoolGetDatum(any && newest.id > known);
	PG_RETURN_DATUM(result(fcinfo, values));
}
