/*
 * position.c - how far a link has delivered, kept in the transaction that delivers.
 *
 * The row of elvis.position is locked before the first change and replaced after the last: two
 * daemons cannot drive one link, and a position that is not the expected one tells that a COMMIT
 * whose answer was lost has happened.  The session remembers where it wrote the row last, so that
 * an old snapshot somewhere, which keeps the index full of dead versions, costs it nothing.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/indexing.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "executor/tuptable.h"
#include "funcapi.h"
#include "storage/bufmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "catalog.h"
#include "compat.h"
#include "position.h"
#include "target.h"
#include "unix_time.h"
#include "walk.h"

/* Columns of elvis.position. */
enum {
	POSITION_LINK = 1,
	POSITION_NAME,
	POSITION_SOURCE,
	POSITION_INCARNATION,
	POSITION_FROM_ID,
	POSITION_FROM_TOKEN,
	POSITION_TO_ID,
	POSITION_TO_TOKEN,
	POSITION_SEQ,
	POSITION_SOURCE_AT,
	POSITION_AT,
	POSITION_SKIPS,
	POSITION_COLUMNS = POSITION_SKIPS
};

/* Columns of elvis.position_table. */
enum {
	COPIED_LINK = 1,
	COPIED_RELID,
	COPIED_SNAPSHOT,
	COPIED_UNTIL,
	COPIED_PARTS,
	COPIED_COLUMNS = COPIED_PARTS
};

/* What this session has opened, and where it wrote the position last. */
static struct {
	bool known;
	pg_uuid_t link;
	int32 source;
	int64 incarnation;
	ItemPointerData tid;
} session;

/*
 * Positions of this session's commits, oldest first, until they are known to be flushed.  When
 * there are more than it holds, the newest one stands for those after it.
 */
#define COMMITS_MAX 128

static struct {
	int n;
	struct {
		XLogRecPtr end;
		struct elvis_position position;
	} of[COMMITS_MAX];
	bool durable_known;
	struct elvis_position durable;
	bool storing;			/* this transaction has stored one */
	struct elvis_position stored;
} commits;

/* ---- durability ---- */

static void
commits_add(XLogRecPtr end, const struct elvis_position *position)
{
	int slot = Min(commits.n, COMMITS_MAX - 1);

	commits.of[slot].end = end;
	commits.of[slot].position = *position;
	commits.n = slot + 1;
}

/* Settles what has been flushed. */
static void
commits_flushed(XLogRecPtr flushed)
{
	int done = 0;

	while (done < commits.n && commits.of[done].end <= flushed)
		done++;
	if (done == 0)
		return;
	commits.durable = commits.of[done - 1].position;
	commits.durable_known = true;
	commits.n -= done;
	memmove(commits.of, commits.of + done, commits.n * sizeof(commits.of[0]));
}

static void
position_xact_callback(XactEvent event, void *arg)
{
	switch (event) {
	case XACT_EVENT_COMMIT:
		if (commits.storing)
			commits_add(XactLastCommitEnd, &commits.stored);
		commits.storing = false;
		break;
	case XACT_EVENT_ABORT:
	case XACT_EVENT_PREPARE:
		commits.storing = false;
		break;
	default:
		break;
	}
}

void
position_init(void)
{
	RegisterXactCallback(position_xact_callback, NULL);
}

/* ---- the row ---- */

static HeapTuple
position_scan(struct catalog_scan *scan, const pg_uuid_t *link)
{
	ScanKeyData key;

	ScanKeyInit(&key, POSITION_LINK, BTEqualStrategyNumber, F_UUID_EQ, UUIDPGetDatum(link));
	catalog_scan_begin(scan, catalog_find("position"), catalog_find("position_pkey"), 1,
			   &key);
	return catalog_scan_next(scan);
}

