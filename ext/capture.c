/*
 * capture.c - the triggers: a changed row becomes a record of this transaction.
 *
 * What runs once for each row allocates nothing and looks nothing up but the facts of its
 * table.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include <elvis/record.h>

#include "capture.h"
#include "compat.h"
#include "node.h"
#include "pending.h"
#include "relation.h"

PG_FUNCTION_INFO_V1(elvis_capture);
PG_FUNCTION_INFO_V1(elvis_capture_truncate);
PG_FUNCTION_INFO_V1(elvis_deny);
PG_FUNCTION_INFO_V1(elvis_gap);

#define UNIX_TO_POSTGRES_US \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)
#define KEPT_SCRATCH 65536	/* larger ones are given back after use */
#define LARGE_VALUE (16 * 1024 * 1024)	/* from here on sizes are added up before copying */

static struct context imposed;	/* by apply */
static bool is_imposed;
static StringInfoData scratch;	/* the record being built */
static MemoryContext garbage;	/* what encoding leaves behind */
static uint64 transaction = 1;	/* counts those of this session */

/* ---- context ---- */

void
capture_set_context(uint32 origin, uint32 via, int64 at, uint64 xid)
{
	imposed = (struct context) {.origin = origin, .via = via, .xid = xid, .at = at};
	is_imposed = true;
}

void
capture_reset_context(void)
{
	is_imposed = false;
}

static struct context
present_context(void)
{
	if (is_imposed)
		return imposed;
	return (struct context) {
		.origin = (uint32) node_genuine()->id,
		.at = GetCurrentTimestamp() + UNIX_TO_POSTGRES_US,
	};
}

static void
xact_event(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT &&
	    event != XACT_EVENT_PREPARE)
		return;
	is_imposed = false;
	transaction++;
}

void
capture_init(void)
{
	MemoryContext before = MemoryContextSwitchTo(TopMemoryContext);

	initStringInfo(&scratch);
	MemoryContextSwitchTo(before);
	garbage = AllocSetContextCreate(TopMemoryContext, "elvis capture",
					ALLOCSET_SMALL_SIZES);
	RegisterXactCallback(xact_event, NULL);
}

/* ---- values ---- */

static bool
is_variable(const struct captured_column *column)
{
	return column->length == -1;
}

static bool
same_image(const struct captured_column *column, Datum a, Datum b)
{
	struct varlena *old_value, *new_value;

	if (column->by_value)
		return a == b;
	if (!is_variable(column))
		return datum_image_eq(a, b, false, column->length);
	old_value = (struct varlena *) DatumGetPointer(a);
	new_value = (struct varlena *) DatumGetPointer(b);
	if (VARATT_IS_EXTERNAL(old_value) && VARATT_IS_EXTERNAL(new_value) &&
	    memcmp(old_value, new_value, VARSIZE_EXTERNAL(old_value)) == 0)
		return true;
	if (VARATT_IS_EXTENDED(old_value) && !VARATT_IS_SHORT(old_value))
		return datum_image_eq(a, b, false, -1);
	if (VARATT_IS_EXTENDED(new_value) && !VARATT_IS_SHORT(new_value))
		return datum_image_eq(a, b, false, -1);
	return VARSIZE_ANY_EXHDR(old_value) == VARSIZE_ANY_EXHDR(new_value) &&
	       memcmp(VARDATA_ANY(old_value), VARDATA_ANY(new_value),
		      VARSIZE_ANY_EXHDR(old_value)) == 0;
}

/* Is it out of line and too large to be written again although it has not changed? */
static bool
left_out(const struct captured *table, const struct captured_column *column, Datum value)
{
	return is_variable(column) && !column->in_key &&
	       VARATT_IS_EXTERNAL_ONDISK(DatumGetPointer(value)) &&
	       toast_raw_datum_size(value) - VARHDRSZ > table->capture_unchanged;
}

static void
refuse_too_large(const char *table)
{
	ereport(ERROR,
		(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
		 errmsg("a change of table \"%s\" is too large to be captured", table),
		 errdetail("A change must fit into 1 GB with all its values, before and "
			   "after.")));
}

static void
put_head(uint8 head)
{
	appendStringInfoCharMacro(&scratch, head);
}

static void
put_value(Relation relation, struct captured_column *column, Datum value)
{
	if (is_variable(column)) {
		Size size = toast_raw_datum_size(value);

		/*
		 * text and send forms may be longer; hex and escapes at most by that much
		 */
		if (size > LARGE_VALUE && scratch.len + size * 2 > MaxAllocSize / 2 &&
		    scratch.len + size > MaxAllocSize - LARGE_VALUE)
			refuse_too_large(RelationGetRelationName(relation));
	}
	value_encode(&scratch, &column->codec, value);
}

