/*
 * rows.c - rows of a change: made from its values, found by its key, compared with its image.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "common/hashfn.h"
#include "storage/bufmgr.h"
#include "utils/datum.h"
#include "utils/snapmgr.h"

#include <elvis/sink.h>

#include "call.h"
#include "compat.h"
#include "tids.h"

/* ---- making ---- */

static void
fill_defaults(OpenTable *table, TupleTableSlot *slot)
{
	ExprContext *context;
	TupleDesc desc = RelationGetDescr(table->relation);

	table_need_defaults(table);
	context = GetPerTupleExprContext(table->estate);
	for (int i = 0; i < desc->natts; i++)
		if (table->defaults[i] != NULL)
			slot->tts_values[i] = ExecEvalExpr(table->defaults[i], context,
							   &slot->tts_isnull[i]);
}

/* One value into its place; a local column that there is not, or that computes itself, is left. */
static void
fill_value(OpenTable *table, int column, const struct frame_value *value, TupleTableSlot *slot)
{
	LocalColumn *local = &table->map->columns[column];
	int place = local->attnum - 1;

	if (local->attnum == 0 || local->generated ||
	    table->target->columns[column].generated)
		return;
	switch (value->head) {
	case ELVIS_COLUMN_NULL:
		value_decode_null(&local->codec);
		slot->tts_isnull[place] = true;
		break;
	case ELVIS_COLUMN_BYTES:
		slot->tts_values[place] = target_decode(table->target, table->map, column, value);
		slot->tts_isnull[place] = false;
		break;
	default:	/* unchanged, not captured: as it is */
		break;
	}
}

void
row_fill_insert(OpenTable *table, const struct frame_value *values, TupleTableSlot *slot)
{
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts * sizeof(bool));
	if (table->map->lacks_columns)
		fill_defaults(table, slot);
	for (int i = 0; i < table->target->n_columns; i++)
		fill_value(table, i, &values[i], slot);
	ExecStoreVirtualTuple(slot);
}

static void
fill_from_found(OpenTable *table)
{
	TupleTableSlot *fresh = table->fresh, *found = table->found;
	int n = fresh->tts_tupleDescriptor->natts;

	ExecClearTuple(fresh);
	slot_getallattrs(found);
	memcpy(fresh->tts_values, found->tts_values, n * sizeof(Datum));
	memcpy(fresh->tts_isnull, found->tts_isnull, n * sizeof(bool));
}

void
row_fill_update(OpenTable *table, const struct frame_value *values)
{
	fill_from_found(table);
	for (int i = 0; values != NULL && i < table->target->n_columns; i++)
		fill_value(table, i, &values[i], table->fresh);
	ExecStoreVirtualTuple(table->fresh);
}

static void
merge_value(OpenTable *table, int column, const struct frame_value *value, TupleTableSlot *slot)
{
	LocalColumn *local = &table->map->columns[column];
	int place = local->attnum - 1;

	if (local->attnum == 0 || local->generated)
		return;
	if (value->head == ELVIS_COLUMN_NULL) {
		value_decode_null(&local->codec);
		slot->tts_isnull[place] = true;
	} else if (value->head == ELVIS_COLUMN_BYTES) {
		slot->tts_values[place] =
			value_from_text(&local->codec,
					value_from_wire(value->bytes, value->length));
		slot->tts_isnull[place] = false;
	}
}

void
row_merge(OpenTable *table, struct elvis_bytes merged, TupleTableSlot *slot)
{
	int n = table->target->n_columns;
	struct frame_value *values = palloc(sizeof(*values) * (n + 1));

	if (!frame_get_values(&merged, n, FRAME_OF_CONFLICT, values) || merged.at != merged.end)
		damaged_frame("the row of a verdict");
	slot_getallattrs(slot);
	for (int i = 0; i < n; i++)
		merge_value(table, i, &values[i], slot);
}

/* ---- finding ---- */

