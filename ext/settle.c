/*
 * settle.c - a verdict is found, carried out and recorded, in the transaction of the change.
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include <elvis/policy.h>
#include <elvis/sink.h>

#include "catalog.h"
#include "conflict.h"

/* A policy that gives an answer which fails again and again is not asked for ever. */
#define ANSWERS_MAX 8

/* What carrying out has come to. */
enum carried {
	CARRIED,	/* done; *written is the row as it is now, or NULL */
	CARRY_LOST,	/* somebody was faster */
	CARRY_MEETS,	/* the row would meet others, which are the conflict's blockers now */
	CARRY_SENSELESS,	/* this verdict cannot be carried out here */
};

/* ---- suspending ---- */

static bool
lock_rows(ApplyCall *call, const Conflict *conflict)
{
	if (conflict->table == NULL)
		return true;
	if (conflict->local != NULL &&
	    write_lock(call, conflict->table, conflict->local) != TM_Ok)
		return false;
	for (int i = 0; i < conflict->n_blockers; i++)
		if (write_lock(call, conflict->table, conflict->blockers[i].row) != TM_Ok)
			return false;
	return true;
}

static _Noreturn void
must_ask(const Conflict *conflict)
{
	const Target *target = conflict->change->target;

	ereport(ERROR,
		(errcode(ERRCODE_ELVIS_MUST_ASK),
		 errmsg("a change of table \"%s.%s\" does not fit: %s", target->schema,
			target->name, conflict_kind_name(conflict->kind)),
		 errhint("Send the frame again inside a transaction.")));
}

enum settled
conflict_suspend(ApplyCall *call, const Conflict *conflict, enum walk_state state)
{
	Walk *walk = call->walk;

	if (walk->head.flags & ELVIS_FRAME_ALONE)
		must_ask(conflict);
	/* our own rows of this command could not be locked */
	call_outside(call, write_flush_all);
	if (!lock_rows(call, conflict))
		return LOOK_AGAIN;
	resetStringInfo(&walk->conflict);
	conflict_tell(conflict, walk, &walk->conflict);
	walk->state = state;
	walk->asked = conflict->kind;
	walk->attempts = 0;
	return SUSPENDED;
}

/* The policy cannot be followed: the link stops, and says why. */
static enum settled
suspend_policy_error(ApplyCall *call, Conflict *conflict, const char *message)
{
	conflict->kind = ELVIS_POLICY_ERROR;
	conflict->sqlstate = "22023";
	conflict->message = message;
	return conflict_suspend(call, conflict, WALK_STOP);
}

static enum settled
ask(ApplyCall *call, Conflict *conflict)
{
	if (call->walk->answers >= ANSWERS_MAX)
		return suspend_policy_error(call, conflict,
					    "the answers given to this change fail again and again");
	return conflict_suspend(call, conflict, WALK_ASK);
}

/* ---- rows to write ---- */

/* The source's row after the change. */
static struct frame_value *
remote_image(const Change *change)
{
	int n = change->target->n_columns;
	struct frame_value *image = palloc(sizeof(*image) * (n + 1));

	for (int i = 0; i < n; i++)
		image[i] = change->before != NULL &&
			   change->after[i].head == ELVIS_COLUMN_UNCHANGED
			? change->before[i] : change->after[i];
	return image;
}

static bool
is_whole(const Target *target, const struct frame_value *image)
{
	for (int i = 0; i < target->n_columns; i++)
		if (image[i].head == ELVIS_COLUMN_NOT_CAPTURED)
			return false;
	return true;
}

/* A winner that leaves a value of the loser in its row would make nodes differ for good. */
static bool
brings_whole_row(const Change *change)
{
	return change->after == NULL || is_whole(change->target, remote_image(change));
}

/* For what a conflict does beyond its change, the caller needs the rights too. */
static void
need_rights(ApplyCall *call, const Conflict *conflict, AclMode rights)
{
	Oid user;
	int context;

	GetUserIdAndSecContext(&user, &context);
	call_leave(call);
	(void) call_enter(call, conflict->change->target, rights);
	SetUserIdAndSecContext(user, context);
}