char *
position_name(const pg_uuid_t *link)
{
	struct catalog_scan scan;
	HeapTuple tuple = position_scan(&scan, link);
	char *name = NULL;
	bool isnull;

	if (tuple != NULL)
		name = TextDatumGetCString(heap_getattr(tuple, POSITION_NAME,
							RelationGetDescr(scan.relation),
							&isnull));
	catalog_scan_end(&scan);
	return name;
}

/* The version of the link's row that a fresh look through the index finds. */
static bool
position_look_up(ItemPointer tid)
{
	struct catalog_scan scan;
	HeapTuple tuple = position_scan(&scan, &session.link);

	if (tuple != NULL)
		*tid = tuple->t_self;
	catalog_scan_end(&scan);
	return tuple != NULL;
}

/* Locks the newest version of what stands at `tid`, if that is the link's row. */
static bool
position_lock_at(Relation relation, ItemPointer tid, TupleTableSlot *slot)
{
	TM_FailureData failure;
	bool isnull;

	if (!ItemPointerIsValid(tid) ||
	    ItemPointerGetBlockNumber(tid) >= RelationGetNumberOfBlocks(relation) ||
	    !table_tuple_fetch_row_version(relation, tid, SnapshotSelf, slot))
		return false;
	if (table_tuple_lock(relation, tid, SnapshotSelf, slot, GetCurrentCommandId(true),
			     LockTupleNoKeyExclusive, LockWaitBlock,
			     TUPLE_LOCK_FLAG_FIND_LAST_VERSION, &failure) != TM_Ok)
		return false;
	return DatumGetBool(DirectFunctionCall2(uuid_eq, UUIDPGetDatum(&session.link),
						slot_getattr(slot, POSITION_LINK, &isnull)));
}

static bool
position_lock_row(Relation relation, TupleTableSlot *slot)
{
	if (position_lock_at(relation, &session.tid, slot))
		return true;
	for (int tries = 0; tries < 10; tries++) {
		ItemPointerData tid;

		if (!position_look_up(&tid))
			return false;
		if (position_lock_at(relation, &tid, slot)) {
			session.tid = slot->tts_tid;
			return true;
		}
	}
	ereport(ERROR,
		(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
		 errmsg("the position of a link keeps changing under its reader")));
}

static int64
position_number(TupleTableSlot *slot, int column)
{
	bool isnull;
	Datum value = slot_getattr(slot, column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

static void
position_read(TupleTableSlot *slot, struct elvis_position *at)
{
	at->from_id = position_number(slot, POSITION_FROM_ID);
	at->from_token = position_number(slot, POSITION_FROM_TOKEN);
	at->to_id = position_number(slot, POSITION_TO_ID);
	at->to_token = position_number(slot, POSITION_TO_TOKEN);
	at->seq = position_number(slot, POSITION_SEQ);
}

static bool
position_equal(const struct elvis_position *a, const struct elvis_position *b)
{
	return a->from_id == b->from_id && a->from_token == b->from_token &&
	       a->to_id == b->to_id && a->to_token == b->to_token && a->seq == b->seq;
}

const pg_uuid_t *
position_link(void)
{
	if (!session.known)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("no link has been opened in this session"),
			 errhint("Call elvis.link_open() first.")));
	return &session.link;
}

static void
copied_read(Position *position, HeapTuple tuple, TupleDesc desc)
{
	Datum values[COPIED_COLUMNS];
	bool nulls[COPIED_COLUMNS];
	struct copied_table *copied;

	heap_deform_tuple(tuple, desc, values, nulls);
	position->copied = position->copied == NULL
		? palloc(sizeof(*copied))
		: repalloc(position->copied, sizeof(*copied) * (position->n_copied + 1));
	copied = &position->copied[position->n_copied++];
	copied->tid = tuple->t_self;
	copied->relid = DatumGetObjectId(values[COPIED_RELID - 1]);
	copied->snapshot = datumCopy(values[COPIED_SNAPSHOT - 1], false, -1);
	copied->has_until = !nulls[COPIED_UNTIL - 1];
	copied->until_id = copied->has_until ? DatumGetInt64(values[COPIED_UNTIL - 1]) : 0;
	copied->unfinished = DatumGetInt32(values[COPIED_PARTS - 1]) > 0;
}

