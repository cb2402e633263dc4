/*
 * open.c - tables opened for a call, or for the piece of it that is walked, and closed again.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "optimizer/optimizer.h"
#include "parser/parse_coerce.h"
#include "rewrite/rewriteHandler.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"

#include "call.h"
#include "conflict.h"
#include "capture.h"
#include "catalog.h"
#include "compat.h"

ApplyCall *
call_begin(Walk *walk, bool careful)
{
	MemoryContext context = AllocSetContextCreate(walk->context, "elvis apply call",
						      ALLOCSET_DEFAULT_SIZES);
	ApplyCall *call = MemoryContextAllocZero(context, sizeof(*call));

	call->walk = walk;
	call->context = context;
	call->row = AllocSetContextCreate(context, "elvis apply row", ALLOCSET_DEFAULT_SIZES);
	call->flush = AllocSetContextCreate(context, "elvis apply flush",
					    ALLOCSET_DEFAULT_SIZES);
	call->careful = careful;
	call->caller = GetUserId();
	PushActiveSnapshot(GetTransactionSnapshot());
	return call;
}

/* ---- rights and refusals ---- */

static void
check_kind(Relation relation)
{
	if (relation->rd_rel->relkind != RELKIND_RELATION &&
	    relation->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" is not a table", RelationGetRelationName(relation))));
	if (IsSystemRelation(relation) || RelationGetNamespace(relation) == catalog_schema())
		ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("changes of \"%s\" are not accepted from outside",
				RelationGetRelationName(relation))));
}

static void
check_rights(OpenTable *table, Oid caller, AclMode needed)
{
	TargetMap *map = table->map;
	AclMode missing = map->rights_of == caller ? needed & ~map->rights : needed;
	Oid relid = map->relid;

	if (missing == 0)
		return;
	if (pg_class_aclmask(relid, caller, missing, ACLMASK_ALL) != missing)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE,
			       RelationGetRelationName(table->relation));
	if (check_enable_rls(relid, caller, false) == RLS_ENABLED)
		ereport(ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("user \"%s\" cannot replicate into table \"%s\" with row-level security enabled",
				GetUserNameFromId(caller, true),
				RelationGetRelationName(table->relation)),
			 errhint("Give it BYPASSRLS, or let the table's owner run the link.")));
	map->rights = (map->rights_of == caller ? map->rights : ACL_NO_RIGHTS) | needed;
	map->rights_of = caller;
}

/* ---- opening ---- */

/* NULL, as far as the column's domain lets it; NULL itself when it is of none. */
static Node *
null_of_domain(Form_pg_attribute attribute)
{
	int32 typmod = attribute->atttypmod;
	Oid base = getBaseTypeAndTypmod(attribute->atttypid, &typmod);

	if (base == attribute->atttypid)
		return NULL;
	return coerce_to_domain((Node *) makeNullConst(base, typmod, attribute->attcollation),
				base, typmod, attribute->atttypid, COERCION_IMPLICIT,
				COERCE_IMPLICIT_CAST, -1, false);
}

static Node *
default_of(Relation relation, int attnum)
{
	Node *expression = build_column_default(relation, attnum);

	if (expression == NULL)
		expression = null_of_domain(TupleDescAttr(RelationGetDescr(relation),
							  attnum - 1));
	return expression == NULL ? NULL : (Node *) expression_planner((Expr *) expression);
}

static void
open_defaults(OpenTable *table)
{
	TupleDesc desc = RelationGetDescr(table->relation);

	table->defaults = palloc0(sizeof(ExprState *) * desc->natts);
	for (int i = 0; i < desc->natts; i++) {
		Form_pg_attribute attribute = TupleDescAttr(desc, i);
		bool mapped = attribute->attisdropped || attribute->attgenerated != '\0';
		Node *expression;

		for (int j = 0; !mapped && j < table->target->n_columns; j++)
			mapped = table->map->columns[j].attnum == i + 1;
		if (mapped)
			continue;
		expression = default_of(table->relation, i + 1);
		if (expression == NULL)
			continue;
		table->defaults[i] = ExecInitExpr((Expr *) expression, NULL);
		table->volatile_defaults |= contain_volatile_functions(expression);
	}
}

/* Which columns an update sets matters to triggers and generated columns only. */
static void
open_updated_columns(OpenTable *table)
{
	TupleDesc desc = RelationGetDescr(table->relation);
	Bitmapset *all = NULL;

	if (!table->map->has_generated)
		return;
	for (int i = 1; i <= desc->natts; i++)
		all = bms_add_member(all, i - FirstLowInvalidHeapAttributeNumber);
	compat_set_updated_columns(table->estate, all);
}