static enum carried
put_found(ApplyCall *call, Conflict *conflict, TextValue **written)
{
	OpenTable *table = conflict->table;

	if (write_update(call, table, NULL) != TM_Ok)
		return CARRY_LOST;
	*written = conflict_row(table->target, table, table->fresh);
	return CARRIED;
}

static enum carried
delete_found(ApplyCall *call, Conflict *conflict)
{
	need_rights(call, conflict, ACL_DELETE);
	return write_delete(call, conflict->table) == TM_Ok ? CARRIED : CARRY_LOST;
}

/*
 * A verdict makes a row whose unique keys nobody has looked at: what it meets is a conflict of its
 * own, and not yet answered.  `self`: the row it replaces, invalid when it is new.
 */
static bool
meets_others(ApplyCall *call, Conflict *conflict, OpenTable *table, ItemPointerData self)
{
	change_find_blockers(call, table, table->fresh, &self, conflict);
	if (conflict->n_blockers == 0)
		return false;
	conflict->kind = conflict->n_blockers > 1 ? ELVIS_MULTIPLE_UNIQUE_CONFLICTS
						  : ELVIS_UPDATE_EXISTS;
	conflict->whole = true;
	return true;
}

/* A slot of the table that holds the image, merged or not, in its partition. */
static OpenTable *
fill_new(ApplyCall *call, Conflict *conflict, const struct frame_value *image,
	 const WalkAnswer *merge)
{
	OpenTable *table = conflict->table;

	if (table->root != NULL)
		table = table->root;
	if (table->map->partitioned) {
		row_fill_insert(table, image, table->fresh);
		if (merge != NULL)
			row_merge(table, merge->row, table->fresh);
		table = call_route(call, table);
		table_need_slots(table);
	}
	row_fill_insert(table, image, table->fresh);
	if (merge != NULL)
		row_merge(table, merge->row, table->fresh);
	return table;
}

/* Into the partition that the row belongs to, which need not be the one that was looked in. */
static enum carried
put_new(ApplyCall *call, Conflict *conflict, const struct frame_value *image,
	const WalkAnswer *merge, TextValue **written)
{
	OpenTable *table;

	need_rights(call, conflict, ACL_INSERT);
	table = fill_new(call, conflict, image, merge);
	write_insert(call, table, table->fresh);
	*written = conflict_row(table->target, table, table->fresh);
	return CARRIED;
}

/* ---- verdicts ---- */

static enum carried
apply_remote(ApplyCall *call, Conflict *conflict, TextValue **written)
{
	switch (conflict->kind) {
	case ELVIS_INSERT_EXISTS:
	case ELVIS_UPDATE_DIFFERS:
		need_rights(call, conflict, ACL_UPDATE);
		row_fill_update(conflict->table, remote_image(conflict->change));
		if (conflict->kind == ELVIS_UPDATE_DIFFERS &&
		    meets_others(call, conflict, conflict->table, conflict->local->tts_tid))
			return CARRY_MEETS;
		return put_found(call, conflict, written);
	case ELVIS_DELETE_DIFFERS:
		return delete_found(call, conflict);
	case ELVIS_TARGET_COLUMN_MISSING:
		call->drop_columns = true;
		return CARRIED;
	default:
		return CARRY_SENSELESS;
	}
}