/*
 * A whole image.  `other` is the row's other version, for telling what has not changed.
 */
static void
put_image(Relation relation, const struct captured *table, TupleTableSlot *row,
	  const bool *unchanged)
{
	for (int i = 0; i < table->n_columns; i++) {
		struct captured_column *column = &table->columns[i];
		int number = column->number;

		if (column->generated && !column->in_key)
			put_head(ELVIS_COLUMN_NOT_CAPTURED);
		else if (row->tts_isnull[number])
			put_head(ELVIS_COLUMN_NULL);
		else if (unchanged != NULL && unchanged[i] &&
			 left_out(table, column, row->tts_values[number]))
			put_head(ELVIS_COLUMN_NOT_CAPTURED);
		else
			put_value(relation, column, row->tts_values[number]);
	}
}

/* Which columns are the same in both rows; whether the key is. */
static bool
compare(const struct captured *table, TupleTableSlot *old_row, TupleTableSlot *new_row,
	bool *unchanged)
{
	bool same_key = true;

	for (int i = 0; i < table->n_columns; i++) {
		const struct captured_column *column = &table->columns[i];
		int number = column->number;

		if (column->generated && !column->in_key)
			unchanged[i] = true;
		else if (old_row->tts_isnull[number] || new_row->tts_isnull[number])
			unchanged[i] = old_row->tts_isnull[number] &&
				       new_row->tts_isnull[number];
		else
			unchanged[i] = same_image(column, old_row->tts_values[number],
						  new_row->tts_values[number]);
		same_key &= unchanged[i] || !column->in_key;
	}
	return same_key;
}

static void
put_changed(Relation relation, const struct captured *table, TupleTableSlot *row,
	    const bool *unchanged)
{
	int n = (table->n_columns + 7) / 8;
	uint8 bits[(MaxTupleAttributeNumber + 7) / 8];

	memset(bits, 0, n);
	for (int i = 0; i < table->n_columns; i++)
		bits[i / 8] |= (unchanged[i] ? 0 : 1) << i % 8;
	appendBinaryStringInfo(&scratch, (char *) bits, n);
	for (int i = 0; i < table->n_columns; i++) {
		struct captured_column *column = &table->columns[i];

		if (unchanged[i])
			continue;
		if (row->tts_isnull[column->number])
			put_head(ELVIS_COLUMN_NULL);
		else
			put_value(relation, column, row->tts_values[column->number]);
	}
}

/* ---- changes captured out of order within a statement ---- */

/* What a change says about its place in the transaction. */
struct place {
	uint8 flags;
	ItemPointerData old_tid, new_tid;
};

static bool
is_ours(TransactionId xid)
{
	return TransactionIdIsCurrentTransactionId(xid);
}

/* Has this transaction replaced or deleted the version already? */
static bool
already_replaced(HeapTupleHeader row)
{
	return (row->t_infomask & HEAP_XMAX_INVALID) == 0 &&
	       !HEAP_XMAX_IS_LOCKED_ONLY(row->t_infomask) &&
	       is_ours(HeapTupleHeaderGetUpdateXid(row));
}

/* Notes the command; was a newer one captured of this table before it? */
static bool
is_overtaken(struct captured *family, CommandId command)
{
	if (family->transaction != transaction) {
		family->transaction = transaction;
		family->highest = command;
		return false;
	}
	if (command < family->highest)
		return true;
	family->highest = command;
	return false;
}

/*
 * A statement's rows are captured when it ends; what functions and triggers did to them
 * or their keys meanwhile was captured before.  The versions themselves tell.
 */
static void
find_place(struct place *place, struct captured *family, HeapTuple old_row,
	   HeapTuple new_row, bool frees_key)
{
	CommandId command = new_row != NULL ? HeapTupleHeaderGetCmin(new_row->t_data)
					    : HeapTupleHeaderGetCmax(old_row->t_data);

	place->flags = 0;
	if (old_row != NULL && is_ours(HeapTupleHeaderGetXmin(old_row->t_data))) {
		place->flags |= ELVIS_CHANGE_OLD_TID;
		place->old_tid = old_row->t_self;
	}
	if (new_row != NULL && already_replaced(new_row->t_data)) {
		place->flags |= ELVIS_CHANGE_NEW_TID;
		place->new_tid = new_row->t_self;
	}
	if (is_overtaken(family, command) && frees_key)
		place->flags |= ELVIS_CHANGE_EARLY;
}

static void
put_tid(const ItemPointerData *tid)
{
	BlockNumber block = ItemPointerGetBlockNumber(tid);
	OffsetNumber offset = ItemPointerGetOffsetNumber(tid);
	char bytes[6];

	for (int i = 0; i < 4; i++)
		bytes[i] = (char) (block >> (8 * i));
	bytes[4] = (char) offset;
	bytes[5] = (char) (offset >> 8);
	appendBinaryStringInfo(&scratch, bytes, sizeof(bytes));
}

