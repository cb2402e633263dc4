/*
 * truncate.c - the tables that one TRUNCATE emptied at the source, emptied here.
 *
 * All at once, because the server refuses to empty a referenced table without those that refer to
 * it.  Never further than the record says: what CASCADE reached at the source is in the record, and
 * a table that refers to one of them only here is an error, not a loss.
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/catalog.h"
#include "catalog/pg_inherits.h"
#include "commands/tablecmds.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/rel.h"

#include "compat.h"
#include "conflict.h"
#include "truncate.h"

/* False: the walk is suspended; else *relid is the table, or invalid when it is to be left. */
static bool
find_table(ApplyCall *call, Target *target, Oid *relid)
{
	Change change = { .operation = ELVIS_TRUNCATE, .target = target };
	Conflict conflict = { .change = &change, .kind = ELVIS_TARGET_TABLE_MISSING };
	OpenTable *table = call_enter(call, target, ACL_TRUNCATE);

	*relid = InvalidOid;
	if (table == NULL)
		return conflict_settle(call, &conflict) == SETTLED;
	call_claim(call, table);
	if (!position_has_copied(&call->walk->position, table->map->relid,
				 call->walk->point.begin.xid))
		*relid = table->map->relid;
	call_leave(call);
	return true;
}

static bool
find_tables(ApplyCall *call, const struct frame_truncate *truncate, List **relids)
{
	struct elvis_bytes versions = truncate->versions;

	for (uint64 i = 0; i < truncate->n; i++) {
		uint64 version = 0;
		Target *target;
		Oid relid;

		(void) elvis_get_varint(&versions, &version);
		target = target_find(version);
		if (target == NULL)
			damaged_frame("a truncation of a table that it does not describe");
		if (!find_table(call, target, &relid))
			return false;
		if (OidIsValid(relid))
			*relids = list_append_unique_oid(*relids, relid);
	}
	return true;
}

/* Partitions hold the rows. */
static void
open_all(List *roots, List **relations, List **relids, List **logged)
{
	ListCell *root, *cell;

	foreach(root, roots) {
		List *all = find_all_inheritors(lfirst_oid(root), AccessExclusiveLock, NULL);

		foreach(cell, all) {
			Relation relation;

			if (list_member_oid(*relids, lfirst_oid(cell)))
				continue;
			/* plain inheritance does not travel with its parent */
			relation = table_open(lfirst_oid(cell), NoLock);
			if (lfirst_oid(cell) != lfirst_oid(root) &&
			    !relation->rd_rel->relispartition) {
				table_close(relation, NoLock);
				continue;
			}
			CheckTableNotInUse(relation, "TRUNCATE");
			*relations = lappend(*relations, relation);
			*relids = lappend_oid(*relids, lfirst_oid(cell));
			if (RelationIsLogicallyLogged(relation))
				*logged = lappend_oid(*logged, lfirst_oid(cell));
		}
	}
}

/* Whose code may run: the owner's, when all tables have one. */
static void
become_owner(struct before_owner *before, List *relations)
{
	Oid owner = ((Relation) linitial(relations))->rd_rel->relowner;
	ListCell *cell;

	foreach(cell, relations)
		if (((Relation) lfirst(cell))->rd_rel->relowner != owner)
			ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("tables of different owners cannot be truncated together"),
				 errdetail("Their triggers would run as somebody else.")));
	owner_become(before, owner, true);
}

bool
truncate_apply(ApplyCall *call, const struct frame_truncate *truncate)
{
	List *roots = NIL, *relations = NIL, *relids = NIL, *logged = NIL;
	struct before_owner before;
	ListCell *cell;

	if (!find_tables(call, truncate, &roots))
		return false;
	call_close_tables(call);
	if (roots == NIL)
		return true;
	open_all(roots, &relations, &relids, &logged);
	become_owner(&before, relations);
	compat_truncate(relations, relids, logged,
			(truncate->flags & ELVIS_TRUNCATE_RESTART) != 0);
	owner_leave(&before);
	foreach(cell, relations)
		table_close((Relation) lfirst(cell), NoLock);
	return true;
}
