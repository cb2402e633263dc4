/*
 * write.c - rows inserted, replaced and deleted, and what each of these brings along.
 *
 * A row is replaced or deleted by comparing and swapping: table_tuple_update() on the version that
 * was found fails when somebody was faster, so that no lock has to be taken first.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "executor/nodeModifyTable.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "call.h"
#include "capture.h"
#include "compat.h"
#include "tids.h"

/* Rows of a table that wait to be inserted together: there is room for so many at first. */
#define QUEUE_ROWS_MIN 4

/* Decoded rows that go in together take so much, and one more row. */
#define FLUSH_SIZE_MAX (32 * 1024 * 1024)

/* Changes of a table may lie far from one another: so long before its turn one is asked for. */
#define QUEUE_AHEAD 4

void
write_step_over(ApplyCall *call, TupleTableSlot *slot)
{
	HeapTupleHeader header;

	/* other table access methods do not tell which command wrote a row */
	if (!TTS_IS_BUFFERTUPLE(slot)) {
		CommandCounterIncrement();
		return;
	}
	header = ((BufferHeapTupleTableSlot *) slot)->base.tuple->t_data;
	if (TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetXmin(header)) &&
	    HeapTupleHeaderGetCmin(header) >= GetCurrentCommandId(false))
		CommandCounterIncrement();
}

/* ---- what a written row brings along ---- */

static bool
lacks_value(const TargetMap *map, TupleTableSlot *slot)
{
	for (int i = 0; i < map->n_not_null; i++)
		if (slot_attisnull(slot, map->not_null[i]))
			return true;
	return false;
}

/* What the table itself demands of a row, before it is written. */
static void
check_row(OpenTable *table, TupleTableSlot *slot)
{
	if (table->map->has_checks || lacks_value(table->map, slot)) {
		table_need_executor(table);
		ExecConstraints(table->result, slot, table->estate);
	}
	/* a row that was led here has its place, unless what led it may have changed since */
	if (table->relation->rd_rel->relispartition &&
	    (table->root == NULL || table->map->fires_triggers || table->map->lacks_columns)) {
		table_need_executor(table);
		ExecPartitionCheck(table->result, slot, table->estate, true);
	}
}

static void
compute_generated(OpenTable *table, TupleTableSlot *slot, CmdType command)
{
	if (!table->map->has_generated)
		return;
	table_need_executor(table);
	ExecComputeStoredGenerated(table->result, table->estate, slot, command);
}

/* A relay's log; users' triggers would have to run first, so then ours is fired among them. */
static void
relay(OpenTable *table, enum elvis_operation operation, TupleTableSlot *old_row,
      TupleTableSlot *new_row)
{
	if (table->map->relay && !table->map->fires_triggers)
		capture_change(table->relation, operation, old_row, new_row);
}

/* The executor's triggers look at rows as of this command. */
static void
begin_triggers(ApplyCall *call, OpenTable *table)
{
	call_open_triggers(call, table->map->owner);
	table_need_executor(table);
	table->estate->es_output_cid = GetCurrentCommandId(true);
	table->estate->es_snapshot = GetActiveSnapshot();
}

/* ---- inserting ---- */

bool
write_may_queue(ApplyCall *call, OpenTable *table)
{
	return !call->careful && table->target->doubtful == 0 && !table->map->fires_triggers &&
	       !table->map->deferrable;
}

static void
make_queue_room(ApplyCall *call, OpenTable *table)
{
	int room = table->n_queue_room == 0 ? QUEUE_ROWS_MIN : table->n_queue_room * 4;

	table->queue = table->queue == NULL
		? MemoryContextAlloc(call->context, sizeof(*table->queue) * room)
		: repalloc(table->queue, sizeof(*table->queue) * room);
	table->n_queue_room = room;
}

/*
 * What waits is not the row, but where its change lies in the frame: there may be changes of ten
 * thousand tables, and all that is known of a table is far away when its turn comes.  It is
 * decoded among its like.
 */