void
table_need_defaults(OpenTable *table)
{
	MemoryContext old;

	table_need_executor(table);
	if (table->defaults != NULL)
		return;
	old = MemoryContextSwitchTo(GetMemoryChunkContext(table));
	open_defaults(table);
	MemoryContextSwitchTo(old);
}

static void
open_executor(OpenTable *table)
{
	RangeTblEntry *entry = makeNode(RangeTblEntry);
	ResultRelInfo indexes = *table->result;

	table->estate = CreateExecutorState();
	entry->rtekind = RTE_RELATION;
	entry->relid = RelationGetRelid(table->relation);
	entry->relkind = table->relation->rd_rel->relkind;
	entry->rellockmode = RowExclusiveLock;
	compat_init_range_table(table->estate, entry);
	InitResultRelInfo(table->result, table->relation, 1, NULL, 0);
	table->result->ri_NumIndices = indexes.ri_NumIndices;
	table->result->ri_IndexRelationDescs = indexes.ri_IndexRelationDescs;
	table->result->ri_IndexRelationInfo = indexes.ri_IndexRelationInfo;
	open_updated_columns(table);
}

void
table_need_executor(OpenTable *table)
{
	MemoryContext old;

	if (table->estate != NULL)
		return;
	old = MemoryContextSwitchTo(GetMemoryChunkContext(table));
	open_executor(table);
	MemoryContextSwitchTo(old);
}

/* With a descriptor of our own: the server would keep count of each slot's use of one of its own. */
void
table_need_slots(OpenTable *table)
{
	MemoryContext old;

	if (table->fresh != NULL)
		return;
	old = MemoryContextSwitchTo(GetMemoryChunkContext(table));
	table->found = MakeSingleTupleTableSlot(table->map->shape,
						table_slot_callbacks(table->relation));
	table->fresh = MakeSingleTupleTableSlot(table->map->shape, &TTSOpsVirtual);
	MemoryContextSwitchTo(old);
}

static void
open_routing(OpenTable *table)
{
	table_need_executor(table);
	table->routing_state = makeNode(ModifyTableState);
	table->routing_state->ps.state = table->estate;
	table->routing_state->operation = CMD_INSERT;
	table->routing_state->resultRelInfo = table->result;
	table->routing = ExecSetupPartitionTupleRouting(table->estate, table->relation);
	table->fresh = table_slot_create(table->relation, NULL);
}

OpenTable *
table_new(Target *target, Relation relation)
{
	OpenTable *table = palloc0(sizeof(*table));

	table->target = target;
	table->map = target_map(target, relation);
	table->relation = relation;
	table->result = makeNode(ResultRelInfo);
	table->result->ri_RelationDesc = relation;
	return table;
}

static OpenTable *
open_table(ApplyCall *call, Target *target, Relation relation)
{
	MemoryContext old = MemoryContextSwitchTo(call->context);
	OpenTable *table = table_new(target, relation);

	if (table->map->partitioned)
		open_routing(table);
	table->next = call->tables;
	call->tables = table;
	table->map->local->open = table;
	MemoryContextSwitchTo(old);
	return table;
}

/*
 * By name, because that is what the source's table and ours have in common; locked.  A table that
 * bore it when this caller was let see it bears it still if nothing has been told of it since, be
 * it of the name, the schema, or anybody's rights.
 */
static Oid
find_by_name(ApplyCall *call, Target *target)
{
	RangeVar *name;

	if (OidIsValid(target->found) && target->found_by == call->caller) {
		LockRelationOid(target->found, RowExclusiveLock);
		if (target_known_map(target, target->found) != NULL)
			return target->found;
		UnlockRelationOid(target->found, RowExclusiveLock);
	}
	name = makeRangeVar(target->schema, target->name, -1);
	target->found = RangeVarGetRelid(name, RowExclusiveLock, true);
	target->found_by = call->caller;
	pfree(name);
	return target->found;
}

static OpenTable *
open_by_name(ApplyCall *call, Target *target)
{
	Oid relid = find_by_name(call, target);
	Relation relation;

	if (!OidIsValid(relid))
		return NULL;
	relation = relation_open(relid, NoLock);
	check_kind(relation);
	/* what waits for it by an earlier version would not be found by this one */
	if (target_map(target, relation)->local->open != NULL)
		call_close_tables(call);
	target->open = open_table(call, target, relation);
	return target->open;
}

static void
enter(ApplyCall *call, const TargetMap *map)
{
	if (map->has_code)
		waiting_flush_all(call);
	owner_become(&call->caller_state, map->owner, map->has_code);
	call->entered = map;
}

OpenTable *
call_enter(ApplyCall *call, Target *target, AclMode rights)
{
	OpenTable *table = target->open;

	if (call->in_turn != NULL && call->in_turn != table)
		write_flush(call, call->in_turn);
	if (table == NULL)
		table = open_by_name(call, target);
	if (table == NULL)
		return NULL;
	check_rights(table, call->caller, rights);
	enter(call, table->map);
	return table;
}