/* ---- records ---- */

static void
scratch_release(void)
{
	if (unlikely(scratch.maxlen > KEPT_SCRATCH)) {
		pfree(scratch.data);
		scratch.data = MemoryContextAlloc(TopMemoryContext, 1024);
		scratch.maxlen = 1024;
	}
	resetStringInfo(&scratch);
}

static void
put_change_head(const struct captured *table, const struct place *place)
{
	put_head(place->flags);
	appendBinaryStringInfo(&scratch, (const char *) table->head, table->head_length);
	if (place->flags & ELVIS_CHANGE_OLD_TID)
		put_tid(&place->old_tid);
	if (place->flags & ELVIS_CHANGE_NEW_TID)
		put_tid(&place->new_tid);
}

static void
refuse_keyless(Relation relation, const char *what)
{
	ereport(ERROR,
		(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
		 errmsg("cannot %s table \"%s\": it is replicated and has no key", what,
			RelationGetRelationName(relation)),
		 errdetail("Without a key rows cannot be told apart elsewhere; only "
			   "INSERT and TRUNCATE are possible."),
		 errhint("Add a primary key, or name a unique index on NOT NULL columns: "
			 "elvis.attach(table, role, key => 'index').")));
}

static void
encode(Relation relation, const struct captured *table, TupleTableSlot *old_row,
       TupleTableSlot *new_row, const bool *unchanged)
{
	MemoryContext before = CurrentMemoryContext;
	bool leaves_garbage = table->pins != 0;
	int nest = 0;

	if (leaves_garbage) {
		nest = value_pin(table->pins);
		MemoryContextSwitchTo(garbage);
	}
	if (old_row != NULL)
		put_image(relation, table, old_row, unchanged);
	if (new_row != NULL && old_row == NULL)
		put_image(relation, table, new_row, NULL);
	else if (new_row != NULL)
		put_changed(relation, table, new_row, unchanged);
	if (leaves_garbage) {
		MemoryContextSwitchTo(before);
		MemoryContextReset(garbage);
		value_unpin(nest);
	}
}

static void
capture(Relation relation, enum elvis_operation operation, TupleTableSlot *old_row,
	TupleTableSlot *new_row, bool by_trigger)
{
	static const uint8 tags[] = {
		[ELVIS_INSERT] = ELVIS_RECORD_INSERT,
		[ELVIS_UPDATE] = ELVIS_RECORD_UPDATE,
		[ELVIS_DELETE] = ELVIS_RECORD_DELETE,
	};
	const struct captured *table = relation_captured(relation);
	bool unchanged[MaxTupleAttributeNumber];
	struct context context = present_context();
	struct place place = {0};
	bool frees_key = operation == ELVIS_DELETE;

	if (unlikely(!table->has_key && operation != ELVIS_INSERT))
		refuse_keyless(relation,
			       operation == ELVIS_UPDATE ? "update" : "delete from");
	if (old_row != NULL)
		slot_getallattrs(old_row);
	if (new_row != NULL)
		slot_getallattrs(new_row);
	if (operation == ELVIS_UPDATE)
		frees_key = !compare(table, old_row, new_row, unchanged);
	if (by_trigger)
		find_place(&place, table->family,
			   old_row ? ExecFetchSlotHeapTuple(old_row, false, NULL) : NULL,
			   new_row ? ExecFetchSlotHeapTuple(new_row, false, NULL) : NULL,
			   frees_key);

	resetStringInfo(&scratch);
	put_change_head(table, &place);
	encode(relation, table, old_row, new_row,
	       operation == ELVIS_UPDATE ? unchanged : NULL);
	pending_add(&context, tags[operation], scratch.data, scratch.len,
		    (place.flags & (ELVIS_CHANGE_NEW_TID | ELVIS_CHANGE_EARLY)) != 0);
	scratch_release();
}

void
capture_change(Relation relation, enum elvis_operation operation, TupleTableSlot *old_row,
	       TupleTableSlot *new_row)
{
	capture(relation, operation, old_row, new_row, false);
}

/* ---- triggers ---- */

static TriggerData *
called_as(FunctionCallInfo fcinfo, const char *function)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("elvis.%s() is a trigger function", function)));
	return (TriggerData *) fcinfo->context;
}

