/*
 * walk.c - from record to record through the frames of a target transaction.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/snapmgr.h"

#include "capture.h"
#include "catalog.h"
#include "conflict.h"
#include "node.h"
#include "truncate.h"

/* Frames that are worked on together have so many bytes at most, as a single one has. */
#define RECORDS_MAX ((size_t) 1 << 30)

static Walk *current;

Walk *
walk_current(void)
{
	return current;
}

/* ---- the transaction around it ---- */

static void
walk_xact_callback(XactEvent event, void *arg)
{
	switch (event) {
	case XACT_EVENT_PRE_COMMIT:
	case XACT_EVENT_PRE_PREPARE:
		if (current != NULL && !current->stored)
			ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("a target transaction must not end before its last frame"),
				 errdetail("Its changes would be repeated.")));
		break;
	case XACT_EVENT_COMMIT:
	case XACT_EVENT_ABORT:
	case XACT_EVENT_PREPARE:
		current = NULL;
		break;
	default:
		break;
	}
}

static void
walk_subxact_callback(SubXactEvent event, SubTransactionId self, SubTransactionId parent,
		      void *arg)
{
	if (current == NULL || GetCurrentTransactionNestLevel() > current->nest_level)
		return;
	if (event == SUBXACT_EVENT_COMMIT_SUB) {
		/* what it did is the parent's now, and so is it */
		current->nest_level--;
	} else if (event == SUBXACT_EVENT_ABORT_SUB) {
		if (current->stored)
			position_not_stored();
		MemoryContextDelete(current->context);
		current = NULL;
	}
}

void
walk_init(void)
{
	RegisterXactCallback(walk_xact_callback, NULL);
	RegisterSubXactCallback(walk_subxact_callback, NULL);
}

Walk *
walk_begin(const struct frame_head *head)
{
	MemoryContext context, old;
	Walk *walk;

	context = AllocSetContextCreate(TopTransactionContext, "elvis walk",
					ALLOCSET_DEFAULT_SIZES);
	old = MemoryContextSwitchTo(context);
	walk = palloc0(sizeof(*walk));
	walk->context = context;
	walk->frame_context = AllocSetContextCreate(context, "elvis frame",
						    ALLOCSET_DEFAULT_SIZES);
	walk->nest_level = GetCurrentTransactionNestLevel();
	walk->rechecking = -1;
	walk->limit = UINT64_MAX;
	initStringInfo(&walk->conflict);
	walk->first = *head;
	(void) position_link();	/* there is one, or nothing needs to be kept */
	MemoryContextSwitchTo(old);
	current = walk;
	return walk;
}

/* Bytes that lie together, however many frames they come in */
static void
gather(Walk *walk, struct elvis_bytes records)
{
	size_t length = records.end - records.at, whole = walk->gathered + length;

	if (whole > RECORDS_MAX)
		damaged_frame("more than can be worked on together");
	if (walk->records == NULL) {
		walk->records = MemoryContextAllocHuge(walk->frame_context, whole + 1);
		walk->room = whole;
	} else if (whole > walk->room) {
		walk->room = Max(whole, Min(walk->room * 2, RECORDS_MAX));
		walk->records = repalloc_huge(walk->records, walk->room + 1);
	}
	memcpy(walk->records + walk->gathered, records.at, length);
	walk->gathered = whole;
}

/* A conflict may outlive the call, unless the transaction is alone: then the bytes need not. */
static struct elvis_bytes
all_records(Walk *walk, struct elvis_bytes records)
{
	if (walk->gathered == 0 && (walk->head.flags & ELVIS_FRAME_ALONE))
		return records;
	gather(walk, records);
	return (struct elvis_bytes){ walk->records, walk->records + walk->gathered };
}

/* Only now: who is still waited for has nothing locked. */
static void
start(Walk *walk)
{
	MemoryContext old = MemoryContextSwitchTo(walk->context);

	position_lock(&walk->first.expected, (walk->first.flags & ELVIS_FRAME_BEHIND) != 0,
		      &walk->position);
	walk->node = (uint32) node_genuine()->id;
	walk->started = true;
	MemoryContextSwitchTo(old);
}

bool
walk_take(Walk *walk, const struct frame_head *head, struct elvis_bytes records)
{
	if (!(walk->head.flags & ELVIS_FRAME_MORE)) {
		MemoryContextReset(walk->frame_context);
		walk->records = NULL;
		walk->gathered = 0;
	}
	walk->head = *head;
	walk->point.changes = 0;
	walk->state = WALK_DONE;
	if (head->flags & ELVIS_FRAME_MORE) {
		gather(walk, records);
		return false;
	}
	if (!walk->started)
		start(walk);
	walk->point.rest = all_records(walk, records);
	walk->state = WALK_ON;
	walk->careful = false;
	walk->limit = UINT64_MAX;
	walk->trouble_until = 0;
	walk->attempts = 0;
	return true;
}

