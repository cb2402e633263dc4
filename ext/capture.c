/*
 * capture.c - the triggers: a changed row becomes a record of this transaction.
 *
 * What runs once for each row allocates nothing and looks nothing up but the facts of its
 * table.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "commands/trigger.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"

#include <elvis/record.h>

#include "capture.h"
#include "compat.h"
#include "image.h"
#include "node.h"
#include "pending.h"
#include "relation.h"
#include "room.h"

PG_FUNCTION_INFO_V1(elvis_capture);
PG_FUNCTION_INFO_V1(elvis_capture_truncate);
PG_FUNCTION_INFO_V1(elvis_deny);
PG_FUNCTION_INFO_V1(elvis_gap);

#define KEPT_SCRATCH 65536	/* larger ones are given back after use */
#define TID_SIZE 6

static struct context imposed;	/* by apply */
static bool is_imposed;
static SubTransactionId imposed_in;	/* and goes with */
static StringInfoData scratch;	/* the record being built */
static MemoryContext garbage;	/* what encoding leaves behind */
static uint64 transaction = 1;	/* counts those of this session */

/* ---- context ---- */

void
capture_set_context(uint32 origin, uint32 via, int64 at, uint64 xid)
{
	imposed = (struct context) {.origin = origin, .via = via, .xid = xid, .at = at};
	is_imposed = true;
	imposed_in = GetCurrentSubTransactionId();
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
		.at = CONTEXT_NOW,
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

static void
subxact_event(SubXactEvent event, SubTransactionId self, SubTransactionId parent,
	      void *arg)
{
	if (!is_imposed || self != imposed_in)
		return;
	if (event == SUBXACT_EVENT_COMMIT_SUB)
		imposed_in = parent;
	else if (event == SUBXACT_EVENT_ABORT_SUB)
		is_imposed = false;
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
	RegisterSubXactCallback(subxact_event, NULL);
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
 * or their keys meanwhile was captured before.  The versions themselves tell; what apply
 * does has none to show, and is in order.
 */
static void
find_place(struct place *place, struct captured *family, HeapTuple old_row,
	   HeapTuple new_row, bool frees_key)
{
	CommandId command;

	*place = (struct place){0};
	if (old_row == NULL && new_row == NULL)
		return;
	command = new_row != NULL ? HeapTupleHeaderGetCmin(new_row->t_data)
				  : HeapTupleHeaderGetCmax(old_row->t_data);
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

static uint8 *
put_tid(uint8 *out, const ItemPointerData *tid)
{
	BlockNumber block = ItemPointerGetBlockNumber(tid);
	OffsetNumber offset = ItemPointerGetOffsetNumber(tid);

	for (int i = 0; i < 4; i++)
		*out++ = (uint8) (block >> (8 * i));
	*out++ = (uint8) offset;
	*out++ = (uint8) (offset >> 8);
	return out;
}

/* ---- records ---- */

static void
scratch_release(void)
{
	if (unlikely(scratch.maxlen > KEPT_SCRATCH)) {
		char *small = MemoryContextAlloc(TopMemoryContext, 1024);

		pfree(scratch.data);
		scratch.data = small;
		scratch.maxlen = 1024;
	}
	resetStringInfo(&scratch);
}

static void
put_change_head(const struct captured *table, const struct place *place)
{
	uint8 *out = room_for(&scratch, 1 + sizeof(table->head) + 2 * TID_SIZE);

	*out++ = place->flags;
	memcpy(out, table->head, sizeof(table->head));	/* more than is used, at once */
	out += table->head_length;
	if (place->flags & ELVIS_CHANGE_OLD_TID)
		out = put_tid(out, &place->old_tid);
	if (place->flags & ELVIS_CHANGE_NEW_TID)
		out = put_tid(out, &place->new_tid);
	room_used(&scratch, out);
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
encode(Relation relation, const struct captured *table, const struct image *old_image,
       const struct image *new_image, const uint8 *changed)
{
	MemoryContext before = CurrentMemoryContext;
	bool leaves_garbage = table->pins != 0;
	int nest = 0;

	if (leaves_garbage) {
		nest = value_pin(table->pins);
		MemoryContextSwitchTo(garbage);
	}
	if (old_image == NULL) {
		image_put(&scratch, relation, table, new_image, NULL);
	} else {
		image_put(&scratch, relation, table, old_image, changed);
		if (new_image != NULL)
			image_put_changed(&scratch, relation, table, new_image, changed);
	}
	if (leaves_garbage) {
		MemoryContextSwitchTo(before);
		MemoryContextReset(garbage);
		value_unpin(nest);
	}
}

/* A version of the row, if the operation has it; `tuple` when a trigger has it. */
struct version {
	TupleTableSlot *slot;
	HeapTuple tuple;
};

static void
capture(Relation relation, enum elvis_operation operation, struct version old_row,
	struct version new_row)
{
	static const uint8 tags[] = {
		[ELVIS_INSERT] = ELVIS_RECORD_INSERT,
		[ELVIS_UPDATE] = ELVIS_RECORD_UPDATE,
		[ELVIS_DELETE] = ELVIS_RECORD_DELETE,
	};
	static const uint8 nothing_changed[IMAGE_BITS];	/* a DELETE */
	struct captured *table = relation_captured(relation);
	struct context context = present_context();
	struct image *old_image = NULL, *new_image = NULL;
	struct place place;
	uint8 differing[IMAGE_BITS];
	const uint8 *changed = nothing_changed;
	bool is_update = operation == ELVIS_UPDATE;
	bool frees_key = operation == ELVIS_DELETE;

	if (unlikely(!table->has_key && operation != ELVIS_INSERT))
		refuse_keyless(relation, is_update ? "update" : "delete from");
	if (old_row.slot != NULL) {
		old_image = &table->old_image;
		image_take(old_image, table, old_row.tuple, old_row.slot);
	}
	if (new_row.slot != NULL) {
		new_image = &table->new_image;
		image_take(new_image, table, new_row.tuple, new_row.slot);
	}
	if (is_update) {
		frees_key = !image_compare(table, old_image, new_image, differing);
		changed = differing;
	}
	find_place(&place, table->family, old_row.tuple, new_row.tuple, frees_key);

	resetStringInfo(&scratch);
	put_change_head(table, &place);
	encode(relation, table, old_image, new_image, changed);
	pending_add(&context, tags[operation], scratch.data, scratch.len,
		    (place.flags & (ELVIS_CHANGE_NEW_TID | ELVIS_CHANGE_EARLY)) != 0);
	scratch_release();
}

void
capture_change(Relation relation, enum elvis_operation operation, TupleTableSlot *old_row,
	       TupleTableSlot *new_row)
{
	capture(relation, operation, (struct version) {old_row, NULL},
		(struct version) {new_row, NULL});
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
	const struct version none = {NULL, NULL};
	struct version first;

	if (!TRIGGER_FIRED_AFTER(event) || !TRIGGER_FIRED_FOR_ROW(event))
		ereport(ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("elvis.capture() must be fired AFTER, for each ROW")));
	first = (struct version) {trigger->tg_trigslot, trigger->tg_trigtuple};
	if (TRIGGER_FIRED_BY_INSERT(event))
		capture(trigger->tg_relation, ELVIS_INSERT, none, first);
	else if (TRIGGER_FIRED_BY_UPDATE(event))
		capture(trigger->tg_relation, ELVIS_UPDATE, first,
			(struct version) {trigger->tg_newslot, trigger->tg_newtuple});
	else
		capture(trigger->tg_relation, ELVIS_DELETE, first, none);
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
		appendStringInfoChar(&scratch, flags);
		appendBinaryStringInfo(&scratch, (char *) put,
				       elvis_put_varint(put, n + 1) - put);
		appendBinaryStringInfo(&scratch, (const char *) bytes.at,
				       bytes.end - bytes.at);
		pending_take_back();
	} else {
		appendStringInfoChar(&scratch, 0);
		appendStringInfoChar(&scratch, 1);
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
