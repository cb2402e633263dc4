/*
 * fill.c - rows of a first copy, as COPY writes and reads them, entered with less effort.
 *
 * COPY FROM enters a row's index entries one by one, which is most of what it does.  Here the
 * server reads the rows by the functions that COPY FROM reads them by, so that they mean the same,
 * and they are written as apply writes its own: together, their index entries in runs (leaf.h).
 * All happens with the caller's rights, as in COPY FROM.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/pg_am.h"
#include "catalog/pg_class.h"
#include "catalog/pg_trigger.h"
#include "commands/copy.h"
#include "commands/copyfrom_internal.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"

#include "binary.h"
#include "call.h"
#include "compat.h"
#include "keep.h"

/* What rows that go in together may take: a row that is larger goes in alone. */
#define FILL_SIZE_MAX (128 * 1024)

typedef struct Fill {
	OpenTable *table;
	CopyFromState rows;
	BinaryRows *binary;	/* the same, if they are read by ourselves */
	uint64 n_read;		/* rows, with those of other calls before */
	MemoryContext batch;	/* of the rows that go in together next */
	TupleTableSlot *slots[CALL_INSERTS_MAX];
	int n, most;
	bool writing;
} Fill;

/* What is left of the bytes: the server's function is given nothing to know them by. */
static struct {
	const char *at, *end;
} input;

/* ---- what can be filled ---- */

/* What COPY FROM would have fired for a statement as such. */
static bool
fires_for_statement(Relation relation)
{
	TriggerDesc *triggers = relation->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++) {
		Trigger *trigger = &triggers->triggers[i];

		if (!TRIGGER_FOR_ROW(trigger->tgtype) && TRIGGER_FOR_INSERT(trigger->tgtype) &&
		    (trigger->tgenabled == TRIGGER_FIRES_ALWAYS ||
		     trigger->tgenabled == TRIGGER_FIRES_ON_REPLICA))
			return true;
	}
	return false;
}

/* Whatever else COPY FROM would have to do for a row is left to it. */
static bool
is_simple(Relation relation)
{
	return SessionReplicationRole == SESSION_REPLICATION_ROLE_REPLICA &&
	       relation->rd_rel->relkind == RELKIND_RELATION &&
	       relation->rd_rel->relam == HEAP_TABLE_AM_OID && !IsSystemRelation(relation) &&
	       check_enable_rls(RelationGetRelid(relation), InvalidOid, true) != RLS_ENABLED &&
	       !fires_for_statement(relation);
}

/* The table, which is one that can be filled; or NULL. */
static OpenTable *
open_for_fill(Relation relation)
{
	Target *target = palloc0(sizeof(*target));
	OpenTable *table;

	target->context = CurrentMemoryContext;
	if (!is_simple(relation))
		return NULL;
	table = table_new(target, relation);
	return table->map->fires_triggers || table->map->deferrable ? NULL : table;
}

PG_FUNCTION_INFO_V1(elvis_can_fill);
Datum
elvis_can_fill(PG_FUNCTION_ARGS)
{
	Relation relation = relation_open(PG_GETARG_OID(0), RowExclusiveLock);
	bool can = open_for_fill(relation) != NULL;

	relation_close(relation, NoLock);
	PG_RETURN_BOOL(can);
}

/* ---- rights ---- */

static void
check_column(Relation relation, const char *column)
{
	AttrNumber attnum = get_attnum(RelationGetRelid(relation), column);

	/* what there is not is told by whom the columns are handed to */
	if (attnum != InvalidAttrNumber &&
	    pg_attribute_aclcheck(RelationGetRelid(relation), attnum, GetUserId(), ACL_INSERT) !=
	    ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(relation));
}

static void
check_rights(Relation relation, List *columns)
{
	ListCell *cell;

	if (XactReadOnly && !relation->rd_islocaltemp)
		PreventCommandIfReadOnly("elvis.fill()");
	if (pg_class_aclcheck(RelationGetRelid(relation), GetUserId(), ACL_INSERT) == ACLCHECK_OK)
		return;
	if (columns == NIL)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, RelationGetRelationName(relation));
	foreach(cell, columns)
		check_column(relation, strVal(lfirst(cell)));
}

/* ---- reading ---- */

static int
take_input(void *room, int least, int most)
{
	int length = Min((size_t) most, (size_t) (input.end - input.at));

	memcpy(room, input.at, length);
	input.at += length;
	return length;
}

static TupleTableSlot *
next_slot(Fill *fill)
{
	TupleTableSlot **slot = &fill->slots[fill->n];
	MemoryContext old;

	if (*slot != NULL)
		return *slot;
	old = MemoryContextSwitchTo(GetMemoryChunkContext(fill));
	*slot = MakeTupleTableSlot(fill->table->map->shape, &TTSOpsVirtual);
	MemoryContextSwitchTo(old);
	return *slot;
}

static bool
next_row(Fill *fill, TupleTableSlot *slot)
{
	return fill->binary != NULL ? binary_next(fill->binary, slot)
		: NextCopyFrom(fill->rows, GetPerTupleExprContext(fill->table->estate),
			       slot->tts_values, slot->tts_isnull);
}