static void
position_read_copied(Position *position)
{
	Relation relation = table_open(catalog_find("position_table"), AccessShareLock);

	if (RelationGetNumberOfBlocks(relation) > 0) {
		struct catalog_scan scan;
		ScanKeyData key;
		HeapTuple tuple;

		ScanKeyInit(&key, COPIED_LINK, BTEqualStrategyNumber, F_UUID_EQ,
			    UUIDPGetDatum(&session.link));
		catalog_scan_begin(&scan, RelationGetRelid(relation),
				   catalog_find("position_table_pkey"), 1, &key);
		while ((tuple = catalog_scan_next(&scan)) != NULL)
			copied_read(position, tuple, RelationGetDescr(relation));
		catalog_scan_end(&scan);
	}
	table_close(relation, AccessShareLock);
}

static void
position_read_skips(TupleTableSlot *slot, Position *position)
{
	bool isnull;
	Datum skips = slot_getattr(slot, POSITION_SKIPS, &isnull);
	Datum *numbers;
	int n;

	if (isnull)
		return;
	deconstruct_array(DatumGetArrayTypePCopy(skips), INT8OID, sizeof(int64),
			  FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &numbers, NULL, &n);
	position->skips = palloc0(sizeof(*position->skips) * (n / 2 + 1));
	position->n_skips = n / 2;
	for (int i = 0; i < position->n_skips; i++) {
		position->skips[i].seq = DatumGetInt64(numbers[2 * i]);
		position->skips[i].ordinal = (uint64) DatumGetInt64(numbers[2 * i + 1]);
	}
}

/* Those that have been passed are done with; false when none are left. */
static bool
position_skips_left(const Position *position, Datum *left)
{
	Datum *numbers = palloc(sizeof(*numbers) * (2 * position->n_skips + 1));
	int n = 0;

	for (int i = 0; i < position->n_skips; i++) {
		if (position->skips[i].passed)
			continue;
		numbers[n++] = Int64GetDatum(position->skips[i].seq);
		numbers[n++] = Int64GetDatum((int64) position->skips[i].ordinal);
	}
	*left = PointerGetDatum(construct_array(numbers, n, INT8OID, sizeof(int64),
						FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	return n > 0;
}

void
position_lock(const struct elvis_position *expected, bool behind, Position *position)
{
	const pg_uuid_t *link = position_link();
	Relation relation = table_open(catalog_find("position"), RowExclusiveLock);
	TupleTableSlot *slot = table_slot_create(relation, NULL);

	memset(position, 0, sizeof(*position));
	position->link = *link;
	position->source = (uint32) session.source;
	if (!position_lock_row(relation, slot))
		ereport(ERROR,
			(errcode(ERRCODE_ELVIS_POSITION),
			 errmsg("link %s has no position here",
				DatumGetCString(DirectFunctionCall1(uuid_out,
								    UUIDPGetDatum(link))))));
	position_read(slot, &position->at);
	position_read_skips(slot, position);
	position->tid = slot->tts_tid;
	ExecDropSingleTupleTableSlot(slot);
	table_close(relation, NoLock);
	if (!position_equal(&position->at, expected))
		ereport(ERROR,
			(errcode(ERRCODE_ELVIS_POSITION),
			 errmsg("%s", behind
				? "the transaction that this one follows was not applied"
				: "the link does not stand where its daemon believes"),
			 errdetail("It stands at snapshot " INT64_FORMAT " to " INT64_FORMAT
				   ", seq " INT64_FORMAT "; expected were " INT64_FORMAT
				   " to " INT64_FORMAT ", " INT64_FORMAT ".",
				   position->at.from_id, position->at.to_id, position->at.seq,
				   expected->from_id, expected->to_id, expected->seq)));
	position_read_copied(position);
}

/* A copy's row may have gone with its table. */
static void
copied_delete(Relation relation, ItemPointer tid)
{
	TM_FailureData failure;
	TM_Result result = table_tuple_delete(relation, tid, GetCurrentCommandId(true),
					      SnapshotSelf, InvalidSnapshot, true, &failure,
					      false);

	if (result != TM_Ok && result != TM_Deleted)
		ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("the copy of a table changed under the link that has passed it")));
}