static void
need_key(OpenTable *table)
{
	if (OidIsValid(table->map->key_index))
		return;
	ereport(ERROR,
		(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
		 errmsg("table \"%s.%s\" has no unique index by which a change of it can be found",
			table->target->schema, table->target->name),
		 table->target->n_key == 0
		 ? errdetail("The source's table has no key.")
		 : errdetail("There must be a btree index, unique and checked at once, on "
			     "exactly the source's key columns.")));
}

/* The key's values from the image, into the scan keys; what they hash to, as they arrived. */
static uint64
take_key(OpenTable *table, const struct frame_value *image)
{
	TargetMap *map = table->map;
	uint64 hash = map->relid;

	for (int i = 0; i < table->target->n_key; i++) {
		const struct frame_value *value = &image[map->key[i]];

		if (value->head != ELVIS_COLUMN_BYTES)
			damaged_frame("a key without a value");
		map->scan_key[i].sk_argument = target_decode(table->target, map, map->key[i],
							     value);
		hash = hash_bytes_extended(value->bytes, (int) value->length, hash);
	}
	return hash;
}

static bool
has_key(OpenTable *table, TupleTableSlot *slot)
{
	TargetMap *map = table->map;

	for (int i = 0; i < table->target->n_key; i++) {
		ScanKey key = &map->scan_key[i];
		bool isnull;
		Datum value = slot_getattr(slot, map->columns[map->key[i]].attnum, &isnull);

		if (isnull || !DatumGetBool(FunctionCall2Coll(&key->sk_func, key->sk_collation,
							      value, key->sk_argument)))
			return false;
	}
	return true;
}

/* Is that place in the table, as it is now? */
static bool
is_inside(OpenTable *table, ItemPointer tid)
{
	BlockNumber block = ItemPointerGetBlockNumber(tid);

	if (block >= table->n_blocks)
		table->n_blocks = RelationGetNumberOfBlocks(table->relation);
	return block < table->n_blocks;
}

static bool
find_at(OpenTable *table, ItemPointer tid)
{
	return table_tuple_fetch_row_version(table->relation, tid, SnapshotSelf, table->found) &&
	       has_key(table, table->found);
}

static bool
find_remembered(OpenTable *table, uint64 hash)
{
	ItemPointerData tid;

	return tids_recall(hash, &tid) && is_inside(table, &tid) && find_at(table, &tid);
}

/*
 * Rows that a statement went through one after the other at the source mostly stand so here too.
 * Once two neighbours were met, the place after them is looked at before the index is asked, and
 * when the page ends there, the next one's first; of other kinds of tables we do not know what
 * places there are.
 */
static bool
find_following(OpenTable *table)
{
	ItemPointerData tid = table->met;

	if (!table->in_order || !TTS_IS_BUFFERTUPLE(table->found))
		return false;
	ItemPointerSetOffsetNumber(&tid, OffsetNumberNext(ItemPointerGetOffsetNumber(&tid)));
	if (find_at(table, &tid))
		return true;
	ItemPointerSet(&tid, ItemPointerGetBlockNumber(&tid) + 1, FirstOffsetNumber);
	return is_inside(table, &tid) && find_at(table, &tid);
}

static void
note_place(OpenTable *table)
{
	ItemPointerData last = table->met;
	BlockNumber block = ItemPointerGetBlockNumber(&table->found->tts_tid);
	OffsetNumber offset = ItemPointerGetOffsetNumber(&table->found->tts_tid);

	table->met = table->found->tts_tid;
	table->in_order = ItemPointerIsValid(&last) &&
		(offset == FirstOffsetNumber
		 ? block == ItemPointerGetBlockNumber(&last) + 1
		 : block == ItemPointerGetBlockNumber(&last) &&
		   offset == ItemPointerGetOffsetNumber(&last) + 1);
}

static Relation
key_index(OpenTable *table)
{
	if (table->key_index == NULL)
		table->key_index = index_open(table->map->key_index, RowExclusiveLock);
	return table->key_index;
}