static void
queue_record(ApplyCall *call, OpenTable *table)
{
	if (table->n_queued == table->n_queue_room)
		make_queue_room(call, table);
	table->queue[table->n_queued++] = call->record;
	if (table->n_queued == CALL_INSERTS_MAX)
		write_flush(call, table);
}

void
write_queue(ApplyCall *call, OpenTable *table)
{
	if (table->map->lacks_columns)
		table_need_defaults(table);
	if (table->map->relay || table->volatile_defaults)
		call->in_turn = table;
	table->queues = call->in_turn != table && !table->map->misses_columns &&
			call->walk->position.n_copied == 0;
	queue_record(call, table);
}

bool
write_queue_unseen(ApplyCall *call, OpenTable *table)
{
	if (table == NULL || !table->queues || call->in_turn != NULL ||
	    table->claimed_origin != call->walk->point.context.origin)
		return false;
	queue_record(call, table);
	return true;
}

void
write_complete(OpenTable *table, TupleTableSlot *slot)
{
	compute_generated(table, slot, CMD_INSERT);
	check_row(table, slot);
	if (table->estate != NULL)
		ResetPerTupleExprContext(table->estate);
}

void
write_together(ApplyCall *call, OpenTable *table, TupleTableSlot **rows, int n)
{
	table_multi_insert(table->relation, rows, n, GetCurrentCommandId(true), 0, NULL);
	entries_insert(call, table, rows, n);
	for (int i = 0; i < n; i++)
		relay(table, ELVIS_INSERT, NULL, rows[i]);
}

/* It owns nothing that would have to be dropped, and is gone with the call. */
static TupleTableSlot *
inserting_slot(ApplyCall *call, int i)
{
	MemoryContext old;

	if (call->inserting[i] != NULL)
		return call->inserting[i];
	old = MemoryContextSwitchTo(call->context);
	call->inserting[i] = MakeTupleTableSlot(NULL, &TTSOpsVirtual);
	MemoryContextSwitchTo(old);
	return call->inserting[i];
}

/* Rows of one table after the other are shown in the same slots. */
static void
slot_show(TupleTableSlot *slot, const TargetMap *map, Datum *row)
{
	slot->tts_tupleDescriptor = map->shape;
	slot->tts_values = row;
	slot->tts_isnull = (bool *) (row + map->shape->natts);
}

static void
get_queued(const Walk *walk, const OpenTable *table, int i, struct frame_value *values)
{
	struct elvis_bytes in = { table->queue[i], walk->point.rest.end }, payload;
	struct frame_change change;
	uint8 tag;

	if (!elvis_get_record(&in, &tag, &payload) || !frame_get_change(tag, payload, &change) ||
	    !frame_get_images(&change, table->target->n_columns, NULL, values))
		damaged_frame("the columns of a change");
	Assert(tag == ELVIS_RECORD_INSERT && change.version == table->target->version);
}

/* Rows from the first one on, as many as are not too large together; how many. */
static int
take_from_queue(ApplyCall *call, OpenTable *table, int first)
{
	int n = table->n_queued - first, taken = 0;
	Size size = MAXALIGN((sizeof(Datum) + sizeof(bool)) * table->map->shape->natts);
	char *rows = palloc(size * n);
	struct frame_value *values = palloc(sizeof(*values) * (table->target->n_columns + 1));

	while (taken < n && MemoryContextMemAllocated(call->flush, false) < FLUSH_SIZE_MAX) {
		TupleTableSlot *slot = inserting_slot(call, taken);

		if (taken + QUEUE_AHEAD < n)
			__builtin_prefetch(table->queue[first + taken + QUEUE_AHEAD]);
		slot_show(slot, table->map, (Datum *) (rows + size * taken));
		get_queued(call->walk, table, first + taken, values);
		row_fill_insert(table, values, slot);
		write_complete(table, slot);
		taken++;
	}
	return taken;
}