void
walk_forget_answers(Walk *walk)
{
	for (int kind = 0; kind < ELVIS_CONFLICT_KIND_END; kind++)
		walk->answer_to[kind].given = false;
}

/* ---- records ---- */

static bool
is_change(uint8 tag)
{
	return tag == ELVIS_RECORD_INSERT || tag == ELVIS_RECORD_UPDATE ||
	       tag == ELVIS_RECORD_DELETE || tag == ELVIS_RECORD_TRUNCATE ||
	       tag == ELVIS_RECORD_GAP;
}

static Target *
target_of(uint64 version)
{
	Target *target = target_find(version);

	if (target == NULL)
		damaged_frame("a change of a table that it does not describe");
	return target;
}

/* What was made here, or went through here, has been here. */
static bool
comes_back(const Walk *walk)
{
	return walk->node != 0 && (walk->point.context.origin == walk->node ||
				   walk->point.context.via == walk->node);
}

static struct named_skip *
named_skip(Walk *walk)
{
	for (int i = 0; i < walk->position.n_skips; i++) {
		struct named_skip *skip = &walk->position.skips[i];

		if (skip->seq == walk->point.begin.seq && skip->ordinal == walk->point.ordinal)
			return skip;
	}
	return NULL;
}

/* Has the operator named this change to be passed?  Then it is, and recorded. */
static bool
pass_named(ApplyCall *call, const Change *change)
{
	struct named_skip *skip = named_skip(call->walk);
	Verdict verdict = { .action = ELVIS_KEEP_LOCAL, .policy = "operator",
			    .reason = "this change was to be passed" };
	Conflict conflict = { .change = change };

	if (skip == NULL)
		return false;
	resolution_record(call, &conflict, &verdict, NULL);
	call->walk->failure.kind = 0;
	skip->passed = true;
	return true;
}

static bool
walk_row_change(ApplyCall *call, uint8 tag, struct elvis_bytes payload)
{
	Walk *walk = call->walk;
	struct frame_value *values;
	struct frame_change record;
	Change change = { 0 };
	int n;

	if (!frame_get_change(tag, payload, &record))
		damaged_frame("a change");
	change.target = target_of(record.version);
	change.operation = tag == ELVIS_RECORD_INSERT ? ELVIS_INSERT
			 : tag == ELVIS_RECORD_UPDATE ? ELVIS_UPDATE : ELVIS_DELETE;
	walk->operation = change.operation;
	if (tag == ELVIS_RECORD_INSERT && walk->position.n_skips == 0 &&
	    write_queue_unseen(call, change.target->open))
		return true;
	n = change.target->n_columns;
	values = palloc(sizeof(*values) * (2 * n + 1));
	if (tag != ELVIS_RECORD_INSERT)
		change.before = values;
	if (tag != ELVIS_RECORD_DELETE)
		change.after = values + n;
	if (!frame_get_images(&record, n, values, values + n))
		damaged_frame("the columns of a change");
	if (pass_named(call, &change))
		return true;
	return change_apply(call, &change);
}

static bool
walk_gap(ApplyCall *call, struct elvis_bytes payload)
{
	struct elvis_bytes reason;
	Change change = { 0 };
	Conflict conflict = { .change = &change, .kind = ELVIS_GAP, .sqlstate = "01000" };
	uint64 version;

	if (!elvis_get_varint(&payload, &version) || !elvis_get_string(&payload, &reason))
		damaged_frame("a gap");
	change.target = target_of(version);
	call->walk->operation = 0;
	if (pass_named(call, &change))
		return true;
	conflict.message = value_from_wire(reason.at, reason.end - reason.at);
	return conflict_settle(call, &conflict) == SETTLED;
}

static bool
walk_truncate(ApplyCall *call, struct elvis_bytes payload)
{
	struct frame_truncate truncate;
	struct elvis_bytes versions;
	Change change = { .operation = ELVIS_TRUNCATE };
	uint64 version = 0;

	if (!frame_get_truncate(payload, &truncate))
		damaged_frame("a truncation");
	versions = truncate.versions;
	(void) elvis_get_varint(&versions, &version);
	change.target = target_of(version);
	call->walk->operation = ELVIS_TRUNCATE;
	if (pass_named(call, &change))
		return true;
	if (call->walk->failure.kind != 0) {
		Conflict conflict = { .change = &change, .kind = call->walk->failure.kind,
				      .sqlstate = call->walk->failure.sqlstate,
				      .message = call->walk->failure.message };

		return conflict_settle(call, &conflict) == SETTLED;
	}
	return truncate_apply(call, &truncate);
}

