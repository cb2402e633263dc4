/*
 * entries.c - index entries of the rows that were written.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "call.h"
#include "compat.h"

static void
remember_rechecks(ApplyCall *call, OpenTable *table, List *indexes, ItemPointer tid)
{
	Walk *walk = call->walk;
	ListCell *cell;

	foreach(cell, indexes) {
		Recheck *recheck;

		if (walk->point.n_rechecks == walk->n_recheck_room) {
			int room = Max(64, walk->n_recheck_room * 2);

			walk->rechecks = walk->rechecks == NULL
				? MemoryContextAllocHuge(walk->context, sizeof(Recheck) * room)
				: repalloc_huge(walk->rechecks, sizeof(Recheck) * room);
			walk->n_recheck_room = room;
		}
		recheck = &walk->rechecks[walk->point.n_rechecks++];
		recheck->relid = RelationGetRelid(table->relation);
		recheck->index = lfirst_oid(cell);
		recheck->file = table->relation->rd_rel->relfilenode;
		recheck->tid = *tid;
		recheck->version = table->target->version;
		recheck->ordinal = walk->point.ordinal;
		recheck->operation = walk->operation;
	}
}

void
entries_insert(ApplyCall *call, OpenTable *table, TupleTableSlot *slot, bool update,
	       compat_update_indexes how)
{
	List *rechecks;

	if (table->result->ri_NumIndices == 0)
		return;
	rechecks = compat_insert_index_tuples(table->result, slot, table->estate, update, how);
	if (rechecks != NIL)
		remember_rechecks(call, table, rechecks, &slot->tts_tid);
}

/* ---- deferrable keys ---- */

static void
recheck_row(const Recheck *recheck)
{
	Relation relation = table_open(recheck->relid, RowExclusiveLock);
	Relation index = index_open(recheck->index, RowExclusiveLock);
	TupleTableSlot *slot = table_slot_create(relation, NULL);
	IndexFetchTableData *fetch = table_index_fetch_begin(relation);
	ItemPointerData tid = recheck->tid;
	bool again = false;

	/* the row may have been replaced in place since, or be gone, which breaks no key; a table
	 * that was emptied or rewritten has new indexes */
	if (recheck->file == relation->rd_rel->relfilenode &&
	    table_index_fetch_tuple(fetch, &tid, SnapshotSelf, slot, &again, NULL)) {
		EState *estate = CreateExecutorState();
		IndexInfo *info = BuildIndexInfo(index);
		Datum values[INDEX_MAX_KEYS];
		bool nulls[INDEX_MAX_KEYS];

		GetPerTupleExprContext(estate)->ecxt_scantuple = slot;
		FormIndexDatum(info, slot, estate, values, nulls);
		tid = recheck->tid;
		if (info->ii_ExclusionOps != NULL)
			check_exclusion_constraint(relation, index, info, &slot->tts_tid, values,
						   nulls, estate, false);
		else
			index_insert(index, values, nulls, &tid, relation,
				     UNIQUE_CHECK_EXISTING, false, info);
		FreeExecutorState(estate);
	}
	table_index_fetch_end(fetch);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, NoLock);
	table_close(relation, NoLock);
}

void
entries_recheck(ApplyCall *call)
{
	Walk *walk = call->walk;

	if (walk->point.n_rechecks == 0)
		return;
	write_flush_all(call);
	CommandCounterIncrement();
	for (int i = 0; i < walk->point.n_rechecks; i++) {
		walk->rechecking = i;
		recheck_row(&walk->rechecks[i]);
	}
	walk->rechecking = -1;
	walk->point.n_rechecks = 0;
}
