/*
 * leaf.c - the last leaf of a btree.
 *
 * The server enters row by row: it finds the leaf, the place in it, whether the key is there, and
 * writes a WAL record for each.  Keys that grow all go behind what is there, so that one look does
 * for as many as find room, and one record.  That is a generic one, of what has changed in the
 * page; and the page is as if the server had entered them.
 */
#include "postgres.h"

#include "access/generic_xlog.h"
#include "access/nbtree.h"
#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"

#include "compat.h"
#include "leaf.h"

/* Fewer are not worth the copy of the page that their record is made from. */
#define APPEND_MIN 8

/* Rows whose entries go elsewhere, before it is tried again: in vain that costs a comparison. */
#define ALONE_ROWS 64

/* The server's own rules for large entries are the server's. */
#define APPEND_SIZE_MAX (BLCKSZ / 16)

/* A row's key, or an entry's. */
typedef struct LeafKey {
	Datum values[INDEX_MAX_KEYS];
	bool nulls[INDEX_MAX_KEYS];
	ItemPointerData tid;
} LeafKey;

/* What the rows of a call are entered with. */
typedef struct LeafAppend {
	Relation index;
	IndexInfo *info;
	FmgrInfo *compare[INDEX_MAX_KEYS];
	int n_keys;
	LeafKey keys[2];
	LeafKey *last, *next;
} LeafAppend;

static bool
is_btree(Relation index)
{
	return index->rd_rel->relam == BTREE_AM_OID;
}

void
leaf_guess(Relation index)
{
	Buffer leaf;

	if (!is_btree(index) || RelationGetTargetBlock(index) != InvalidBlockNumber)
		return;
	leaf = compat_last_leaf(index);
	if (!BufferIsValid(leaf))
		return;
	RelationSetTargetBlock(index, BufferGetBlockNumber(leaf));
	UnlockReleaseBuffer(leaf);
}

/* ---- keys ---- */

static void
append_begin(LeafAppend *append, Relation index, IndexInfo *info)
{
	append->index = index;
	append->info = info;
	append->n_keys = IndexRelationGetNumberOfKeyAttributes(index);
	for (int i = 0; i < append->n_keys; i++)
		append->compare[i] = index_getprocinfo(index, i + 1, BTORDER_PROC);
	append->last = &append->keys[0];
	append->next = &append->keys[1];
}

static void
read_row(const LeafAppend *append, TupleTableSlot *row, LeafKey *key)
{
	FormIndexDatum(append->info, row, NULL, key->values, key->nulls);
	key->tid = row->tts_tid;
}

static void
read_entry(const LeafAppend *append, IndexTuple entry, LeafKey *key)
{
	index_deform_tuple(entry, RelationGetDescr(append->index), key->values, key->nulls);
	key->tid = *BTreeTupleGetMaxHeapTID(entry);
}

static void
step(LeafAppend *append)
{
	LeafKey *last = append->last;

	append->last = append->next;
	append->next = last;
}

static bool
lacks_a_key(const LeafAppend *append, const LeafKey *key)
{
	for (int i = 0; i < append->n_keys; i++)
		if (key->nulls[i])
			return true;
	return false;
}

/* Is the next key beyond the last?  Entries of one key lie in the order of their rows. */
static bool
grows(const LeafAppend *append)
{
	const LeafKey *last = append->last, *next = append->next;
	Form_pg_index form = append->index->rd_index;

	if (lacks_a_key(append, last) || lacks_a_key(append, next))
		return false;
	for (int i = 0; i < append->n_keys; i++) {
		int order = DatumGetInt32(FunctionCall2Coll(append->compare[i],
							    append->index->rd_indcollation[i],
							    next->values[i], last->values[i]));

		if (order != 0)
			return (order > 0) == !(append->index->rd_indoption[i] & INDOPTION_DESC);
	}
	return !form->indisunique && ItemPointerCompare((ItemPointer) &next->tid,
							(ItemPointer) &last->tid) > 0;
}

/* Do the first few grow?  The first of them is left as the next one. */
static bool
begins_a_run(LeafAppend *append, TupleTableSlot **rows)
{
	read_row(append, rows[0], append->next);
	for (int row = 1; row < APPEND_MIN; row++) {
		step(append);
		read_row(append, rows[row], append->next);
		if (!grows(append))
			return false;
	}
	read_row(append, rows[0], append->next);
	return true;
}