static enum carried
merge(ApplyCall *call, Conflict *conflict, const WalkAnswer *answer, TextValue **written)
{
	const Change *change = conflict->change;

	if (answer == NULL || conflict->table == NULL)
		return CARRY_SENSELESS;
	if (conflict->local != NULL) {
		need_rights(call, conflict, ACL_UPDATE);
		row_fill_update(conflict->table, NULL);
		row_merge(conflict->table, answer->row, conflict->table->fresh);
		return put_found(call, conflict, written);
	}
	if (change->operation != ELVIS_INSERT && conflict->kind != ELVIS_UPDATE_MISSING)
		return CARRY_SENSELESS;
	/* what was refused is not decoded again where the policy gave something else */
	if (conflict->kind == ELVIS_TYPE_ERROR) {
		struct frame_value *nothing = palloc0(sizeof(*nothing) *
						      (change->target->n_columns + 1));

		return put_new(call, conflict, nothing, answer, written);
	}
	return put_new(call, conflict, remote_image(change), answer, written);
}

static enum carried
insert_remote(ApplyCall *call, Conflict *conflict, TextValue **written)
{
	ItemPointerData nobody;
	struct frame_value *image;
	OpenTable *table;

	if (conflict->kind != ELVIS_UPDATE_MISSING)
		return CARRY_SENSELESS;
	image = remote_image(conflict->change);
	if (!is_whole(conflict->change->target, image))
		return CARRY_SENSELESS;
	need_rights(call, conflict, ACL_INSERT);
	ItemPointerSetInvalid(&nobody);
	table = fill_new(call, conflict, image, NULL);
	if (meets_others(call, conflict, table, nobody))
		return CARRY_MEETS;
	write_insert(call, table, table->fresh);
	*written = conflict_row(table->target, table, table->fresh);
	return CARRIED;
}

static enum carried
delete_local(ApplyCall *call, Conflict *conflict)
{
	if (conflict->local == NULL || conflict->kind == ELVIS_MULTIPLE_UNIQUE_CONFLICTS)
		return CARRY_SENSELESS;
	return delete_found(call, conflict);
}

/* write_delete() deletes what is found; the row that is kept is put back into its place. */
static enum carried
delete_blockers(ApplyCall *call, Conflict *conflict)
{
	OpenTable *table = conflict->table;
	TupleTableSlot *found = table->found;

	need_rights(call, conflict, ACL_DELETE);
	for (int i = 0; i < conflict->n_blockers; i++) {
		TM_Result result;

		table->found = conflict->blockers[i].row;
		result = write_delete(call, table);
		table->found = found;
		if (result != TM_Ok)
			return CARRY_LOST;
	}
	return CARRIED;
}

/* Is the local row, too, only one that is in the way? */
static bool
local_is_blocker(const Conflict *conflict)
{
	for (int i = 0; i < conflict->n_blockers; i++)
		if (ItemPointerEquals(&conflict->blockers[i].row->tts_tid,
				      &conflict->local->tts_tid))
			return true;
	return false;
}

static enum carried
replace_blockers(ApplyCall *call, Conflict *conflict, TextValue **written)
{
	const Change *change = conflict->change;
	enum carried carried;

	if (conflict->kind != ELVIS_INSERT_EXISTS && conflict->kind != ELVIS_UPDATE_EXISTS &&
	    conflict->kind != ELVIS_MULTIPLE_UNIQUE_CONFLICTS)
		return CARRY_SENSELESS;
	carried = delete_blockers(call, conflict);
	if (carried != CARRIED)
		return carried;
	if (conflict->local == NULL || local_is_blocker(conflict))
		return put_new(call, conflict, remote_image(change), NULL, written);
	need_rights(call, conflict, ACL_UPDATE);
	row_fill_update(conflict->table, conflict->whole ? remote_image(change)
							 : change->after);
	return put_found(call, conflict, written);
}

static enum carried
carry_out(ApplyCall *call, Conflict *conflict, uint8 action, const WalkAnswer *answer,
	  TextValue **written)
{
	switch ((enum elvis_verdict_action) action) {
	case ELVIS_APPLY_REMOTE:
		return apply_remote(call, conflict, written);
	case ELVIS_KEEP_LOCAL:
		return conflict->kind == ELVIS_POLICY_ERROR ? CARRY_SENSELESS : CARRIED;
	case ELVIS_MERGE:
		return merge(call, conflict, answer, written);
	case ELVIS_INSERT_REMOTE:
		return insert_remote(call, conflict, written);
	case ELVIS_DELETE_LOCAL:
		return delete_local(call, conflict);
	case ELVIS_REPLACE_BLOCKERS:
		return replace_blockers(call, conflict, written);
	case ELVIS_ABSTAIN:
	case ELVIS_RETRY:
	case ELVIS_STOP:
	case ELVIS_VERDICT_END:
		break;
	}
	return CARRY_SENSELESS;
}

