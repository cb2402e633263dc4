/*
 * key.c - finding a table's key and seeing whether it can be one.
 */
#include "postgres.h"

#include "access/genam.h"
#include "catalog/index.h"
#include "catalog/partition.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "nodes/pg_list.h"
#include "utils/lsyscache.h"
#include "utils/relcache.h"

#include "key.h"

/* Is it the index `wanted` or its part on a partition? */
static bool
belongs_to(Relation index, Oid wanted)
{
	if (RelationGetRelid(index) == wanted)
		return true;
	return index->rd_rel->relispartition &&
	       list_member_oid(get_partition_ancestors(RelationGetRelid(index)), wanted);
}

/* Why rows can't be told apart by this index; NULL: they can. */
static const char *
unfit(Relation table, Relation index)
{
	Form_pg_index form = index->rd_index;

	if (!form->indisunique)
		return "it is not unique";
	if (!form->indimmediate)
		return "it is deferrable: two rows may have the same key for a while";
	if (!form->indisvalid)
		return "it is not valid";
	if (index->rd_rel->relam != BTREE_AM_OID)
		return "it is not a btree";
	if (RelationGetIndexPredicate(index) != NIL)
		return "it covers only some rows";
	for (int i = 0; i < form->indnkeyatts; i++) {
		AttrNumber number = form->indkey.values[i];

		if (number <= 0)
			return "it is on an expression";
		if (!TupleDescAttr(RelationGetDescr(table), number - 1)->attnotnull)
			return "a column of it may be null";
	}
	return NULL;
}

static int
columns_of(Relation table, Oid wanted, AttrNumber *numbers, const char **why)
{
	List *indexes = RelationGetIndexList(table);
	ListCell *cell;
	int n = 0;

	*why = "there is no such index of this table";
	foreach(cell, indexes) {
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);
		bool found = belongs_to(index, wanted);

		if (found) {
			*why = unfit(table, index);
			if (*why == NULL) {
				n = index->rd_index->indnkeyatts;
				for (int i = 0; i < n; i++)
					numbers[i] = index->rd_index->indkey.values[i];
			}
		}
		index_close(index, AccessShareLock);
		if (found)
			break;
	}
	list_free(indexes);
	return n;
}

static Oid
primary_key(Relation table)
{
	List *indexes = RelationGetIndexList(table);
	ListCell *cell;
	Oid found = InvalidOid;

	foreach(cell, indexes) {
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		if (index->rd_index->indisprimary)
			found = RelationGetRelid(index);
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	return found;
}

int
key_columns(Relation relation, const char *name, Oid root, AttrNumber *numbers,
	    const char **why)
{
	const char *ignored;
	Oid wanted;

	if (why == NULL)
		why = &ignored;
	if (name != NULL) {
		wanted = get_relname_relid(name, get_rel_namespace(root));
	} else {
		wanted = primary_key(relation);
		if (!OidIsValid(wanted)) {
			*why = NULL;
			return 0;
		}
	}
	return columns_of(relation, wanted, numbers, why);
}
