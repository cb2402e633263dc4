/*
 * Frames: what elvis.apply() takes at a time.
 *
 * A frame is made where its records were gathered, so that they need not be copied once more: room
 * is left for what stands before them, which is 90 bytes at most.  There is more of it so that a
 * frame does not begin where large buffers begin: libpq would copy it to a place less than 32 bytes
 * further in its page than it came from, for which Zen processors take fifteen times as long.
 */
#ifndef MODEL_FRAME_H
#define MODEL_FRAME_H

#include <elvis/change.h>
#include <elvis/record.h>

#include "base/strbuf.h"

#define FRAME_ROOM 256

struct frame {
	uint8_t flags;		/* enum elvis_frame_flags */
	struct elvis_position expected;	/* for FIRST */
	struct elvis_position next;	/* for LAST */
	int64_t at;		/* for LAST: when `next` was true at the source, us since 1970 */
};

/* Empties the buffer and leaves the room; records are added to it then. */
void frame_gather(struct strbuf *gathered);

/* Their bytes; those of a buffer that was never begun are none. */
size_t frame_length(const struct strbuf *gathered);

/* They themselves, until the buffer changes */
struct elvis_bytes frame_records(const struct strbuf *gathered);

/* The frame around them, until the buffer changes */
struct elvis_bytes frame_around(struct strbuf *gathered, const struct frame *frame);

#endif
