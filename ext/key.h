/*
 * key.h - the columns by which rows of a table are told apart.
 */
#ifndef ELVIS_EXT_KEY_H
#define ELVIS_EXT_KEY_H

#include "utils/rel.h"

/*
 * The columns of the key, in its order, into `numbers` (room for INDEX_MAX_KEYS).  The
 * key is the index `name` of `root`, or the primary key when no name is given; `relation`
 * is `root` or a partition of it.  Returns 0 when there is no such index or it cannot be
 * the key, and then says why in *why (when asked for): NULL when there simply is no
 * primary key.
 */
int key_columns(Relation relation, const char *name, Oid root, AttrNumber *numbers,
		const char **why);

#endif
