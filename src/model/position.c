/*
 * position.c - how far a link has delivered.
 */
#include "model/position.h"

#include <inttypes.h>
#include <stdio.h>

#include <elvis/record.h>

struct elvis_position
position_at(const struct snapshot *snapshot)
{
	return (struct elvis_position){ .from_id = snapshot->id, .from_token = snapshot->token };
}

bool
position_at_snapshot(const struct elvis_position *position)
{
	return position->to_id == 0;
}

bool
position_equal(const struct elvis_position *a, const struct elvis_position *b)
{
	return a->from_id == b->from_id && a->from_token == b->from_token &&
	       a->to_id == b->to_id && a->to_token == b->to_token && a->seq == b->seq;
}

static int
cmp(int64_t a, int64_t b)
{
	return a < b ? -1 : a > b;
}

int
position_cmp(const struct elvis_position *a, const struct elvis_position *b)
{
	int order = cmp(a->from_id, b->from_id);

	return order != 0 ? order : cmp(a->seq, b->seq);
}

const char *
position_text(char text[POSITION_TEXT_SIZE], const struct elvis_position *position)
{
	if (position_at_snapshot(position))
		snprintf(text, POSITION_TEXT_SIZE, "%" PRId64, position->from_id);
	else
		snprintf(text, POSITION_TEXT_SIZE, "%" PRId64 "..%" PRId64 "@%" PRId64,
			 position->from_id, position->to_id, position->seq);
	return text;
}

bool
position_put(struct strbuf *out, const struct elvis_position *position)
{
	uint8_t room[5 * 8];
	uint8_t *end = room;

	end = elvis_put_i64(end, position->from_id);
	end = elvis_put_i64(end, position->from_token);
	end = elvis_put_i64(end, position->to_id);
	end = elvis_put_i64(end, position->to_token);
	end = elvis_put_i64(end, position->seq);
	return strbuf_add(out, room, (size_t) (end - room));
}