/* Copies that the link has passed have done their work. */
static void
position_drop_copied(const Position *position, int64 from_id)
{
	for (int i = 0; i < position->n_copied; i++) {
		struct copied_table *copied = &position->copied[i];
		Relation relation;

		if (copied->unfinished || !copied->has_until || copied->until_id > from_id)
			continue;
		relation = table_open(catalog_find("position_table"), RowExclusiveLock);
		copied_delete(relation, &copied->tid);
		table_close(relation, NoLock);
	}
}

static void
position_replace(Position *position, Datum *values, bool *nulls, bool *replace)
{
	Relation relation = table_open(catalog_find("position"), RowExclusiveLock);
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	HeapTuple old, new;
	bool free_old;

	if (!table_tuple_fetch_row_version(relation, &position->tid, SnapshotSelf, slot))
		elog(ERROR, "position of a link has vanished under its lock");
	old = ExecFetchSlotHeapTuple(slot, false, &free_old);
	new = heap_modify_tuple(old, RelationGetDescr(relation), values, nulls, replace);
	CatalogTupleUpdate(relation, &old->t_self, new);
	session.tid = new->t_self;
	position->tid = new->t_self;
	heap_freetuple(new);
	if (free_old)
		heap_freetuple(old);
	ExecDropSingleTupleTableSlot(slot);
	table_close(relation, NoLock);
}

void
position_store(Position *position, const struct elvis_position *next, int64 source_at)
{
	Datum values[POSITION_COLUMNS] = { 0 };
	bool nulls[POSITION_COLUMNS] = { false }, replace[POSITION_COLUMNS] = { false };

	for (int i = POSITION_FROM_ID; i <= POSITION_AT; i++)
		replace[i - 1] = true;
	values[POSITION_FROM_ID - 1] = Int64GetDatum(next->from_id);
	values[POSITION_FROM_TOKEN - 1] = Int64GetDatum(next->from_token);
	values[POSITION_TO_ID - 1] = Int64GetDatum(next->to_id);
	values[POSITION_TO_TOKEN - 1] = Int64GetDatum(next->to_token);
	values[POSITION_SEQ - 1] = Int64GetDatum(next->seq);
	values[POSITION_SOURCE_AT - 1] = TimestampTzGetDatum(timestamp_from_unix(source_at));
	nulls[POSITION_SOURCE_AT - 1] = source_at == 0;
	values[POSITION_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	if (position->n_skips > 0) {
		replace[POSITION_SKIPS - 1] = true;
		nulls[POSITION_SKIPS - 1] = !position_skips_left(position,
								 &values[POSITION_SKIPS - 1]);
	}
	position_replace(position, values, nulls, replace);
	position_drop_copied(position, next->from_id);
	commits.storing = true;
	commits.stored = *next;
}

void
position_not_stored(void)
{
	commits.storing = false;
}

/* What would be applied to some of a table's rows, the others would bring again. */
static bool
copied_shows(const struct copied_table *copied, uint64 xid)
{
	if (copied->unfinished)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_IN_USE),
			 errmsg("the copy of table \"%s\" is not finished",
				get_rel_name(copied->relid)),
			 errhint("elvisctl copy goes on with it.")));
	return DatumGetBool(DirectFunctionCall2(pg_visible_in_snapshot, UInt64GetDatum(xid),
						copied->snapshot));
}

bool
position_has_copied(const Position *position, Oid relid, uint64 xid)
{
	for (int i = 0; i < position->n_copied; i++)
		if (position->copied[i].relid == relid)
			return copied_shows(&position->copied[i], xid);
	return false;
}

