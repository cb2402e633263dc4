/*
 * recent.h - the last few snapshots that this session took or looked up.
 *
 * A recorded snapshot never changes, so a session that takes one and then reads up to it, again
 * and again, need not look for either end.  What an aborted transaction recorded is forgotten,
 * and everything when one of the tables goes.
 */
#ifndef ELVIS_EXT_RECENT_H
#define ELVIS_EXT_RECENT_H

#include "snapshot.h"

void recent_init(void);

/* It is recorded in that table. */
void recent_add(Oid table, const struct snapshot_row *row);

/* The one of that id, or with id 0 the newest, its image in the current memory context. */
bool recent_find(int64 id, struct snapshot_row *row);

#endif
