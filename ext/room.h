/*
 * room.h - room at the end of a buffer, without a call as long as there is enough.
 */
#ifndef ELVIS_EXT_ROOM_H
#define ELVIS_EXT_ROOM_H

#include <limits.h>

#include "lib/stringinfo.h"

/* Where the next bytes go, of which there will be `most` at most. */
static inline uint8 *
room_for(StringInfo out, size_t most)
{
	if (unlikely(most >= (size_t) (out->maxlen - out->len)))
		enlargeStringInfo(out, (int) Min(most, (size_t) INT_MAX));
	return (uint8 *) out->data + out->len;
}

/* The bytes end here. */
static inline void
room_used(StringInfo out, const uint8 *end)
{
	out->len = (int) ((const char *) end - out->data);
}

#endif