static bool
walk_change(ApplyCall *call, uint8 tag, struct elvis_bytes payload)
{
	WalkPoint *point = &call->walk->point;
	bool done;

	if (!point->in_transaction || !point->has_context)
		damaged_frame("a change outside of a transaction");
	if (comes_back(call->walk))
		done = true;
	else if (tag == ELVIS_RECORD_GAP)
		done = walk_gap(call, payload);
	else if (tag == ELVIS_RECORD_TRUNCATE)
		done = walk_truncate(call, payload);
	else
		done = walk_row_change(call, tag, payload);
	if (done) {
		point->ordinal++;
		point->changes++;
		if (call->walk->answers > 0)
			walk_forget_answers(call->walk);
		call->walk->answers = 0;
		call->walk->attempts = 0;
	}
	return done;
}

static void
walk_begin_transaction(Walk *walk, struct elvis_bytes payload)
{
	if (walk->point.in_transaction || !frame_get_begin(payload, &walk->point.begin))
		damaged_frame("the beginning of a transaction");
	walk->point.in_transaction = true;
	walk->point.has_context = false;
	walk->point.ordinal = 0;
}

static void
walk_commit(ApplyCall *call, struct elvis_bytes payload)
{
	WalkPoint *point = &call->walk->point;
	uint64 seq;

	if (!point->in_transaction || !elvis_get_varint(&payload, &seq) ||
	    seq != (uint64) point->begin.seq)
		damaged_frame("the end of a transaction");
	entries_recheck(call);
	point->in_transaction = false;
}

static void
walk_context(ApplyCall *call, struct elvis_bytes payload)
{
	Walk *walk = call->walk;
	struct frame_context context;

	if (!walk->point.in_transaction || !frame_get_context(payload, &context))
		damaged_frame("a context");
	call_context_changed(call, &context);
	walk->point.context = context;
	walk->point.has_context = true;
}

static void
walk_table(ApplyCall *call, struct elvis_bytes payload)
{
	Target *known = target_find(target_version_of(payload));

	if (known != NULL && known->open != NULL)
		call_close_tables(call);
	(void) target_learn(payload);
}

static void
walk_skipped(Walk *walk, struct elvis_bytes payload)
{
	uint64 n;

	if (!walk->point.in_transaction || !elvis_get_varint(&payload, &n) ||
	    n > PG_INT64_MAX - walk->point.ordinal)
		damaged_frame("a count of changes");
	walk->point.ordinal += n;
}

/* False: the walk is suspended at this record. */
static bool
walk_record(ApplyCall *call, uint8 tag, struct elvis_bytes payload)
{
	if (is_change(tag))
		return walk_change(call, tag, payload);
	switch (tag) {
	case ELVIS_RECORD_CONTEXT:
		walk_context(call, payload);
		break;
	case ELVIS_RECORD_BEGIN:
		walk_begin_transaction(call->walk, payload);
		break;
	case ELVIS_RECORD_COMMIT:
		walk_commit(call, payload);
		break;
	case ELVIS_RECORD_TABLE:
		walk_table(call, payload);
		break;
	case ELVIS_RECORD_SKIPPED:
		walk_skipped(call->walk, payload);
		break;
	default:
		damaged_frame("a record of unknown kind");
	}
	return true;
}

void
walk_records(ApplyCall *call, uint64 limit)
{
	WalkPoint *point = &call->walk->point;
	uint64 start = point->changes;

	while (point->rest.at < point->rest.end) {
		struct elvis_bytes here = point->rest, payload;
		uint8 tag;

		if (is_change(*here.at) && point->changes - start >= limit)
			return;
		if (!elvis_get_record(&point->rest, &tag, &payload))
			damaged_frame("a record");
		CHECK_FOR_INTERRUPTS();
		call->record = here.at;
		if (!walk_record(call, tag, payload)) {
			point->rest = here;
			return;
		}
		MemoryContextReset(call->row);
	}
}

static void
walk_finish(Walk *walk)
{
	walk->state = WALK_DONE;
	if (!(walk->head.flags & ELVIS_FRAME_LAST))
		return;
	if (walk->point.in_transaction)
		damaged_frame("a transaction without an end");
	position_store(&walk->position, &walk->head.next, walk->head.at);
	walk->stored = true;
}

/* The role is a variable of the server: no setting is changed that somebody would have to see. */
void
walk_on(Walk *walk)
{
	int role = SessionReplicationRole;
	int nest = value_pin(VALUE_PIN_ENCODING | VALUE_PIN_FORMATS);

	PG_TRY();
	{
		SessionReplicationRole = SESSION_REPLICATION_ROLE_REPLICA;
		if (walk->head.flags & ELVIS_FRAME_ALONE)
			walk_alone(walk);
		else
			walk_pieces(walk);
		if (walk->state == WALK_ON)
			walk_finish(walk);
	}
	PG_FINALLY();
	{
		SessionReplicationRole = role;
		capture_reset_context();
	}
	PG_END_TRY();
	value_unpin(nest);
}
