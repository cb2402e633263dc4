/*
 * frame.c - frames out.
 */
#include "model/frame.h"

#include "model/position.h"
#include "model/record.h"

bool
put_frame(struct strbuf *out, const struct frame *frame)
{
	const struct elvis_bytes *records = &frame->records;

	put_u8(out, ELVIS_RECORD_FORMAT);
	put_u8(out, frame->flags);
	if (frame->flags & ELVIS_FRAME_FIRST)
		position_put(out, &frame->expected);
	if (frame->flags & ELVIS_FRAME_LAST) {
		position_put(out, &frame->next);
		put_i64(out, frame->at);
	}
	return strbuf_add(out, records->at, (size_t) (records->end - records->at));
}
