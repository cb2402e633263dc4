/*
 * waiting.c - index entries that wait for one another.
 *
 * A statement that goes through a table replaces row after row, and the entries of their new
 * versions belong next to each other.  So they wait, and many go into a leaf at once.  Meanwhile the
 * index does not lead to the new versions.  Others who look for the key find the old version's entry
 * and wait for us, or see the old one; we flush before we look.  So an entry may wait unless the
 * server is to look whether another row has its key, which the old version's entry then answers not.
 */
#include "postgres.h"

#include "catalog/index.h"
#include "catalog/pg_am.h"
#include "utils/memutils.h"

#include "call.h"
#include "leaf.h"

#define WAITING_MAX CALL_INSERTS_MAX

/* Of one index. */
struct waiting_entries {
	int n;
	IndexTuple entries[WAITING_MAX];
	bool unchanged[WAITING_MAX];	/* the keys of the versions before */
};

bool
waiting_may(OpenTable *table, int i)
{
	return table->in_order && !table->hot && !table->map->has_code &&
	       table->result->ri_IndexRelationDescs[i]->rd_rel->relam == BTREE_AM_OID;
}

static IndexTuple
form_entry(OpenTable *table, int i)
{
	Relation index = table->result->ri_IndexRelationDescs[i];
	Datum values[INDEX_MAX_KEYS];
	bool nulls[INDEX_MAX_KEYS];
	IndexTuple entry;

	FormIndexDatum(table->result->ri_IndexRelationInfo[i], table->fresh, table->estate, values,
		       nulls);
	entry = index_form_tuple(RelationGetDescr(index), values, nulls);
	entry->t_tid = table->fresh->tts_tid;
	return entry;
}

static void
need_room(ApplyCall *call, OpenTable *table)
{
	if (call->waiting == NULL)
		call->waiting = AllocSetContextCreate(call->context, "elvis waiting entries",
						      ALLOCSET_DEFAULT_SIZES);
	if (table->waiting == NULL)
		table->waiting = MemoryContextAllocZero(call->context,
			sizeof(*table->waiting) * table->result->ri_NumIndices);
}

void
waiting_add(ApplyCall *call, OpenTable *table, int i, bool unchanged)
{
	struct waiting_entries *waiting;
	MemoryContext old;

	need_room(call, table);
	waiting = &table->waiting[i];
	if (waiting->n == WAITING_MAX)
		waiting_flush_all(call);
	old = MemoryContextSwitchTo(call->waiting);
	waiting->unchanged[waiting->n] = unchanged;
	waiting->entries[waiting->n++] = form_entry(table, i);
	MemoryContextSwitchTo(old);
	if (table->n_waiting++ == 0)
		call->n_waiting++;
}

/* ---- entering ---- */

static IndexTuple
entry_of(void *context, int i)
{
	return ((struct waiting_entries *) context)->entries[i];
}

static void
enter_one(OpenTable *table, int i, int at)
{
	IndexTuple entry = table->waiting[i].entries[at];
	Relation index = table->result->ri_IndexRelationDescs[i];
	Datum values[INDEX_MAX_KEYS];
	bool nulls[INDEX_MAX_KEYS];

	index_deform_tuple(entry, RelationGetDescr(index), values, nulls);
	entries_insert_one(table, i, values, nulls, &entry->t_tid, table->waiting[i].unchanged[at],
			   false);
}

/* Not as of a unique index: there is an equal key, the old version's. */
static void
enter_all(OpenTable *table, int i)
{
	struct waiting_entries *waiting = &table->waiting[i];
	LeafRun run = { .table = table->relation,
			.index = table->result->ri_IndexRelationDescs[i],
			.entry = entry_of, .context = waiting };
	int at = 0, alone;

	while (at < waiting->n) {
		at += leaf_enter(&run, at, waiting->n, &alone);
		for (; alone > 0 && at < waiting->n; alone--)
			enter_one(table, i, at++);
	}
	waiting->n = 0;
}

void
waiting_flush(ApplyCall *call, OpenTable *table)
{
	Flush flush;

	if (table->n_waiting == 0)
		return;
	flush_begin(call, table, &flush);
	for (int i = 0; i < table->result->ri_NumIndices; i++)
		enter_all(table, i);
	flush_end(call, &flush);

	table->n_waiting = 0;
	if (--call->n_waiting == 0)
		MemoryContextReset(call->waiting);
}

void
waiting_flush_all(ApplyCall *call)
{
	for (OpenTable *table = call->tables; table != NULL && call->n_waiting > 0;
	     table = table->next)
		waiting_flush(call, table);
}