static bool
read_row(Fill *fill)
{
	TupleTableSlot *slot = next_slot(fill);
	OpenTable *table = fill->table;

	if (!next_row(fill, slot))
		return false;
	ExecStoreVirtualTuple(slot);
	slot->tts_tableOid = RelationGetRelid(table->relation);
	write_complete(table, slot);
	fill->n++;
	fill->n_read++;
	return true;
}

static bool
read_batch(Fill *fill)
{
	MemoryContext old = MemoryContextSwitchTo(fill->batch);
	bool more = true;

	while (more && fill->n < fill->most &&
	       MemoryContextMemAllocated(fill->batch, false) < FILL_SIZE_MAX)
		more = read_row(fill);
	MemoryContextSwitchTo(old);
	return more;
}

/* ---- writing ---- */

static void
write_batch(Fill *fill)
{
	MemoryContext old = MemoryContextSwitchTo(fill->batch);

	fill->writing = true;
	write_together(NULL, fill->table, fill->slots, fill->n);
	fill->writing = false;
	for (int i = 0; i < fill->n; i++)
		ExecClearTuple(fill->slots[i]);
	fill->n = 0;
	MemoryContextSwitchTo(old);
	MemoryContextReset(fill->batch);
}

/* As COPY FROM tells it, but for what is noticed when the row has been read already. */
static void
tell_where(void *context)
{
	Fill *fill = context;

	if (!fill->writing)
		CopyFromErrorCallback(fill->rows);
	else
		errcontext("elvis.fill() of %s, rows " UINT64_FORMAT " to " UINT64_FORMAT,
			   RelationGetRelationName(fill->table->relation),
			   fill->n_read - fill->n + 1, fill->n_read);
}

static void
fill_rows(Fill *fill)
{
	ErrorContextCallback told = {
		.previous = error_context_stack, .callback = tell_where, .arg = fill,
	};
	bool more = true;

	error_context_stack = &told;
	while (more) {
		CHECK_FOR_INTERRUPTS();
		more = read_batch(fill);
		if (fill->n > 0)
			write_batch(fill);
	}
	error_context_stack = told.previous;
}

static CopyFromState
begin_rows(Relation relation, List *columns, bool binary)
{
	List *options = NIL;

	if (binary)
		options = list_make1(makeDefElem(pstrdup("format"),
					       (Node *) makeString(pstrdup("binary")), -1));
	return BeginCopyFrom(NULL, relation, NULL, NULL, false, take_input, columns, options);
}

/* A default that may look at the table finds the rows before its own there, as in COPY FROM. */
static uint64
fill_table(OpenTable *table, List *columns, bool binary, uint64 before)
{
	Fill *fill = palloc0(sizeof(*fill));
	const char *start = input.at;

	fill->table = table;
	fill->batch = AllocSetContextCreate(CurrentMemoryContext, "elvis fill",
					    ALLOCSET_DEFAULT_SIZES);
	table_need_executor(table);
	fill->rows = begin_rows(table->relation, columns, binary);
	fill->rows->cur_lineno = fill->n_read = before;
	if (binary)
		fill->binary = binary_begin(fill->rows, start, input.end);
	fill->most = fill->rows->volatile_defexprs ? 1 : CALL_INSERTS_MAX;
	fill_rows(fill);
	EndCopyFrom(fill->rows);
	table_release(table);
	return fill->n_read - before;
}

static List *
column_names(ArrayType *array)
{
	List *names = NIL;
	Datum *values;
	int n;

	deconstruct_array(array, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR, &values, NULL, &n);
	for (int i = 0; i < n; i++)
		names = lappend(names, makeString(pstrdup(NameStr(*DatumGetName(values[i])))));
	return names;
}

/* A table's code may call us in the middle of it. */
static uint64
fill_from(bytea *rows, OpenTable *table, List *columns, bool binary, uint64 before)
{
	const char *at = input.at, *end = input.end;
	volatile uint64 n;

	PG_TRY();
	{
		input.at = VARDATA_ANY(rows);
		input.end = input.at + VARSIZE_ANY_EXHDR(rows);
		n = fill_table(table, columns, binary, before);
	}
	PG_FINALLY();
	{
		input.at = at;
		input.end = end;
	}
	PG_END_TRY();
	return n;
}

/*
 * What COPY target (columns) FROM STDIN would do with these rows, where can_fill() said that it
 * does: the bytes are a whole file of the format, but that `before` rows are to be thought before
 * them.  Returns how many rows they were.
 */
PG_FUNCTION_INFO_V1(elvis_fill);
Datum
elvis_fill(PG_FUNCTION_ARGS)
{
	Relation relation = relation_open(PG_GETARG_OID(0), RowExclusiveLock);
	List *columns = column_names(PG_GETARG_ARRAYTYPE_P(1));
	OpenTable *table;

	keep_memory();
	check_rights(relation, columns);
	table = open_for_fill(relation);
	if (table == NULL)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("table \"%s\" cannot be filled by elvis.fill()",
				RelationGetRelationName(relation)),
			 errhint("Use COPY FROM.")));
	PG_RETURN_INT64(fill_from(PG_GETARG_BYTEA_PP(3), table, columns, PG_GETARG_BOOL(2),
				  PG_GETARG_INT64(4)));
}
