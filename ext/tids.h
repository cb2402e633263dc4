/*
 * tids.h - where this session has put the newest version of a row, by key.
 *
 * A hint: the row may have moved, its transaction may have been rolled back, the table may have
 * been rewritten, another row may stand there.  Whoever recalls a place looks first whether it
 * exists, and then whether a visible row with that very key is there; of such there is but one.
 */
#ifndef ELVIS_EXT_TIDS_H
#define ELVIS_EXT_TIDS_H

#include "storage/itemptr.h"

/* `key` is a hash of the table and of the key's values. */
void tids_remember(uint64 key, ItemPointer tid);
bool tids_recall(uint64 key, ItemPointer tid);

#endif