void
call_leave(ApplyCall *call)
{
	if (call->entered != NULL)
		owner_leave(&call->caller_state);
	call->entered = NULL;
}

void
call_outside(ApplyCall *call, void (*work)(ApplyCall *call))
{
	const TargetMap *inside = call->entered;

	call_leave(call);
	work(call);
	if (inside != NULL)
		enter(call, inside);
}

OpenTable *
call_route(ApplyCall *call, OpenTable *root)
{
	MemoryContext old = MemoryContextSwitchTo(call->context);
	ResultRelInfo *found = ExecFindPartition(root->routing_state, root->result,
						 root->routing, root->fresh, root->estate);
	Oid relid = RelationGetRelid(found->ri_RelationDesc);
	OpenTable *leaf = root->leaves;

	while (leaf != NULL && leaf->map->relid != relid)
		leaf = leaf->leaves;
	if (leaf == NULL) {
		Relation relation = table_open(relid, RowExclusiveLock);

		check_kind(relation);
		leaf = open_table(call, root->target, relation);
		leaf->root = root;
		leaf->leaves = root->leaves;
		root->leaves = leaf;
	}
	MemoryContextSwitchTo(old);
	ResetPerTupleExprContext(root->estate);
	call_leave(call);
	enter(call, leaf->map);
	return leaf;
}

/* ---- triggers of users ---- */

static void
close_triggers(ApplyCall *call)
{
	struct before_owner before;
	MemoryContext old;
	EState *estate;

	if (!call->triggers_open)
		return;
	waiting_flush_all(call);
	owner_become(&before, call->triggers_owner, true);
	old = MemoryContextSwitchTo(call->context);
	estate = CreateExecutorState();
	AfterTriggerEndQuery(estate);
	ExecCloseResultRelations(estate);
	FreeExecutorState(estate);
	MemoryContextSwitchTo(old);
	owner_leave(&before);
	call->triggers_open = false;
}

/* What would wait for COMMIT would run there as whoever applies. */
static void
let_none_wait(void)
{
	ConstraintsSetStmt *all = makeNode(ConstraintsSetStmt);

	AfterTriggerSetState(all);
	pfree(all);
}

void
call_open_triggers(ApplyCall *call, Oid owner)
{
	if (call->triggers_open && call->triggers_owner != owner)
		call_outside(call, close_triggers);
	if (call->triggers_open)
		return;
	let_none_wait();
	AfterTriggerBeginQuery();
	call->triggers_owner = owner;
	call->triggers_open = true;
}

void
call_context_changed(ApplyCall *call, const struct frame_context *next)
{
	const struct frame_context *last = &call->walk->point.context;

	if (last->origin == next->origin && last->at == next->at && last->xid == next->xid &&
	    call->context_told)
		return;
	if (call->in_turn != NULL)
		write_flush(call, call->in_turn);
	close_triggers(call);
	capture_set_context(next->origin, call->walk->position.source, next->at,
			    next->xid != 0 ? next->xid : call->walk->point.begin.xid);
	call->context_told = true;
}

/* ---- closing ---- */

void
table_release(OpenTable *table)
{
	if (table->scan != NULL)
		index_endscan(table->scan);
	if (table->routing != NULL)
		ExecCleanupTupleRouting(table->routing_state, table->routing);
	if (table->key_index != NULL)
		index_close(table->key_index, NoLock);
	if (table->found != NULL)
		ExecDropSingleTupleTableSlot(table->found);
	if (table->fresh != NULL)
		ExecDropSingleTupleTableSlot(table->fresh);
	entries_close(table);
	if (table->estate != NULL) {
		ExecResetTupleTable(table->estate->es_tupleTable, false);
		FreeExecutorState(table->estate);
	}
	table_close(table->relation, NoLock);
	if (table->root == NULL)
		table->target->open = NULL;
}

void
call_close_tables(ApplyCall *call)
{
	write_flush_all(call);
	close_triggers(call);
	resolution_close(call);
	memset(call->scanning, 0, sizeof(call->scanning));
	while (call->tables != NULL) {
		OpenTable *table = call->tables;

		call->tables = table->next;
		table->map->local->open = NULL;
		table_release(table);
	}
}

void
call_end(ApplyCall *call)
{
	call_close_tables(call);
	PopActiveSnapshot();
	MemoryContextDelete(call->context);
}

void
call_forget(ApplyCall *call)
{
	for (OpenTable *table = call->tables; table != NULL; table = table->next) {
		table->target->open = NULL;
		table->map->local->open = NULL;
	}
	MemoryContextDelete(call->context);
}
