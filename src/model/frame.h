/*
 * Frames: what elvis.apply() takes at a time.
 */
#ifndef MODEL_FRAME_H
#define MODEL_FRAME_H

#include <elvis/change.h>
#include <elvis/record.h>

#include "base/strbuf.h"

struct frame {
	uint8_t flags;		/* enum elvis_frame_flags */
	struct elvis_position expected;	/* for FIRST */
	struct elvis_position next;	/* for LAST */
	int64_t at;		/* for LAST: when `next` was true at the source, us since 1970 */
	struct elvis_bytes records;
};

bool put_frame(struct strbuf *out, const struct frame *frame);

#endif
