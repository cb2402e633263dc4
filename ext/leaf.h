/*
 * leaf.h - where the next entry of a growing index goes.
 */
#ifndef ELVIS_EXT_LEAF_H
#define ELVIS_EXT_LEAF_H

#include "utils/rel.h"

/*
 * A btree remembers its last leaf for growing keys, and does not descend as long as entries go
 * there, but only begins to when it has become high.  This has it begin now, unless it does
 * already or is no btree.  The server takes what is remembered as a guess: when a key goes
 * elsewhere, the leaf was split, or somebody holds it, it descends and remembers nothing.
 */
void leaf_guess(Relation index);

#endif
