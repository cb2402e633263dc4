/*
 * change.c - one change meets the row it is for.
 *
 * A change is tried; where it does not fit, the conflict is settled, and where the row changed
 * while that was done it is tried again.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/index.h"
#include "utils/acl.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include <elvis/sink.h>

#include "compat.h"
#include "conflict.h"

/* A row that changes under us so often is not worth waiting for here: the batch comes again. */
#define LOOKS_MAX 100

enum tried {
	FITS,		/* done */
	CONFLICTS,
	LOST,		/* somebody was faster */
};

/* ---- rows in the way on unique keys ---- */

static void
need_unique_operators(OpenTable *table)
{
	for (int i = 0; i < table->result->ri_NumIndices; i++) {
		Relation index = table->result->ri_IndexRelationDescs[i];
		IndexInfo *info = table->result->ri_IndexRelationInfo[i];

		if (info->ii_Unique && info->ii_UniqueOps == NULL)
			BuildSpeculativeIndexInfo(index, info);
	}
}

static bool
is_known_blocker(const Conflict *conflict, ItemPointer tid)
{
	if (conflict->local != NULL && ItemPointerEquals(&conflict->local->tts_tid, tid))
		return true;
	for (int i = 0; i < conflict->n_blockers; i++)
		if (ItemPointerEquals(&conflict->blockers[i].row->tts_tid, tid))
			return true;
	return false;
}

/* The row may have gone again since the index told of it: then it is in nobody's way. */
static TupleTableSlot *
fetch_blocker(OpenTable *table, ItemPointer tid)
{
	TupleTableSlot *slot = table_slot_create(table->relation, NULL);

	if (table_tuple_fetch_row_version(table->relation, tid, SnapshotSelf, slot))
		return slot;
	ExecDropSingleTupleTableSlot(slot);
	return NULL;
}

static void
note_blocker(OpenTable *table, Relation index, ItemPointer tid, Conflict *conflict)
{
	TupleTableSlot *row;

	if (is_known_blocker(conflict, tid) || conflict->n_blockers == BLOCKERS_MAX)
		return;
	row = fetch_blocker(table, tid);
	if (row == NULL)
		return;
	if (conflict->blockers == NULL)
		conflict->blockers = palloc(sizeof(Blocker) * BLOCKERS_MAX);
	conflict->blockers[conflict->n_blockers].index =
		pstrdup(RelationGetRelationName(index));
	conflict->blockers[conflict->n_blockers++].row = row;
}

/* For an INSERT the row that has its key already is the local row, the others are in the way. */
static void
note_key_holder(OpenTable *table, ItemPointer tid, Conflict *conflict)
{
	if (table_tuple_fetch_row_version(table->relation, tid, SnapshotSelf, table->found))
		conflict->local = table->found;
}

/* May another row than the one that is replaced have the new row's key in this index? */
static bool
may_be_held(OpenTable *table, int i, ItemPointer self)
{
	Relation index = table->result->ri_IndexRelationDescs[i];

	return list_member_oid(table->map->unique, RelationGetRelid(index)) &&
	       (self == NULL || !ItemPointerIsValid(self) || !entries_keep_key(table, i));
}

static bool
is_held(ApplyCall *call, OpenTable *table, int i, TupleTableSlot *slot, ItemPointer tid)
{
	Relation index = table->result->ri_IndexRelationDescs[i];

	waiting_flush(call, table);
	return !compat_check_index(table->result, slot, table->estate, tid,
				   list_make1_oid(RelationGetRelid(index)));
}

void
change_find_blockers(ApplyCall *call, OpenTable *table, TupleTableSlot *slot, ItemPointer self,
		     Conflict *conflict)
{
	bool insert = self == NULL;
	MemoryContext old;

	old = MemoryContextSwitchTo(call->context);
	entries_need(table);
	table_need_executor(table);
	need_unique_operators(table);
	MemoryContextSwitchTo(old);
	conflict->table = table;
	for (int pass = 0; pass < 2; pass++) {
		for (int i = 0; i < table->result->ri_NumIndices; i++) {
			Relation index = table->result->ri_IndexRelationDescs[i];
			bool is_key = insert && RelationGetRelid(index) == table->map->key_index;
			ItemPointerData tid;

			/* the key first: a row that holds it is not also in the way */
			if (is_key != (pass == 0) || !may_be_held(table, i, self) ||
			    !is_held(call, table, i, slot, &tid) ||
			    (self != NULL && ItemPointerEquals(&tid, self)))
				continue;
			if (is_key)
				note_key_holder(table, &tid, conflict);
			else
				note_blocker(table, index, &tid, conflict);
		}
	}
}

