/*
 * truncate.h - the tables that one TRUNCATE emptied at the source, emptied here.
 */
#ifndef ELVIS_EXT_TRUNCATE_H
#define ELVIS_EXT_TRUNCATE_H

#include "call.h"

/* All tables of the record at once; false when the walk is suspended at it. */
bool truncate_apply(ApplyCall *call, const struct frame_truncate *truncate);

#endif
