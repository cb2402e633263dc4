/*
 * leaf.c - many entries into one leaf of a btree.
 *
 * The server enters one by one: it descends, finds the place in the leaf and looks whether the key
 * is there.  Of entries that grow many have their place in the same leaf, so that one descent does
 * for them.  The page is then as if the server had entered them, and so is the WAL: a record for
 * each, or the page where that is less.
 *
 * The first leaf that a key may be in, locked for writing, shows all there is to know of it if the
 * leaf's high key is beyond: who wants to enter an equal one has to come by here.
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "access/nbtxlog.h"
#include "access/xloginsert.h"
#include "catalog/pg_am.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/predicate.h"

#include "compat.h"
#include "leaf.h"

/* Fewer are not worth the descent. */
#define RUN_MIN 8

/* As many as a leaf can take at one go. */
#define RUN_MAX MaxIndexTuplesPerPage

/* What the WAL record of an entry needs beside it. */
#define RECORD_HEADS 48

/* Entries that do not grow, before it is tried again: in vain that costs a comparison. */
#define ALONE 64

/* The server's own rules for large entries are the server's. */
#define SIZE_MAX_IN_RUN (BLCKSZ / 16)

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

/* ---- comparing ---- */

/* What the entries of a run are compared with others by, and the one that is about to be. */
typedef struct Comparison {
	Relation index;
	bool unique;
	int n_keys;
	FmgrInfo *order[INDEX_MAX_KEYS];
	IndexTuple entry;
	Datum values[INDEX_MAX_KEYS];
	bool nulls[INDEX_MAX_KEYS];
} Comparison;

/* Functions are looked up before a page is locked. */
static void
comparison_begin(Comparison *c, const LeafRun *run)
{
	c->index = run->index;
	c->unique = run->unique;
	c->n_keys = IndexRelationGetNumberOfKeyAttributes(run->index);
	for (int i = 0; i < c->n_keys; i++)
		c->order[i] = index_getprocinfo(run->index, i + 1, BTORDER_PROC);
}

static void
comparison_take(Comparison *c, IndexTuple entry)
{
	c->entry = entry;
	for (int i = 0; i < c->n_keys; i++)
		c->values[i] = index_getattr(entry, i + 1, RelationGetDescr(c->index),
					     &c->nulls[i]);
}

/* Below zero: the entry's column comes before the other's. */
static int
compare_column(const Comparison *c, int i, IndexTuple other)
{
	int16 option = c->index->rd_indoption[i];
	bool other_null;
	Datum value = index_getattr(other, i + 1, RelationGetDescr(c->index), &other_null);
	int order;

	if (c->nulls[i] || other_null) {
		order = (int) c->nulls[i] - (int) other_null;
		return option & INDOPTION_NULLS_FIRST ? -order : order;
	}
	order = DatumGetInt32(FunctionCall2Coll(c->order[i], c->index->rd_indcollation[i],
						c->values[i], value));
	return option & INDOPTION_DESC ? -(order > 0) + (order < 0) : order;
}

static int
compare_columns(const Comparison *c, IndexTuple other, int n)
{
	for (int i = 0; i < n; i++) {
		int order = compare_column(c, i, other);

		if (order != 0)
			return order;
	}
	return 0;
}

/* Entries of one key lie in the order of their rows; zero as well for one in the midst of others. */
static int
compare_rows(const Comparison *c, IndexTuple other)
{
	int order = ItemPointerCompare(&c->entry->t_tid, BTreeTupleGetHeapTID(other));

	if (order <= 0 || !BTreeTupleIsPosting(other))
		return order;
	return ItemPointerCompare(&c->entry->t_tid, BTreeTupleGetMaxHeapTID(other)) > 0;
}

static int
compare(const Comparison *c, IndexTuple other)
{
	int order = compare_columns(c, other, c->n_keys);

	return order != 0 || c->unique ? order : compare_rows(c, other);
}

/* ---- the run ---- */

static bool
begins_a_run(Comparison *c, const LeafRun *run, int from, int to)
{
	if (to - from < RUN_MIN)
		return false;
	for (int i = from + 1; i < from + RUN_MIN; i++) {
		comparison_take(c, run->entry(run->context, i));
		if (compare(c, run->entry(run->context, i - 1)) <= 0)
			return false;
	}
	return true;
}

/* ---- the leaf ---- */

static IndexTuple
item_at(Page page, OffsetNumber at)
{
	return (IndexTuple) PageGetItem(page, PageGetItemId(page, at));
}

/*
 * The leaf where the entry goes, locked for writing; of an index as older servers made it, none.
 * Where no other row may have the key it is the first that one could be in: entries of dead rows
 * may fill several, and the place that the row itself has among them is not the one to look at.
 */
static bool
find_leaf(const LeafRun *run, IndexTuple entry, Buffer *leaf)
{
	BTScanInsert key = _bt_mkscankey(run->index, entry);
	bool found = key->heapkeyspace;
	BTStack stack;

	if (found) {
		key->scantid = run->unique ? NULL : &entry->t_tid;
		stack = compat_btree_search(run->table, run->index, key, leaf);
		_bt_freestack(stack);
	}
	pfree(key);
	return found;
}

/* Is the entry below the leaf's high key, of which only the columns count that are left? */
static bool
belongs_to(const Comparison *c, Page page)
{
	IndexTuple high;

	if (P_RIGHTMOST(compat_btree_opaque(page)))
		return true;
	high = item_at(page, P_HIKEY);
	return compare_columns(c, high, Min(BTreeTupleGetNAtts(high, c->index), c->n_keys)) < 0;
}