static void
release_blockers(Conflict *conflict)
{
	for (int i = 0; i < conflict->n_blockers; i++)
		ExecDropSingleTupleTableSlot(conflict->blockers[i].row);
	conflict->n_blockers = 0;
}

/* ---- one operation ---- */

static enum tried
conflicts(Conflict *conflict, uint8 kind, OpenTable *table, TupleTableSlot *local)
{
	conflict->kind = kind;
	conflict->table = table;
	conflict->local = local;
	return CONFLICTS;
}

/* Looking first costs; it is done where trouble is known. */
static bool
looks_first(ApplyCall *call, OpenTable *table)
{
	if (call->careful)
		return true;
	if (table->target->doubtful == 0)
		return false;
	table->target->doubtful--;
	return true;
}

/* A row that meets one other through another key than its own is met there. */
static enum tried
insert_conflicts(OpenTable *table, Conflict *conflict)
{
	int n_rows = conflict->n_blockers + (conflict->local != NULL);
	TupleTableSlot *local = conflict->local;

	if (n_rows > 1)
		return conflicts(conflict, ELVIS_MULTIPLE_UNIQUE_CONFLICTS, table, local);
	if (local == NULL) {
		ExecCopySlot(table->found, conflict->blockers[0].row);
		table->found->tts_tid = conflict->blockers[0].row->tts_tid;
		local = table->found;
	}
	return conflicts(conflict, ELVIS_INSERT_EXISTS, table, local);
}

static enum tried
try_insert(ApplyCall *call, OpenTable *table, const Change *change, Conflict *conflict)
{
	if (write_may_queue(call, table)) {
		write_queue(call, table);
		return FITS;
	}
	write_flush(call, table);
	table_need_slots(table);
	row_fill_insert(table, change->after, table->fresh);
	if (looks_first(call, table)) {
		change_find_blockers(call, table, table->fresh, NULL, conflict);
		if (conflict->local != NULL || conflict->n_blockers > 0)
			return insert_conflicts(table, conflict);
	}
	write_insert(call, table, table->fresh);
	return FITS;
}

static bool
find(ApplyCall *call, OpenTable *table, const Change *change)
{
	return row_find(call, table, change->before) ||
	       row_find_again(call, table, change->before);
}

static bool
key_changes(const Change *change)
{
	for (int i = 0; i < change->target->n_key; i++)
		if (change->after[change->target->key[i]].head != ELVIS_COLUMN_UNCHANGED)
			return true;
	return false;
}

static enum tried
replace_found(ApplyCall *call, OpenTable *table, const Change *change, Conflict *conflict)
{
	if (looks_first(call, table)) {
		change_find_blockers(call, table, table->fresh, &table->found->tts_tid,
				     conflict);
		if (conflict->n_blockers > 0)
			return conflicts(conflict, conflict->n_blockers > 1
					 ? ELVIS_MULTIPLE_UNIQUE_CONFLICTS
					 : ELVIS_UPDATE_EXISTS, table, table->found);
	}
	if (write_update(call, table, key_changes(change) ? NULL : change->before) != TM_Ok)
		return LOST;
	return FITS;
}

/* In order: what is greater is written, as a whole; what is the same is there already. */
static enum tried
try_ordered_update(ApplyCall *call, OpenTable *table, const Change *change, Conflict *conflict)
{
	const TargetRule *rule = &change->target->rules[ELVIS_UPDATE_DIFFERS];
	int order = conflict_order(change, table, table->found, rule->column);

	if (order == 0)
		return FITS;
	if (order < 0 || !row_matches(table, change->before, change->after))
		return conflicts(conflict, ELVIS_UPDATE_DIFFERS, table, table->found);
	row_fill_update(table, change->after);
	return replace_found(call, table, change, conflict);
}

static enum tried
try_update(ApplyCall *call, OpenTable *table, const Change *change, Conflict *conflict)
{
	if (!find(call, table, change))
		return conflicts(conflict, ELVIS_UPDATE_MISSING, table, NULL);
	if (change->target->detect == ELVIS_DETECT_ORDER)
		return try_ordered_update(call, table, change, conflict);
	if (!row_matches(table, change->before, change->after))
		return conflicts(conflict, ELVIS_UPDATE_DIFFERS, table, table->found);
	row_fill_update(table, change->after);
	return replace_found(call, table, change, conflict);
}

/* In order a DELETE fits what is not greater than the row it deleted at the source. */
static bool
delete_fits(OpenTable *table, const Change *change)
{
	const TargetRule *rule = &change->target->rules[ELVIS_UPDATE_DIFFERS];

	if (change->target->detect != ELVIS_DETECT_ORDER)
		return row_matches(table, change->before, NULL);
	return conflict_order(change, table, table->found, rule->column) >= 0;
}

