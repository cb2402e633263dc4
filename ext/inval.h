/*
 * inval.h - hearing of changed relations.
 *
 * The server has ten places for callbacks that hear of it, for itself and for all extensions
 * that a session loads; who finds none ends the session.  So elvis takes one for all its files.
 */
#ifndef ELVIS_EXT_INVAL_H
#define ELVIS_EXT_INVAL_H

#include "utils/inval.h"

/*
 * From now on calls it, with 0 and the relation that has changed, or InvalidOid for all of
 * them; at any time when a lock is taken, and in transactions that have failed.
 */
void inval_relation(RelcacheCallbackFunction forget);

#endif
