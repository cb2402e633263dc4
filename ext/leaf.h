/*
 * leaf.h - leaves of btrees, and entries that go there together.
 */
#ifndef ELVIS_EXT_LEAF_H
#define ELVIS_EXT_LEAF_H

#include "access/itup.h"
#include "utils/rel.h"

/*
 * A btree remembers its last leaf for growing keys, and does not descend as long as entries go
 * there, but only begins to when it has become high.  This has it begin now, unless it does
 * already or is no btree.  The server takes what is remembered as a guess: when a key goes
 * elsewhere, the leaf was split, or somebody holds it, it descends and remembers nothing.
 */
void leaf_guess(Relation index);

/* Entries of plain columns that wait for their place, with the rows they are of in t_tid. */
typedef struct LeafRun {
	Relation table, index;
	bool unique;		/* no other row may have the key: false where that is known */
	IndexTuple (*entry)(void *context, int i);
	void *context;
} LeafRun;

/*
 * Enters the first of entries [from, to) as far as they grow and one leaf is their place and has
 * room.  Returns how many; of those that follow, `*alone` are better entered one by one by the
 * server before this is tried again: they do not grow, meet an equal one, split the leaf, or have
 * their places in others.  Zero when more may go in at once, into the next leaf.
 */
int leaf_enter(const LeafRun *run, int from, int to, int *alone);

#endif