static enum settled
settle(ApplyCall *call, Conflict *conflict, const Verdict *verdict, const WalkAnswer *answer)
{
	TextValue *written = NULL;

	if (verdict->action == ELVIS_STOP)
		return conflict_suspend(call, conflict, WALK_STOP);
	if (verdict->action == ELVIS_RETRY)
		return conflict_suspend(call, conflict, WALK_RETRY);
	switch (carry_out(call, conflict, verdict->action, answer, &written)) {
	case CARRIED:
		break;
	case CARRY_LOST:
		return LOOK_AGAIN;
	case CARRY_MEETS:
		return conflict_settle(call, conflict);
	case CARRY_SENSELESS:
		return suspend_policy_error(call, conflict,
			psprintf("policy \"%s\" gave the verdict %s, which cannot be carried out for %s",
				 verdict->policy, verdict_action_name(verdict->action),
				 conflict_kind_name(conflict->kind)));
	}
	resolution_record(call, conflict, verdict, written);
	call->walk->failure.kind = 0;
	return call->drop_columns && conflict->kind == ELVIS_TARGET_COLUMN_MISSING
		? LOOK_AGAIN : SETTLED;
}

/* ---- the order of two versions ---- */

/* The change's value of a column: as it was before, for a DELETE. */
static const struct frame_value *
value_of_change(const Change *change, int column)
{
	if (change->after == NULL)
		return &change->before[column];
	if (change->before != NULL && change->after[column].head == ELVIS_COLUMN_UNCHANGED)
		return &change->before[column];
	return &change->after[column];
}

/* NULL is below everything: nothing is known of when the row was written. */
static int
compare_column(const Change *change, OpenTable *table, TupleTableSlot *slot, int column)
{
	const struct frame_value *value = value_of_change(change, column);
	LocalColumn *local = &table->map->columns[column];
	TypeCacheEntry *type;
	bool isnull;
	Datum here;

	if (local->attnum == 0)
		ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("column \"%s\", by which rows of table \"%s.%s\" are ordered, does not exist here",
				table->target->columns[column].name, table->target->schema,
				table->target->name)));
	here = slot_getattr(slot, local->attnum, &isnull);
	if (isnull || value->head != ELVIS_COLUMN_BYTES)
		return (value->head == ELVIS_COLUMN_BYTES) - !isnull;
	type = lookup_type_cache(local->codec.base, TYPECACHE_CMP_PROC_FINFO);
	if (!OidIsValid(type->cmp_proc_finfo.fn_oid))
		ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_FUNCTION),
			 errmsg("column \"%s\" of table \"%s.%s\" has no order",
				table->target->columns[column].name, table->target->schema,
				table->target->name)));
	return DatumGetInt32(FunctionCall2Coll(&type->cmp_proc_finfo, local->codec.collation,
					       target_decode(table->target, table->map, column,
							     value),
					       here));
}

/* One column of two rows as text, NULL first; 0 also for what the change does not tell. */
static int
compare_text(const Change *change, OpenTable *table, TupleTableSlot *slot, int column)
{
	const struct frame_value *value = value_of_change(change, column);
	const TargetColumn *from = &table->target->columns[column];
	LocalColumn *local = &table->map->columns[column];
	bool isnull;
	Datum here;

	if (local->attnum == 0 || local->generated || from->generated || from->ignored ||
	    value->head == ELVIS_COLUMN_NOT_CAPTURED)
		return 0;
	here = slot_getattr(slot, local->attnum, &isnull);
	if (isnull || value->head != ELVIS_COLUMN_BYTES)
		return (value->head == ELVIS_COLUMN_BYTES) - !isnull;
	return strcmp(value_text(&local->codec, target_decode(table->target, table->map, column,
							      value)),
		      value_text(&local->codec, here));
}