static void
insert_queue(ApplyCall *call, OpenTable *table)
{
	int taken;

	for (int at = 0; at < table->n_queued; at += taken) {
		taken = take_from_queue(call, table, at);
		write_together(call, table, call->inserting, taken);
		for (int i = 0; i < taken; i++)
			ExecClearTuple(call->inserting[i]);
		MemoryContextReset(call->flush);
	}
}

void
flush_begin(ApplyCall *call, OpenTable *table, Flush *flush)
{
	owner_become(&flush->before, table->map->owner, table->map->has_code);
	flush->old = MemoryContextSwitchTo(call->flush);
}

void
flush_end(ApplyCall *call, Flush *flush)
{
	MemoryContextSwitchTo(flush->old);
	MemoryContextReset(call->flush);
	owner_leave(&flush->before);
}

void
write_flush(ApplyCall *call, OpenTable *table)
{
	Flush flush;

	if (table->n_queued == 0)
		return;
	if (table->map->has_code)
		waiting_flush_all(call);
	else
		waiting_flush(call, table);
	flush_begin(call, table, &flush);
	insert_queue(call, table);
	flush_end(call, &flush);

	table->n_queued = 0;
	if (call->in_turn == table)
		call->in_turn = NULL;
}

void
write_flush_all(ApplyCall *call)
{
	for (OpenTable *table = call->tables; table != NULL; table = table->next)
		write_flush(call, table);
	waiting_flush_all(call);
}

void
write_insert(ApplyCall *call, OpenTable *table, TupleTableSlot *slot)
{
	bool fires = table->map->fires_triggers;

	if (fires) {
		begin_triggers(call, table);
		if (!ExecBRInsertTriggers(table->estate, table->result, slot))
			return;
	}
	waiting_flush(call, table);
	compute_generated(table, slot, CMD_INSERT);
	check_row(table, slot);
	table_tuple_insert(table->relation, slot, GetCurrentCommandId(true), 0, NULL);
	entries_insert(call, table, &slot, 1);
	if (fires)
		ExecARInsertTriggers(table->estate, table->result, slot, NIL, NULL);
	relay(table, ELVIS_INSERT, NULL, slot);
}

/* ---- replacing and deleting ---- */

TM_Result
write_lock(ApplyCall *call, OpenTable *table, TupleTableSlot *slot)
{
	ItemPointerData tid = slot->tts_tid;
	TM_FailureData failure;
	TupleTableSlot *locked;
	TM_Result result;

	write_step_over(call, slot);
	locked = table_slot_create(table->relation, NULL);
	result = table_tuple_lock(table->relation, &tid, GetActiveSnapshot(), locked,
				  GetCurrentCommandId(true), LockTupleExclusive, LockWaitBlock,
				  0, &failure);
	ExecDropSingleTupleTableSlot(locked);
	return result;
}

/* Columns whose values differ, for triggers that ask. */
static void
tell_updated_columns(OpenTable *table)
{
	TupleDesc desc = RelationGetDescr(table->relation);
	Bitmapset *updated = NULL;

	if (table->map->has_generated)
		return;
	for (int i = 0; i < desc->natts; i++) {
		TupleTableSlot *found = table->found, *fresh = table->fresh;

		if (found->tts_isnull[i] != fresh->tts_isnull[i] ||
		    (!found->tts_isnull[i] && found->tts_values[i] != fresh->tts_values[i]))
			updated = bms_add_member(updated,
						 i + 1 - FirstLowInvalidHeapAttributeNumber);
	}
	compat_set_updated_columns(table->estate, updated);
}

/* BEFORE triggers want the row locked; false: one of them said no. */
static bool
before_update(ApplyCall *call, OpenTable *table, TM_Result *result)
{
	EPQState epq;

	*result = write_lock(call, table, table->found);
	if (*result != TM_Ok)
		return false;
	begin_triggers(call, table);
	tell_updated_columns(table);
	compat_init_recheck(&epq, table->estate);
	return compat_before_update_triggers(table->estate, &epq, table->result,
					     &table->found->tts_tid, table->fresh);
}