/* ---- SQL ---- */

static Datum
position_result(FunctionCallInfo fcinfo, bool known, const struct elvis_position *at)
{
	Datum values[6];
	bool nulls[6];
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	memset(nulls, known ? 0 : 1, sizeof(nulls));
	values[0] = BoolGetDatum(known);
	nulls[0] = false;
	values[1] = Int64GetDatum(at->from_id);
	values[2] = Int64GetDatum(at->from_token);
	values[3] = Int64GetDatum(at->to_id);
	values[4] = Int64GetDatum(at->to_token);
	values[5] = Int64GetDatum(at->seq);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* The recorded source must be the one that the daemon reads. */
static void
position_check_source(TupleTableSlot *slot)
{
	bool isnull;
	int32 source = DatumGetInt32(slot_getattr(slot, POSITION_SOURCE, &isnull));
	int64 incarnation = position_number(slot, POSITION_INCARNATION);

	if (source == session.source && incarnation == session.incarnation)
		return;
	session.known = false;
	ereport(ERROR,
		(errcode(ERRCODE_ELVIS_NODE),
		 errmsg("this link's position is one of another source"),
		 errdetail("It is node %d, incarnation " INT64_FORMAT
			   "; the daemon reads node %d, incarnation " INT64_FORMAT ".",
			   source, incarnation, session.source, session.incarnation),
		 errhint("A source that was replaced by a copy is not the source any more: "
			 "elvis.link_forget() and copy the tables anew.")));
}

static void
position_rename(TupleTableSlot *slot, text *name)
{
	Datum values[POSITION_COLUMNS] = { 0 };
	bool nulls[POSITION_COLUMNS] = { false }, replace[POSITION_COLUMNS] = { false };
	Position position = { .tid = slot->tts_tid };
	bool isnull;

	if (DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, PointerGetDatum(name),
						 slot_getattr(slot, POSITION_NAME, &isnull))))
		return;
	values[POSITION_NAME - 1] = PointerGetDatum(name);
	replace[POSITION_NAME - 1] = true;
	position_replace(&position, values, nulls, replace);
}

PG_FUNCTION_INFO_V1(elvis_link_open);
Datum
elvis_link_open(PG_FUNCTION_ARGS)
{
	pg_uuid_t *link = PG_GETARG_UUID_P(0);
	text *name = PG_GETARG_TEXT_PP(1);
	struct elvis_position at = { 0 };
	Relation relation;
	TupleTableSlot *slot;
	bool known;

	if (walk_current() != NULL)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("a target transaction of another link is under way")));
	target_forget_all();
	memset(&commits, 0, sizeof(commits));
	session.known = true;
	session.link = *link;
	session.source = PG_GETARG_INT32(2);
	session.incarnation = PG_GETARG_INT64(3);
	ItemPointerSetInvalid(&session.tid);

	/* the lock waits for a predecessor that is still committing */
	relation = table_open(catalog_find("position"), RowExclusiveLock);
	slot = table_slot_create(relation, NULL);
	known = position_lock_row(relation, slot);
	if (known) {
		position_check_source(slot);
		position_read(slot, &at);
		position_rename(slot, name);
		commits_add(GetXLogInsertRecPtr(), &at);
	}
	ExecDropSingleTupleTableSlot(slot);
	table_close(relation, NoLock);
	return position_result(fcinfo, known, &at);
}

PG_FUNCTION_INFO_V1(elvis_durable_position);
Datum
elvis_durable_position(PG_FUNCTION_ARGS)
{
	pg_uuid_t *link = PG_GETARG_UUID_P(0);
	bool mine = session.known && memcmp(link, &session.link, sizeof(*link)) == 0;

	if (mine)
		commits_flushed(compat_flushed());
	return position_result(fcinfo, mine && commits.durable_known, &commits.durable);
}