Datum
elvis_capture(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = called_as(fcinfo, "capture");
	TriggerEvent event = trigger->tg_event;

	if (!TRIGGER_FIRED_AFTER(event) || !TRIGGER_FIRED_FOR_ROW(event))
		ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("elvis.capture() must be fired AFTER, for each ROW")));
	if (TRIGGER_FIRED_BY_INSERT(event))
		capture(trigger->tg_relation, ELVIS_INSERT, NULL, trigger->tg_trigslot,
			true);
	else if (TRIGGER_FIRED_BY_UPDATE(event))
		capture(trigger->tg_relation, ELVIS_UPDATE, trigger->tg_trigslot,
			trigger->tg_newslot, true);
	else
		capture(trigger->tg_relation, ELVIS_DELETE, trigger->tg_trigslot, NULL,
			true);
	return PointerGetDatum(NULL);
}

/* The version in the list that a TRUNCATE record's payload ends with. */
static void
add_version(const struct captured *table)
{
	appendBinaryStringInfo(&scratch, (const char *) table->head, table->head_length);
}

/*
 * Tables truncated by one statement travel together, or foreign keys between them would
 * forbid each of them alone.  A statement after it cannot come between: the record is
 * extended only while it is the last one.
 */
static void
capture_truncate(const struct captured *table)
{
	struct context context = present_context();
	struct elvis_bytes bytes;
	const char *group;
	size_t length;
	uint8 flags = 0;
	uint64 n = 0;

	resetStringInfo(&scratch);
	group = pending_last(ELVIS_RECORD_TRUNCATE, &length);
	if (group != NULL) {
		uint8 put[ELVIS_VARINT_MAX];

		bytes.at = (const uint8 *) group;
		bytes.end = bytes.at + length;
		(void) elvis_get_u8(&bytes, &flags);
		(void) elvis_get_varint(&bytes, &n);
		put_head(flags);
		appendBinaryStringInfo(&scratch, (char *) put,
				       elvis_put_varint(put, n + 1) - put);
		appendBinaryStringInfo(&scratch, (const char *) bytes.at,
				       bytes.end - bytes.at);
		pending_take_back();
	} else {
		put_head(0);
		put_head(1);
	}
	add_version(table);
	pending_add(&context, ELVIS_RECORD_TRUNCATE, scratch.data, scratch.len, false);
}

/* Was that version truncated by the record added last? */
static bool
just_truncated(int64 version)
{
	struct elvis_bytes bytes;
	size_t length;
	const char *group = pending_last(ELVIS_RECORD_TRUNCATE, &length);
	uint64_t found;
	uint8_t flags;

	if (group == NULL)
		return false;
	bytes.at = (const uint8 *) group;
	bytes.end = bytes.at + length;
	if (!elvis_get_u8(&bytes, &flags) || !elvis_get_varint(&bytes, &found))
		return false;
	while (elvis_get_varint(&bytes, &found))
		if ((int64) found == version)
			return true;
	return false;
}

static void
add_gap(int64 version, const char *reason)
{
	struct context context = present_context();
	uint8 put[ELVIS_VARINT_MAX];

	resetStringInfo(&scratch);
	appendBinaryStringInfo(&scratch, (char *) put,
			       elvis_put_varint(put, (uint64) version) - put);
	appendBinaryStringInfo(&scratch, (char *) put,
			       elvis_put_varint(put, strlen(reason)) - put);
	appendStringInfoString(&scratch, reason);
	pending_add(&context, ELVIS_RECORD_GAP, scratch.data, scratch.len, false);
}

/*
 * Partitions bear the name of the whole table: to truncate one of them means nothing to
 * whoever reads the stream, unless the whole was truncated by the same statement.
 */
static void
capture_truncated_partition(Relation partition, Oid root)
{
	Relation whole = table_open(root, AccessShareLock);
	int64 version = relation_captured(whole)->version;

	table_close(whole, AccessShareLock);
	if (!just_truncated(version))
		add_gap(version, psprintf("partition %s was truncated",
					  RelationGetRelationName(partition)));
}

Datum
elvis_capture_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = called_as(fcinfo, "capture_truncate");
	const struct captured *table;

	if (!TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
		ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("elvis.capture_truncate() must be fired by TRUNCATE")));
	table = relation_captured(trigger->tg_relation);
	if (table->root == table->relid)
		capture_truncate(table);
	else
		capture_truncated_partition(trigger->tg_relation, table->root);
	return PointerGetDatum(NULL);
}

Datum
elvis_deny(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = called_as(fcinfo, "deny");

	ereport(ERROR,
		(errcode(ERRCODE_READ_ONLY_SQL_TRANSACTION),
		 errmsg("table \"%s\" is a replica: it is written by replication only",
			RelationGetRelationName(trigger->tg_relation)),
		 errhint("Write to the table on its master.")));
	PG_RETURN_NULL();
}

Datum
elvis_gap(PG_FUNCTION_ARGS)
{
	add_gap(PG_GETARG_INT64(0), text_to_cstring(PG_GETARG_TEXT_PP(1)));
	PG_RETURN_VOID();
}