/* ---- the leaf ---- */

/* Locked for writing, not empty, and still the last one. */
static bool
lock_last_leaf(Relation index, Buffer *leaf)
{
	BTPageOpaque opaque;
	Page page;

	*leaf = compat_last_leaf(index);
	if (!BufferIsValid(*leaf))
		return false;
	LockBuffer(*leaf, BUFFER_LOCK_UNLOCK);
	LockBuffer(*leaf, BUFFER_LOCK_EXCLUSIVE);
	page = BufferGetPage(*leaf);
	opaque = compat_btree_opaque(page);
	if (P_ISLEAF(opaque) && P_RIGHTMOST(opaque) && !P_IGNORE(opaque) &&
	    PageGetMaxOffsetNumber(page) >= P_FIRSTDATAKEY(opaque))
		return true;
	UnlockReleaseBuffer(*leaf);
	return false;
}

static void
read_last_entry(LeafAppend *append, Page page)
{
	ItemId item = PageGetItemId(page, PageGetMaxOffsetNumber(page));

	read_entry(append, (IndexTuple) PageGetItem(page, item), append->last);
}

/* Into the copy of the page; false: it does not fit. */
static bool
append_next(LeafAppend *append, Page page)
{
	IndexTuple entry = index_form_tuple(RelationGetDescr(append->index), append->next->values,
					    append->next->nulls);
	Size size = MAXALIGN(IndexTupleSize(entry));

	entry->t_tid = append->next->tid;
	if (size > APPEND_SIZE_MAX || size > PageGetFreeSpace(page))
		return false;
	if (PageAddItem(page, (Item) entry, size, InvalidOffsetNumber, false, false) ==
	    InvalidOffsetNumber)
		elog(ERROR, "no room for an entry in the last leaf of index \"%s\"",
		     RelationGetRelationName(append->index));
	pfree(entry);
	step(append);
	return true;
}

/* The first row has been read, and goes behind what the leaf holds. */
static int
append_rows(LeafAppend *append, Page page, TupleTableSlot **rows, int n)
{
	for (int row = 0; row < n; row++) {
		if (row > 0) {
			read_row(append, rows[row], append->next);
			if (!grows(append))
				return row;
		}
		if (!append_next(append, page))
			return row;
	}
	return n;
}

/*
 * All under the leaf's lock, as the server compares under it as well: some 0.1 us a row.  Nothing
 * is in the page until GenericXLogFinish(), so that an error leaves nothing behind.
 */
static int
append_to_leaf(LeafAppend *append, Buffer leaf, TupleTableSlot **rows, int n)
{
	GenericXLogState *state;
	int appended;

	CheckForSerializableConflictIn(append->index, NULL, BufferGetBlockNumber(leaf));
	state = GenericXLogStart(append->index);
	appended = append_rows(append, GenericXLogRegisterBuffer(state, leaf, 0), rows, n);
	GenericXLogFinish(state);
	return appended;
}

/* Room for few: the server enters those, and splits the leaf. */
static int
room_in(Page page)
{
	ItemId last = PageGetItemId(page, PageGetMaxOffsetNumber(page));

	return PageGetFreeSpace(page) / (ItemIdGetLength(last) + sizeof(ItemIdData));
}

int
leaf_append(Relation index, IndexInfo *info, TupleTableSlot **rows, int n, int *alone)
{
	LeafAppend append;
	Buffer leaf;
	int appended = 0;

	*alone = ALONE_ROWS;
	if (n < APPEND_MIN || !is_btree(index))
		return 0;
	append_begin(&append, index, info);
	if (!begins_a_run(&append, rows) || !lock_last_leaf(index, &leaf))
		return 0;
	read_last_entry(&append, BufferGetPage(leaf));
	if (grows(&append)) {
		*alone = room_in(BufferGetPage(leaf)) + 1;
		if (*alone > APPEND_MIN) {
			appended = append_to_leaf(&append, leaf, rows, n);
			*alone = 1;
		}
	}
	UnlockReleaseBuffer(leaf);
	return appended;
}
