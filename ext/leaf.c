#include "postgres.h"

#include "access/nbtree.h"
#include "catalog/pg_am.h"
#include "storage/bufmgr.h"

#include "compat.h"
#include "leaf.h"

void
leaf_guess(Relation index)
{
	Buffer leaf;

	if (index->rd_rel->relam != BTREE_AM_OID ||
	    RelationGetTargetBlock(index) != InvalidBlockNumber)
		return;
	leaf = compat_last_leaf(index);
	if (!BufferIsValid(leaf))
		return;
	RelationSetTargetBlock(index, BufferGetBlockNumber(leaf));
	UnlockReleaseBuffer(leaf);
}