static enum tried
try_delete(ApplyCall *call, OpenTable *table, const Change *change, Conflict *conflict)
{
	if (!find(call, table, change))
		return conflicts(conflict, ELVIS_DELETE_MISSING, table, NULL);
	if (!delete_fits(table, change))
		return conflicts(conflict, ELVIS_DELETE_DIFFERS, table, table->found);
	return write_delete(call, table) == TM_Ok ? FITS : LOST;
}

/* ---- tables and columns ---- */

static bool
brings_missing_column(const TargetMap *map, const Change *change)
{
	if (!map->misses_columns || change->after == NULL)
		return false;
	for (int i = 0; i < change->target->n_columns; i++) {
		uint8 head = change->after[i].head;

		if (map->columns[i].attnum != 0 || change->target->columns[i].generated)
			continue;
		if (head == ELVIS_COLUMN_BYTES ||
		    (head == ELVIS_COLUMN_NULL && change->operation == ELVIS_UPDATE))
			return true;
	}
	return false;
}

/* A partition is found by the row as it was, where it was. */
static OpenTable *
partition_of(ApplyCall *call, OpenTable *root, const Change *change)
{
	row_fill_insert(root, change->before != NULL ? change->before : change->after,
			root->fresh);
	return call_route(call, root);
}

static AclMode
rights_for(uint8 operation)
{
	switch (operation) {
	case ELVIS_INSERT:
		return ACL_INSERT;
	case ELVIS_UPDATE:
		return ACL_SELECT | ACL_UPDATE;
	case ELVIS_DELETE:
		return ACL_SELECT | ACL_DELETE;
	default:
		return ACL_NO_RIGHTS;
	}
}

/* What the server raised when this change was tried alone. */
static enum tried
failed_before(ApplyCall *call, OpenTable *table, const Change *change, Conflict *conflict)
{
	WalkFailure *failure = &call->walk->failure;
	TupleTableSlot *local = NULL;

	if (failure->kind == ELVIS_CONSTRAINT_VIOLATION && change->before != NULL &&
	    !table->map->partitioned && find(call, table, change))
		local = table->found;
	conflict->sqlstate = failure->sqlstate;
	conflict->message = failure->message;
	return conflicts(conflict, failure->kind, table, local);
}

static enum tried
try(ApplyCall *call, OpenTable *table, const Change *change, Conflict *conflict)
{
	if (call->walk->failure.kind != 0)
		return failed_before(call, table, change, conflict);
	if (!call->drop_columns && brings_missing_column(table->map, change))
		return conflicts(conflict, ELVIS_TARGET_COLUMN_MISSING, NULL, NULL);
	if (table->map->partitioned)
		table = partition_of(call, table, change);
	switch (change->operation) {
	case ELVIS_INSERT:
		return try_insert(call, table, change, conflict);
	case ELVIS_UPDATE:
		return try_update(call, table, change, conflict);
	default:
		return try_delete(call, table, change, conflict);
	}
}

static enum settled
change_look(ApplyCall *call, const Change *change)
{
	Conflict conflict = { .change = change };
	OpenTable *table = call_enter(call, change->target, rights_for(change->operation));
	enum settled settled;
	enum tried tried;

	if (table == NULL) {
		conflict.kind = ELVIS_TARGET_TABLE_MISSING;
		return conflict_settle(call, &conflict);
	}
	call_claim(call, table);
	if (position_has_copied(&call->walk->position, table->map->relid,
				call->walk->point.begin.xid)) {
		call_leave(call);
		return SETTLED;
	}
	tried = try(call, table, change, &conflict);
	if (tried == CONFLICTS) {
		if (conflict.table != NULL)
			table_need_slots(conflict.table);
		settled = conflict_settle(call, &conflict);
	} else {
		settled = tried == FITS ? SETTLED : LOOK_AGAIN;
	}
	release_blockers(&conflict);
	if (table->map->partitioned)
		for (OpenTable *leaf = table->leaves; leaf != NULL; leaf = leaf->leaves)
			if (leaf->estate != NULL)
				ResetPerTupleExprContext(leaf->estate);
	if (table->estate != NULL)
		ResetPerTupleExprContext(table->estate);
	call_leave(call);
	return settled;
}

bool
change_apply(ApplyCall *call, const Change *change)
{
	call->drop_columns = false;
	for (int looks = 0; looks < LOOKS_MAX; looks++) {
		enum settled settled = change_look(call, change);

		if (settled != LOOK_AGAIN)
			return settled == SETTLED;
	}
	ereport(ERROR,
		(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
		 errmsg("a row of table \"%s.%s\" keeps changing while a change of it is applied",
			change->target->schema, change->target->name)));
}