static void
open_scan(ApplyCall *call, OpenTable *table)
{
	OpenTable **place = &call->scanning[call->next_scan++ % CALL_SCANS_MAX];

	if (*place != NULL) {
		index_endscan((*place)->scan);
		(*place)->scan = NULL;
	}
	*place = NULL;
	table->scan = compat_index_beginscan(table->relation, key_index(table), SnapshotSelf,
					     table->target->n_key);
	*place = table;
}

/* A scan keeps what it allocates for later rows: never in the memory of one row. */
static bool
find_by_index(ApplyCall *call, OpenTable *table)
{
	MemoryContext old;
	bool found;

	waiting_flush(call, table);
	old = MemoryContextSwitchTo(call->context);
	if (table->scan == NULL)
		open_scan(call, table);
	index_rescan(table->scan, table->map->scan_key, table->target->n_key, NULL, 0);
	found = index_getnext_slot(table->scan, ForwardScanDirection, table->found);
	MemoryContextSwitchTo(old);
	return found;
}

bool
row_find(ApplyCall *call, OpenTable *table, const struct frame_value *image)
{
	uint64 hash;
	bool follows;

	need_key(table);
	table_need_slots(table);
	hash = take_key(table, image);
	write_flush(call, table);
	follows = find_following(table);
	table->hot = !follows && find_remembered(table, hash);
	if (!follows && !table->hot && !find_by_index(call, table))
		return false;
	note_place(table);
	return true;
}

bool
row_find_again(ApplyCall *call, OpenTable *table, const struct frame_value *image)
{
	MemoryContext old;
	IndexScanDesc scan;
	Snapshot snapshot;
	bool found;

	(void) take_key(table, image);
	write_flush(call, table);
	waiting_flush(call, table);
	CommandCounterIncrement();

	old = MemoryContextSwitchTo(call->context);
	snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan = compat_index_beginscan(table->relation, key_index(table), snapshot,
				      table->target->n_key);
	index_rescan(scan, table->map->scan_key, table->target->n_key, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, table->found);
	index_endscan(scan);
	UnregisterSnapshot(snapshot);
	MemoryContextSwitchTo(old);
	return found;
}

uint64
row_key_hash(OpenTable *table, const struct frame_value *image)
{
	uint64 hash = table->map->relid;

	for (int i = 0; i < table->target->n_key; i++) {
		const struct frame_value *value = &image[table->map->key[i]];

		hash = hash_bytes_extended(value->bytes, (int) value->length, hash);
	}
	return hash;
}

/* ---- comparing ---- */

static bool
value_matches(OpenTable *table, int column, const struct frame_value *value)
{
	LocalColumn *local = &table->map->columns[column];
	bool isnull;
	Datum here = slot_getattr(table->found, local->attnum, &isnull);

	if (isnull || value->head == ELVIS_COLUMN_NULL)
		return isnull && value->head == ELVIS_COLUMN_NULL;
	if (local->own_form &&
	    table->target->columns[column].form == ELVIS_FORM_STORED &&
	    value_is_stored_as(&local->codec, here, value->bytes, value->length))
		return true;
	return value_same_image(&local->codec, here,
				target_decode(table->target, table->map, column, value));
}

/* Computed columns follow from the others, and what did not travel cannot be compared. */
static bool
is_compared(OpenTable *table, int column, const struct frame_value *before,
	    const struct frame_value *after)
{
	const TargetColumn *from = &table->target->columns[column];
	const LocalColumn *local = &table->map->columns[column];

	if (local->attnum == 0 || local->generated || from->generated || from->ignored ||
	    before[column].head == ELVIS_COLUMN_NOT_CAPTURED)
		return false;
	return table->target->detect != ELVIS_DETECT_CHANGED_COLUMNS || after == NULL ||
	       after[column].head != ELVIS_COLUMN_UNCHANGED;
}

bool
row_matches(OpenTable *table, const struct frame_value *before, const struct frame_value *after)
{
	if (table->target->detect == ELVIS_DETECT_KEY)
		return true;
	for (int i = 0; i < table->target->n_columns; i++)
		if (is_compared(table, i, before, after) && !value_matches(table, i, &before[i]))
			return false;
	return true;
}