static bool
before_delete(ApplyCall *call, OpenTable *table, TM_Result *result)
{
	EPQState epq;

	*result = write_lock(call, table, table->found);
	if (*result != TM_Ok)
		return false;
	begin_triggers(call, table);
	compat_init_recheck(&epq, table->estate);
	return compat_before_delete_triggers(table->estate, &epq, table->result,
					     &table->found->tts_tid);
}

/* The row belongs to another partition now: deleted here, inserted there. */
static TM_Result
write_move(ApplyCall *call, OpenTable *table)
{
	OpenTable *root = table->root, *leaf;
	TM_Result result = write_delete(call, table);

	if (result != TM_Ok)
		return result;
	for (int i = 0; i < root->target->n_columns; i++) {
		int from = table->map->columns[i].attnum, to = root->map->columns[i].attnum;

		if (i == 0)
			ExecStoreAllNullTuple(root->fresh);
		if (from == 0 || to == 0)
			continue;
		root->fresh->tts_values[to - 1] = table->fresh->tts_values[from - 1];
		root->fresh->tts_isnull[to - 1] = table->fresh->tts_isnull[from - 1];
	}
	leaf = call_route(call, root);
	table_need_slots(leaf);
	ExecStoreAllNullTuple(leaf->fresh);
	for (int i = 0; i < root->target->n_columns; i++) {
		int from = table->map->columns[i].attnum, to = leaf->map->columns[i].attnum;

		if (from == 0 || to == 0)
			continue;
		leaf->fresh->tts_values[to - 1] = table->fresh->tts_values[from - 1];
		leaf->fresh->tts_isnull[to - 1] = table->fresh->tts_isnull[from - 1];
	}
	write_insert(call, leaf, leaf->fresh);
	return TM_Ok;
}

static TM_Result
swap(ApplyCall *call, OpenTable *table)
{
	ItemPointerData tid = table->found->tts_tid;
	compat_update_indexes how;
	TM_FailureData failure;
	LockTupleMode mode;
	TM_Result result;

	write_step_over(call, table->found);
	result = table_tuple_update(table->relation, &tid, table->fresh,
				    GetCurrentCommandId(true), GetActiveSnapshot(),
				    InvalidSnapshot, true, &failure, &mode, &how);
	if (result != TM_Ok)
		return result;
	if (compat_needs_indexes(how))
		entries_update(call, table, how);
	return TM_Ok;
}

TM_Result
write_update(ApplyCall *call, OpenTable *table, const struct frame_value *image)
{
	bool fires = table->map->fires_triggers;
	TM_Result result = TM_Ok;

	if (fires && !before_update(call, table, &result))
		return result;
	compute_generated(table, table->fresh, CMD_UPDATE);
	if (table->root != NULL)
		table_need_executor(table);
	if (table->root != NULL &&
	    !ExecPartitionCheck(table->result, table->fresh, table->estate, false))
		return write_move(call, table);
	check_row(table, table->fresh);
	result = swap(call, table);
	if (result != TM_Ok)
		return result;
	if (image != NULL)
		tids_remember(row_key_hash(table, image), &table->fresh->tts_tid);
	if (fires)
		compat_after_update_triggers(table->estate, table->result,
					     &table->found->tts_tid, table->fresh);
	relay(table, ELVIS_UPDATE, table->found, table->fresh);
	return TM_Ok;
}

TM_Result
write_delete(ApplyCall *call, OpenTable *table)
{
	bool fires = table->map->fires_triggers;
	ItemPointerData tid = table->found->tts_tid;
	TM_FailureData failure;
	TM_Result result = TM_Ok;

	if (fires && !before_delete(call, table, &result))
		return result;
	write_step_over(call, table->found);
	result = table_tuple_delete(table->relation, &tid, GetCurrentCommandId(true),
				    GetActiveSnapshot(), InvalidSnapshot, true, &failure, false);
	if (result != TM_Ok)
		return result;
	if (fires)
		compat_after_delete_triggers(table->estate, table->result, &tid);
	relay(table, ELVIS_DELETE, table->found, NULL);
	return TM_Ok;
}
