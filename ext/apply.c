/*
 * apply.c - elvis.apply() and elvis.answer(): frames in, conflicts out.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"

#include "call.h"
#include "compat.h"
#include "conflict.h"
#include "keep.h"
#include "walk.h"

static struct elvis_bytes
argument_bytes(bytea *argument)
{
	struct elvis_bytes in;

	in.at = (uint8_t *) VARDATA_ANY(argument);
	in.end = in.at + VARSIZE_ANY_EXHDR(argument);
	return in;
}

/* Under another level a row that was changed meanwhile could be neither waited for nor seen. */
static void
check_isolation(void)
{
	if (XactIsoLevel != XACT_READ_COMMITTED)
		ereport(ERROR,
			(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
			 errmsg("changes are applied in READ COMMITTED transactions only")));
	PreventCommandIfReadOnly("elvis.apply()");
	PreventCommandIfParallelMode("elvis.apply()");
}

static _Noreturn void
wrong_order(const char *what)
{
	ereport(ERROR,
		(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("%s", what)));
}

/* The walk that goes on; the same savepoint must hold all of it. */
static Walk *
walk_under_way(enum walk_state state)
{
	Walk *walk = walk_current();

	if (walk == NULL)
		wrong_order("no target transaction is under way");
	if (walk->nest_level != GetCurrentTransactionNestLevel())
		wrong_order("a target transaction cannot go on inside another savepoint");
	if (walk->state != state || walk->stored)
		wrong_order(walk->state == WALK_ASK
			    ? "a conflict waits for its answer"
			    : "the target transaction does not wait for this");
	return walk;
}

static Datum
walk_result(FunctionCallInfo fcinfo, Walk *walk)
{
	bool told = walk->state == WALK_ASK || walk->state == WALK_STOP ||
		    walk->state == WALK_RETRY;
	Datum values[3];
	bool nulls[3] = { false, false, !told };
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = CharGetDatum((char) walk->state);
	values[1] = Int64GetDatum((int64) walk->point.changes);
	values[2] = told ? PointerGetDatum(cstring_to_text_with_len(walk->conflict.data,
								    walk->conflict.len)) : 0;
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* What is alone is worked on once; what is the last is worked on. */
static void
check_flags(uint8 flags)
{
	if ((flags & ELVIS_FRAME_ALONE) && !(flags & (ELVIS_FRAME_LAST | ELVIS_FRAME_MORE)))
		damaged_frame("alone, but neither the last nor going on");
	if ((flags & ELVIS_FRAME_LAST) && (flags & ELVIS_FRAME_MORE))
		damaged_frame("the last, but going on");
}

PG_FUNCTION_INFO_V1(elvis_apply);
Datum
elvis_apply(PG_FUNCTION_ARGS)
{
	struct elvis_bytes in = argument_bytes(PG_GETARG_BYTEA_PP(0));
	struct frame_head head;
	Walk *walk;

	check_isolation();
	keep_memory();
	if (!frame_get_head(&in, &head))
		damaged_frame("its head");
	check_flags(head.flags);
	if (head.flags & ELVIS_FRAME_FIRST) {
		if (walk_current() != NULL)
			wrong_order("a target transaction is under way");
		walk = walk_begin(&head);
	} else {
		walk = walk_under_way(WALK_DONE);
		if ((walk->head.flags ^ head.flags) & ELVIS_FRAME_ALONE)
			damaged_frame("alone, but not all of it");
	}
	if (walk_take(walk, &head, in))
		walk_on(walk);
	return walk_result(fcinfo, walk);
}

static char *
answer_text(Walk *walk, struct elvis_bytes *in)
{
	MemoryContext old = MemoryContextSwitchTo(walk->frame_context);
	struct elvis_bytes run;
	char *text;

	if (!elvis_get_string(in, &run))
		damaged_frame("a verdict");
	text = value_from_wire(run.at, run.end - run.at);
	MemoryContextSwitchTo(old);
	return text;
}

static void
take_answer(Walk *walk, struct elvis_bytes in)
{
	WalkAnswer *answer = &walk->answer_to[walk->asked];
	size_t length;
	uint8 *copy;

	if (!elvis_get_u8(&in, &answer->action) || answer->action == ELVIS_ABSTAIN ||
	    answer->action >= ELVIS_VERDICT_END)
		damaged_frame("a verdict");
	answer->policy = answer_text(walk, &in);
	answer->reason = answer_text(walk, &in);
	length = in.end - in.at;
	copy = MemoryContextAllocHuge(walk->frame_context, length + 1);
	memcpy(copy, in.at, length);
	answer->row.at = copy;
	answer->row.end = copy + length;
	answer->given = true;
	walk->answers++;
	walk->state = WALK_ON;
}

PG_FUNCTION_INFO_V1(elvis_answer);
Datum
elvis_answer(PG_FUNCTION_ARGS)
{
	Walk *walk;

	check_isolation();
	walk = walk_under_way(WALK_ASK);
	take_answer(walk, argument_bytes(PG_GETARG_BYTEA_PP(0)));
	walk_on(walk);
	return walk_result(fcinfo, walk);
}
