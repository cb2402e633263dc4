/*
 * conflict.c - a conflict's rows as text, and the conflict as bytes for the daemon.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/resowner.h"

#include "call.h"
#include "conflict.h"

static const char *const kinds[ELVIS_CONFLICT_KIND_END] = {
#define X(id, name, text) [ELVIS_##id] = name,
	ELVIS_CONFLICT_KINDS(X)
#undef X
};

static const char *const actions[ELVIS_VERDICT_END] = {
	[ELVIS_ABSTAIN] = "abstain",
#define X(id, name, text) [ELVIS_##id] = name,
	ELVIS_VERDICTS(X)
#undef X
};

const char *
conflict_kind_name(uint8 kind)
{
	return kind < ELVIS_CONFLICT_KIND_END ? kinds[kind] : NULL;
}

const char *
verdict_action_name(uint8 action)
{
	return action < ELVIS_VERDICT_END ? actions[action] : NULL;
}

/* ---- rows as text ---- */

/* NULL for a value that this database can not even show, such as text that its encoding lacks. */
static char *
text_if_any(Target *target, int column, const struct frame_value *value)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;
	char *volatile text = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		text = target_text(target, column, value);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		/* whoever catches what is raised again ends his own subtransaction, not this one */
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	if (error != NULL && ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_DATA_EXCEPTION)
		ReThrowError(error);
	return text;
}

/* May a value of this change be what the type or the encoding has refused? */
static bool
is_doubtful(const Conflict *conflict)
{
	return conflict->kind == ELVIS_TYPE_ERROR || conflict->kind == 0;
}

static TextValue *
incoming_row(const Conflict *conflict, const struct frame_value *values)
{
	Target *target = conflict->change->target;
	TextValue *row;

	if (values == NULL)
		return NULL;
	row = palloc0(sizeof(*row) * (target->n_columns + 1));
	for (int i = 0; i < target->n_columns; i++) {
		row[i].head = target->columns[i].generated ? ELVIS_COLUMN_NONE
							   : values[i].head;
		if (row[i].head != ELVIS_COLUMN_BYTES)
			continue;
		row[i].text = is_doubtful(conflict) ? text_if_any(target, i, &values[i])
						    : target_text(target, i, &values[i]);
		if (row[i].text == NULL)
			row[i].head = ELVIS_COLUMN_NOT_CAPTURED;
	}
	return row;
}

TextValue *
conflict_before(const Conflict *conflict)
{
	return incoming_row(conflict, conflict->change->before);
}

TextValue *
conflict_remote(const Conflict *conflict)
{
	return incoming_row(conflict, conflict->change->after);
}

TextValue *
conflict_row(const Target *target, OpenTable *table, TupleTableSlot *slot)
{
	TextValue *row;

	if (slot == NULL)
		return NULL;
	row = palloc0(sizeof(*row) * (target->n_columns + 1));
	for (int i = 0; i < target->n_columns; i++) {
		LocalColumn *local = &table->map->columns[i];
		bool isnull;
		Datum value;

		row[i].head = ELVIS_COLUMN_NONE;
		if (local->attnum == 0)
			continue;
		value = slot_getattr(slot, local->attnum, &isnull);
		row[i].head = isnull ? ELVIS_COLUMN_NULL : ELVIS_COLUMN_BYTES;
		if (!isnull)
			row[i].text = value_text(&local->codec, value);
	}
	return row;
}

/* ---- as bytes ---- */

static void
tell_byte(StringInfo out, uint8 value)
{
	appendStringInfoCharMacro(out, (char) value);
}

static void
tell_number(StringInfo out, uint64 value)
{
	enlargeStringInfo(out, ELVIS_VARINT_MAX);
	out->len = (char *) elvis_put_varint((uint8_t *) out->data + out->len, value) -
		   out->data;
}

static void
tell_time(StringInfo out, int64 value)
{
	enlargeStringInfo(out, 8);
	out->len = (char *) elvis_put_i64((uint8_t *) out->data + out->len, value) - out->data;
}

static void
tell_string(StringInfo out, const char *text)
{
	char *wire = value_to_wire((char *) text);
	size_t length = strlen(wire);

	tell_number(out, length);
	appendBinaryStringInfo(out, wire, (int) length);
}

static void
tell_columns(StringInfo out, const Target *target, const TextValue *row)
{
	for (int i = 0; i < target->n_columns; i++) {
		char *wire;

		if (row[i].head != ELVIS_COLUMN_BYTES) {
			tell_number(out, row[i].head);
			continue;
		}
		wire = value_to_wire(row[i].text);
		tell_number(out, strlen(wire) + ELVIS_COLUMN_BYTES);
		appendBinaryStringInfo(out, wire, (int) strlen(wire));
	}
}

/* Who wrote a row here, and when, is not known. */
static void
tell_local(StringInfo out, const Conflict *conflict, TupleTableSlot *slot)
{
	const Target *target = conflict->change->target;

	tell_number(out, 0);
	tell_byte(out, ELVIS_TIME_UNKNOWN);
	tell_time(out, 0);
	tell_columns(out, target, conflict_row(target, conflict->table, slot));
}

static void
tell_head(StringInfo out, const Conflict *conflict, Walk *walk)
{
	const WalkPoint *point = &walk->point;

	tell_byte(out, conflict->kind);
	tell_byte(out, conflict->change->operation);
	tell_number(out, conflict->change->target->version);
	tell_number(out, (uint64) point->begin.seq);
	tell_number(out, point->ordinal);
	tell_number(out, 1);
	tell_number(out, point->context.origin);
	tell_time(out, point->context.at);
	tell_number(out, point->context.xid != 0 ? point->context.xid : point->begin.xid);
}

void
conflict_tell(const Conflict *conflict, Walk *walk, StringInfo out)
{
	const Target *target = conflict->change->target;
	TextValue *before = conflict_before(conflict), *remote = conflict_remote(conflict);

	tell_head(out, conflict, walk);
	tell_byte(out, (before != NULL ? ELVIS_PART_BEFORE : 0) |
		       (remote != NULL ? ELVIS_PART_REMOTE : 0) |
		       (conflict->local != NULL ? ELVIS_PART_LOCAL : 0) |
		       (conflict->message != NULL ? ELVIS_PART_MESSAGE : 0));
	if (before != NULL)
		tell_columns(out, target, before);
	if (remote != NULL)
		tell_columns(out, target, remote);
	if (conflict->local != NULL)
		tell_local(out, conflict, conflict->local);
	tell_number(out, conflict->n_blockers);
	for (int i = 0; i < conflict->n_blockers; i++) {
		tell_string(out, conflict->blockers[i].index);
		tell_local(out, conflict, conflict->blockers[i].row);
	}
	if (conflict->message != NULL) {
		tell_string(out, conflict->sqlstate);
		tell_string(out, conflict->message);
	}
}