int
conflict_order(const Change *change, OpenTable *table, TupleTableSlot *local, int column)
{
	int order = compare_column(change, table, local, column);

	/* by name, which is the same on all nodes, as the order of columns need not be */
	for (int i = 0; order == 0 && i < table->target->n_columns; i++)
		order = compare_text(change, table, local, table->target->by_name[i]);
	return order;
}

/* The change must be greater than every row it would replace. */
static bool
is_greatest(const Conflict *conflict, int column)
{
	const Change *change = conflict->change;

	if (conflict->local != NULL &&
	    conflict_order(change, conflict->table, conflict->local, column) <= 0)
		return false;
	for (int i = 0; i < conflict->n_blockers; i++)
		if (conflict_order(change, conflict->table, conflict->blockers[i].row,
				   column) <= 0)
			return false;
	return true;
}

static enum settled
settle_by_order(ApplyCall *call, Conflict *conflict, const TargetRule *rule)
{
	Verdict verdict = { .policy = rule->policy };

	/* nothing to compare with */
	if (conflict->table == NULL || (conflict->local == NULL && conflict->n_blockers == 0))
		return ask(call, conflict);
	if (!is_greatest(conflict, rule->column)) {
		verdict.action = ELVIS_KEEP_LOCAL;
		verdict.reason = "the local row is greater";
	} else if (!brings_whole_row(conflict->change)) {
		return suspend_policy_error(call, conflict,
			"the incoming row is greater, but a large value of it was not captured, so that it cannot be written whole; elvisctl apply has the table capture them");
	} else {
		verdict.action = conflict->kind == ELVIS_UPDATE_EXISTS ||
				 conflict->kind == ELVIS_MULTIPLE_UNIQUE_CONFLICTS
			? ELVIS_REPLACE_BLOCKERS : ELVIS_APPLY_REMOTE;
		verdict.reason = "the incoming row is greater";
	}
	return settle(call, conflict, &verdict, NULL);
}

/* ---- who says what ---- */

static enum settled
settle_by_rule(ApplyCall *call, Conflict *conflict)
{
	const TargetRule *rule = &conflict->change->target->rules[conflict->kind];
	Verdict verdict = { .action = rule->verdict, .policy = rule->policy };

	switch ((enum elvis_answer_rule) rule->rule) {
	case ELVIS_ANSWER_VERDICT:
		return settle(call, conflict, &verdict, NULL);
	case ELVIS_ANSWER_GREATER_WINS:
		return settle_by_order(call, conflict, rule);
	case ELVIS_ANSWER_ASK:
		break;
	}
	return ask(call, conflict);
}

/* Nobody can tell from a gap what the table should hold: passed only on a word given before. */
static enum settled
settle_gap(ApplyCall *call, Conflict *conflict)
{
	const TargetRule *rule = &conflict->change->target->rules[ELVIS_GAP];
	Verdict verdict = { .action = ELVIS_KEEP_LOCAL, .policy = rule->policy };

	if (rule->rule != ELVIS_ANSWER_VERDICT || rule->verdict != ELVIS_KEEP_LOCAL)
		verdict.action = ELVIS_STOP;
	return settle(call, conflict, &verdict, NULL);
}

enum settled
conflict_settle(ApplyCall *call, Conflict *conflict)
{
	const WalkAnswer *answer = &call->walk->answer_to[conflict->kind];
	Verdict verdict = { .action = answer->action, .policy = answer->policy,
			    .reason = answer->reason };

	if (answer->given)
		return settle(call, conflict, &verdict, answer);
	if (conflict->kind == ELVIS_GAP)
		return settle_gap(call, conflict);
	return settle_by_rule(call, conflict);
}