/* Moves *at on to the first item beyond the entry, mostly a step or two; false: one is equal. */
static bool
find_place(const Comparison *c, Page page, OffsetNumber *at)
{
	OffsetNumber low = *at, end = OffsetNumberNext(PageGetMaxOffsetNumber(page)), high = low;

	for (OffsetNumber step = 1; high < end; step *= 2) {
		int order = compare(c, item_at(page, high));

		if (order == 0)
			return false;
		if (order < 0)
			break;
		low = high + 1;
		high = Min(high + step, end);
	}
	while (low < high) {
		OffsetNumber middle = low + (high - low) / 2;
		int order = compare(c, item_at(page, middle));

		if (order == 0)
			return false;
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	*at = low;
	return true;
}

/* ---- entering ---- */

/* What is about to be entered in a leaf, and already is in a copy of it. */
typedef struct Entered {
	Page copy;
	int n;
	Size size;		/* of the entries */
	OffsetNumber at[RUN_MAX];
} Entered;

static void
add(Relation index, Page page, IndexTuple entry, OffsetNumber at)
{
	if (PageAddItem(page, (Item) entry, IndexTupleSize(entry), at, false, false) ==
	    InvalidOffsetNumber)
		elog(ERROR, "no room for an entry in a leaf of index \"%s\"",
		     RelationGetRelationName(index));
}

static bool
enter_in_copy(const Comparison *c, Entered *entered, OffsetNumber *at)
{
	Size size = IndexTupleSize(c->entry);

	if (entered->n == RUN_MAX || size > SIZE_MAX_IN_RUN ||
	    size > PageGetFreeSpace(entered->copy) || !find_place(c, entered->copy, at))
		return false;
	add(c->index, entered->copy, c->entry, *at);
	entered->at[entered->n++] = (*at)++;
	entered->size += size;
	return true;
}

/* Whatever is raised while keys are compared, the page has nothing of it yet. */
static void
try_in_copy(Comparison *c, const LeafRun *run, Page page, int from, int to, Entered *entered)
{
	OffsetNumber at = P_FIRSTDATAKEY(compat_btree_opaque(page));

	entered->copy = PageGetTempPageCopy(page);
	entered->n = 0;
	entered->size = 0;
	for (int i = from; i < to; i++) {
		comparison_take(c, run->entry(run->context, i));
		if ((i > from && compare(c, run->entry(run->context, i - 1)) <= 0) ||
		    !belongs_to(c, page) || !enter_in_copy(c, entered, &at))
			return;
	}
}

static void
log_entry(Buffer leaf, IndexTuple entry, OffsetNumber at)
{
	xl_btree_insert insert = { .offnum = at };
	XLogRecPtr end;

	XLogBeginInsert();
	XLogRegisterData((char *) &insert, SizeOfBtreeInsert);
	XLogRegisterBuffer(0, leaf, REGBUF_STANDARD);
	XLogRegisterBufData(0, (char *) entry, IndexTupleSize(entry));
	end = XLogInsert(RM_BTREE_ID, XLOG_BTREE_INSERT_LEAF);
	PageSetLSN(BufferGetPage(leaf), end);
}

static void
enter_each(const LeafRun *run, Buffer leaf, int from, const Entered *entered)
{
	for (int i = 0; i < entered->n; i++) {
		IndexTuple entry = run->entry(run->context, from + i);

		START_CRIT_SECTION();
		add(run->index, BufferGetPage(leaf), entry, entered->at[i]);
		MarkBufferDirty(leaf);
		if (RelationNeedsWAL(run->index))
			log_entry(leaf, entry, entered->at[i]);
		END_CRIT_SECTION();
	}
}

static void
enter_page(const LeafRun *run, Buffer leaf, const Entered *entered)
{
	START_CRIT_SECTION();
	memcpy(BufferGetPage(leaf), entered->copy, BLCKSZ);
	MarkBufferDirty(leaf);
	if (RelationNeedsWAL(run->index))
		log_newpage_buffer(leaf, true);
	END_CRIT_SECTION();
}

static Size
size_of_page(Page page)
{
	return BLCKSZ - (((PageHeader) page)->pd_upper - ((PageHeader) page)->pd_lower);
}

/* All under the leaf's lock, as the server compares under it as well. */
static int
enter(Comparison *c, const LeafRun *run, Buffer leaf, int from, int to)
{
	Entered entered;

	CheckForSerializableConflictIn(run->index, NULL, BufferGetBlockNumber(leaf));
	try_in_copy(c, run, BufferGetPage(leaf), from, to, &entered);
	if (entered.n * RECORD_HEADS + entered.size < size_of_page(entered.copy))
		enter_each(run, leaf, from, &entered);
	else
		enter_page(run, leaf, &entered);
	pfree(entered.copy);
	return entered.n;
}

int
leaf_enter(const LeafRun *run, int from, int to, int *alone)
{
	Comparison c;
	Buffer leaf;
	int entered = 0;

	*alone = ALONE;
	if (to - from < RUN_MIN || !is_btree(run->index))
		return 0;
	comparison_begin(&c, run);
	if (!begins_a_run(&c, run, from, to))
		return 0;
	/* all are formed before the leaf is locked */
	for (int i = from; i < to; i++)
		(void) run->entry(run->context, i);
	if (!find_leaf(run, run->entry(run->context, from), &leaf))
		return 0;
	comparison_take(&c, run->entry(run->context, from + RUN_MIN - 1));
	if (belongs_to(&c, BufferGetPage(leaf))) {
		entered = enter(&c, run, leaf, from, to);
		*alone = entered == 0;
	} else {
		*alone = RUN_MIN;
	}
	UnlockReleaseBuffer(leaf);
	return entered;
}
