/*
 * frame.c - frames out.
 */
#include "model/frame.h"

#include <stdlib.h>
#include <string.h>

#include "model/position.h"
#include "model/record.h"

/* What stands before the records */
static bool
put_head(struct strbuf *out, const struct frame *frame)
{
	put_u8(out, ELVIS_RECORD_FORMAT);
	put_u8(out, frame->flags);
	if (frame->flags & ELVIS_FRAME_FIRST)
		position_put(out, &frame->expected);
	if (frame->flags & ELVIS_FRAME_LAST) {
		position_put(out, &frame->next);
		put_i64(out, frame->at);
	}
	return strbuf_ok(out);
}

void
frame_gather(struct strbuf *gathered)
{
	static const char room[FRAME_ROOM];

	strbuf_reset(gathered);
	strbuf_add(gathered, room, sizeof(room));
}

size_t
frame_length(const struct strbuf *gathered)
{
	return gathered->length > FRAME_ROOM ? gathered->length - FRAME_ROOM : 0;
}

struct elvis_bytes
frame_records(const struct strbuf *gathered)
{
	const uint8_t *at = (const uint8_t *) gathered->data;
	size_t length = frame_length(gathered);

	if (length > 0)
		at += FRAME_ROOM;
	return (struct elvis_bytes){ at, at + length };
}

struct elvis_bytes
frame_around(struct strbuf *gathered, const struct frame *frame)
{
	AUTO_STRBUF struct strbuf head;
	const char *begin;

	strbuf_init(&head, FRAME_ROOM);
	if (gathered->length < FRAME_ROOM || !put_head(&head, frame))
		abort();	/* never begun, or a head of more than 90 bytes */
	memcpy(gathered->data + FRAME_ROOM - head.length, head.data, head.length);
	begin = gathered->data + FRAME_ROOM - head.length;
	return (struct elvis_bytes){ (const uint8_t *) begin,
				     (const uint8_t *) gathered->data + gathered->length };
}
