/*
 * capture.h - changes of rows on their way into the log.
 *
 * Triggers call it for what users do.  Apply sets the context of what it carries out, so
 * that a relay's log tells where a change was first made, and calls capture_change()
 * itself where it writes rows without firing triggers.
 */
#ifndef ELVIS_EXT_CAPTURE_H
#define ELVIS_EXT_CAPTURE_H

#include "executor/tuptable.h"
#include "utils/rel.h"

#include <elvis/change.h>

void capture_init(void);

/*
 * From here on changes were first made by node `origin`, at `at` (us since 1970), in its
 * transaction `xid`, and came through the neighbour `via`.  In force until it is reset or
 * the transaction ends, whichever comes first; also for what triggers do meanwhile.
 */
void capture_set_context(uint32 origin, uint32 via, int64 at, uint64 xid);
void capture_reset_context(void);

/*
 * Captures one change of a table that is attached as master or relay.  `old_row` and
 * `new_row` as the operation has them, else NULL; rows as stored, all columns present.
 */
void capture_change(Relation relation, enum elvis_operation operation, TupleTableSlot *old_row,
		    TupleTableSlot *new_row);

#endif
