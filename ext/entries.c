/*
 * entries.c - index entries of the rows that were written.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "call.h"
#include "compat.h"
#include "leaf.h"

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

/* The executor's way, for indexes of every kind. */
static void
insert_by_executor(ApplyCall *call, OpenTable *table, TupleTableSlot *slot, bool update,
		   compat_update_indexes how)
{
	List *rechecks;

	table_need_executor(table);
	rechecks = compat_insert_index_tuples(table->result, slot, table->estate, update, how);
	if (rechecks != NIL)
		remember_rechecks(call, table, rechecks, &slot->tts_tid);
}

/* ---- plain indexes ---- */

/* Every row has an entry, made of the row's own columns, and what is wrong is said at once. */
static bool
is_plain(Relation index, const IndexInfo *info)
{
	return info->ii_Expressions == NIL && info->ii_Predicate == NIL &&
	       info->ii_ExclusionOps == NULL && info->ii_ReadyForInserts &&
	       index->rd_index->indimmediate;
}

void
entries_need(OpenTable *table)
{
	ResultRelInfo *result = table->result;
	MemoryContext old;

	if (table->indexes_open)
		return;
	old = MemoryContextSwitchTo(GetMemoryChunkContext(table));
	ExecOpenIndices(result, false);
	MemoryContextSwitchTo(old);
	table->indexes_open = true;
	table->plain_indexes = true;
	for (int i = 0; i < result->ri_NumIndices; i++)
		table->plain_indexes &= is_plain(result->ri_IndexRelationDescs[i],
						 result->ri_IndexRelationInfo[i]);
}

/* Their locks are kept, like the table's: what is written stays locked as long as it may be undone. */
void
entries_close(OpenTable *table)
{
	for (int i = 0; i < table->result->ri_NumIndices; i++) {
		Relation index = table->result->ri_IndexRelationDescs[i];

		compat_index_insert_cleanup(index, table->result->ri_IndexRelationInfo[i]);
		index_close(index, NoLock);
	}
}

void
entries_insert_one(OpenTable *table, int i, Datum *values, bool *nulls, ItemPointer tid,
		   bool unchanged, bool checked)
{
	Relation index = table->result->ri_IndexRelationDescs[i];

	(void) index_insert(index, values, nulls, tid, table->relation,
			    checked && index->rd_index->indisunique ? UNIQUE_CHECK_YES
								    : UNIQUE_CHECK_NO,
			    unchanged, table->result->ri_IndexRelationInfo[i]);
}

static void
insert_plain(OpenTable *table, int i, TupleTableSlot *slot, bool unchanged, bool checked)
{
	Datum values[INDEX_MAX_KEYS];
	bool nulls[INDEX_MAX_KEYS];

	FormIndexDatum(table->result->ri_IndexRelationInfo[i], slot, table->estate, values, nulls);
	entries_insert_one(table, i, values, nulls, &slot->tts_tid, unchanged, checked);
}

/* Has the row that replaces the one found the same key in this index? */
static bool
is_unchanged(OpenTable *table, const IndexInfo *info)
{
	TupleDesc desc = RelationGetDescr(table->relation);

	for (int i = 0; i < info->ii_NumIndexKeyAttrs; i++) {
		AttrNumber attnum = info->ii_IndexAttrNumbers[i];
		Form_pg_attribute attribute = TupleDescAttr(desc, attnum - 1);
		bool was_null, is_null;
		Datum was = slot_getattr(table->found, attnum, &was_null);
		Datum is = slot_getattr(table->fresh, attnum, &is_null);

		if (was_null != is_null ||
		    (!is_null && was != is &&
		     !datum_image_eq(was, is, attribute->attbyval, attribute->attlen)))
			return false;
	}
	return true;
}

bool
entries_keep_key(OpenTable *table, int i)
{
	Relation index = table->result->ri_IndexRelationDescs[i];
	const IndexInfo *info = table->result->ri_IndexRelationInfo[i];

	return is_plain(index, info) && index->rd_index->indisunique &&
	       index->rd_index->indisvalid && is_unchanged(table, info);
}

/* ---- of inserted and replaced rows ---- */

