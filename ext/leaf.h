/*
 * leaf.h - the last leaf of a btree, where the entries of growing keys go.
 */
#ifndef ELVIS_EXT_LEAF_H
#define ELVIS_EXT_LEAF_H

#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/rel.h"

/*
 * A btree remembers its last leaf for growing keys, and does not descend as long as entries go
 * there, but only begins to when it has become high.  This has it begin now, unless it does
 * already or is no btree.  The server takes what is remembered as a guess: when a key goes
 * elsewhere, the leaf was split, or somebody holds it, it descends and remembers nothing.
 */
void leaf_guess(Relation index);

/*
 * Enters the first of `n` rows that have just been written, as long as each one's key is beyond all
 * that the index holds and the last leaf has room; which also shows that a unique index lacks it.
 * The index is of the row's own columns.  Returns how many rows have their entry now; *alone: how
 * many of the next are better entered one by one before this is tried again.
 */
int leaf_append(Relation index, IndexInfo *info, TupleTableSlot **rows, int n, int *alone);

#endif