/* Rows of a table whose entries in one of its indexes are due. */
struct new_rows {
	OpenTable *table;
	int index;
	TupleTableSlot **rows;
	IndexTuple entries[CALL_INSERTS_MAX];	/* formed when they are asked for */
};

static IndexTuple
entry_of(void *context, int row)
{
	struct new_rows *new = context;
	Relation index = new->table->result->ri_IndexRelationDescs[new->index];
	TupleTableSlot *slot = new->rows[row];

	if (new->entries[row] == NULL) {
		Datum values[INDEX_MAX_KEYS];
		bool nulls[INDEX_MAX_KEYS];

		FormIndexDatum(new->table->result->ri_IndexRelationInfo[new->index], slot,
			       new->table->estate, values, nulls);
		new->entries[row] = index_form_tuple(RelationGetDescr(index), values, nulls);
		new->entries[row]->t_tid = slot->tts_tid;
	}
	return new->entries[row];
}

/* Where inserted rows have growing keys, as mostly, the leaf is asked for many. */
static void
insert_run(OpenTable *table, int i, TupleTableSlot **rows, int n)
{
	Relation index = table->result->ri_IndexRelationDescs[i];
	struct new_rows new;
	LeafRun run = { .table = table->relation, .index = index,
			.unique = index->rd_index->indisunique,
			.entry = entry_of, .context = &new };
	int row = 0, alone;

	new.table = table;
	new.index = i;
	new.rows = rows;
	memset(new.entries, 0, sizeof(new.entries[0]) * n);
	while (row < n) {
		row += leaf_enter(&run, row, n, &alone);
		if (alone > 1 && row + 1 < n)
			leaf_guess(index);
		for (; alone > 0 && row < n; alone--)
			insert_plain(table, i, rows[row++], false, true);
	}
}

/* Index by index, so that each one's pages stay at hand. */
void
entries_insert(ApplyCall *call, OpenTable *table, TupleTableSlot **rows, int n)
{
	entries_need(table);
	if (table->plain_indexes) {
		for (int i = 0; i < table->result->ri_NumIndices; i++)
			insert_run(table, i, rows, n);
		return;
	}
	for (int row = 0; row < n; row++) {
		if (row > 0 && table->estate != NULL)
			ResetPerTupleExprContext(table->estate);
		insert_by_executor(call, table, rows[row], false, compat_update_all_indexes);
	}
}

/*
 * A row that keeps its key has a unique index's word that no other has it: that need not be asked
 * again, which would be a look at its old version.  Of a row that was written not long ago there
 * are many, and then the look is what gets the dead ones' entries out of the way.
 */
static void
replace_plain(ApplyCall *call, OpenTable *table, int i)
{
	Form_pg_index index = table->result->ri_IndexRelationDescs[i]->rd_index;
	bool unchanged = is_unchanged(table, table->result->ri_IndexRelationInfo[i]);
	bool looks = index->indisunique && (table->hot || !unchanged || !index->indisvalid);

	if (!looks && waiting_may(table, i)) {
		waiting_add(call, table, i, unchanged);
		return;
	}
	if (looks)
		waiting_flush(call, table);
	insert_plain(table, i, table->fresh, unchanged, looks);
}

void
entries_update(ApplyCall *call, OpenTable *table, compat_update_indexes how)
{
	entries_need(table);
	if (!table->plain_indexes || how != compat_update_all_indexes) {
		waiting_flush(call, table);
		insert_by_executor(call, table, table->fresh, true, how);
		return;
	}
	for (int i = 0; i < table->result->ri_NumIndices; i++)
		replace_plain(call, table, i);
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
		struct before_owner before;

		owner_become(&before, relation->rd_rel->relowner, true);

		GetPerTupleExprContext(estate)->ecxt_scantuple = slot;
		FormIndexDatum(info, slot, estate, values, nulls);
		tid = recheck->tid;
		if (info->ii_ExclusionOps != NULL)
			check_exclusion_constraint(relation, index, info, &slot->tts_tid, values,
						   nulls, estate, false);
		else
			index_insert(index, values, nulls, &tid, relation,
				     UNIQUE_CHECK_EXISTING, false, info);
		owner_leave(&before);
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
