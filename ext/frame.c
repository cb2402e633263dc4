/*
 * frame.c - taking a frame apart, byte by byte.
 */
#include "frame.h"

static bool
get_position(struct elvis_bytes *in, struct elvis_position *position)
{
	return elvis_get_i64(in, &position->from_id) &&
	       elvis_get_i64(in, &position->from_token) &&
	       elvis_get_i64(in, &position->to_id) &&
	       elvis_get_i64(in, &position->to_token) &&
	       elvis_get_i64(in, &position->seq);
}

static bool
get_number(struct elvis_bytes *in, uint32_t *number)
{
	uint64_t value;

	if (!elvis_get_varint(in, &value) || value > UINT32_MAX)
		return false;
	*number = (uint32_t) value;
	return true;
}

static bool
get_seq(struct elvis_bytes *in, int64_t *seq)
{
	uint64_t value;

	if (!elvis_get_varint(in, &value) || value > INT64_MAX)
		return false;
	*seq = (int64_t) value;
	return true;
}

bool
frame_get_head(struct elvis_bytes *in, struct frame_head *head)
{
	uint8_t format;

	memset(head, 0, sizeof(*head));
	if (!elvis_get_u8(in, &format) || format != ELVIS_RECORD_FORMAT ||
	    !elvis_get_u8(in, &head->flags))
		return false;
	if ((head->flags & ELVIS_FRAME_FIRST) && !get_position(in, &head->expected))
		return false;
	if ((head->flags & ELVIS_FRAME_LAST) &&
	    !(get_position(in, &head->next) && elvis_get_i64(in, &head->at)))
		return false;
	return true;
}

bool
frame_get_context(struct elvis_bytes payload, struct frame_context *context)
{
	return elvis_get_i64(&payload, &context->at) &&
	       get_number(&payload, &context->origin) &&
	       get_number(&payload, &context->via) &&
	       elvis_get_varint(&payload, &context->xid) &&
	       context->origin <= INT32_MAX && context->via <= INT32_MAX &&
	       payload.at == payload.end;
}

bool
frame_get_begin(struct elvis_bytes payload, struct frame_begin *begin)
{
	return get_seq(&payload, &begin->seq) &&
	       elvis_get_varint(&payload, &begin->xid) &&
	       elvis_get_i64(&payload, &begin->at) &&
	       payload.at == payload.end;
}

static bool
get_value(struct elvis_bytes *in, enum frame_dialect dialect, struct frame_value *value)
{
	uint64_t head;
	size_t length;

	if (!elvis_get_varint(in, &head))
		return false;
	if (head < ELVIS_COLUMN_BYTES) {
		value->head = (uint8_t) head;
		value->length = 0;
		value->bytes = NULL;
		return dialect == FRAME_OF_CONFLICT || head == ELVIS_COLUMN_NULL ||
		       head == ELVIS_COLUMN_NOT_CAPTURED;
	}
	length = (size_t) (in->end - in->at);
	if (head - ELVIS_COLUMN_BYTES > length || head - ELVIS_COLUMN_BYTES > UINT32_MAX)
		return false;
	value->head = ELVIS_COLUMN_BYTES;
	value->length = (uint32_t) (head - ELVIS_COLUMN_BYTES);
	value->bytes = in->at;
	in->at += value->length;
	return true;
}

bool
frame_get_values(struct elvis_bytes *in, size_t n, enum frame_dialect dialect,
		 struct frame_value *values)
{
	for (size_t i = 0; i < n; i++)
		if (!get_value(in, dialect, &values[i]))
			return false;
	return true;
}

bool
frame_get_change(uint8_t tag, struct elvis_bytes payload, struct frame_change *change)
{
	struct elvis_bytes tid;
	uint8_t flags;

	change->tag = tag;
	if (!elvis_get_u8(&payload, &flags) || !elvis_get_varint(&payload, &change->version))
		return false;
	if ((flags & ELVIS_CHANGE_OLD_TID) && !elvis_get_bytes(&payload, 6, &tid))
		return false;
	if ((flags & ELVIS_CHANGE_NEW_TID) && !elvis_get_bytes(&payload, 6, &tid))
		return false;
	change->columns = payload;
	return true;
}

/* The after image of an UPDATE: a bit for each column, then the values of those with a one. */
static bool
get_changed(struct elvis_bytes *in, size_t n, struct frame_value *after)
{
	struct elvis_bytes bits;

	if (!elvis_get_bytes(in, (n + 7) / 8, &bits))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (!(bits.at[i / 8] >> (i % 8) & 1))
			after[i] = (struct frame_value) { .head = ELVIS_COLUMN_UNCHANGED };
		else if (!get_value(in, FRAME_OF_CHANGE, &after[i]))
			return false;
	}
	return true;
}

bool
frame_get_images(const struct frame_change *change, size_t n,
		 struct frame_value *before, struct frame_value *after)
{
	struct elvis_bytes in = change->columns;
	bool got;

	switch (change->tag) {
	case ELVIS_RECORD_INSERT:
		got = frame_get_values(&in, n, FRAME_OF_CHANGE, after);
		break;
	case ELVIS_RECORD_UPDATE:
		got = frame_get_values(&in, n, FRAME_OF_CHANGE, before) &&
		      get_changed(&in, n, after);
		break;
	case ELVIS_RECORD_DELETE:
		got = frame_get_values(&in, n, FRAME_OF_CHANGE, before);
		break;
	default:
		got = false;
	}
	return got && in.at == in.end;
}

bool
frame_get_truncate(struct elvis_bytes payload, struct frame_truncate *truncate)
{
	struct elvis_bytes in = payload;
	uint64_t version;

	if (!elvis_get_u8(&in, &truncate->flags) ||
	    !frame_get_count(&in, UINT32_MAX, &truncate->n) || truncate->n == 0)
		return false;
	truncate->versions = in;
	for (uint64_t i = 0; i < truncate->n; i++)
		if (!elvis_get_varint(&in, &version))
			return false;
	return in.at == in.end;
}

bool
frame_get_table(struct elvis_bytes *in, struct frame_table *table)
{
	return elvis_get_varint(in, &table->version) &&
	       elvis_get_string(in, &table->schema) &&
	       elvis_get_string(in, &table->name) &&
	       frame_get_count(in, FRAME_COLUMNS_MAX, &table->n_columns);
}

bool
frame_get_column(struct elvis_bytes *in, struct frame_column *column)
{
	uint32_t typmod;

	if (!elvis_get_u8(in, &column->form) || !elvis_get_u8(in, &column->flags) ||
	    !elvis_get_string(in, &column->name) || !elvis_get_string(in, &column->type) ||
	    !get_number(in, &column->type_oid) || !get_number(in, &typmod) ||
	    typmod > INT32_MAX)
		return false;
	column->typmod = (int32_t) typmod - 1;
	return column->form == ELVIS_FORM_STORED || column->form == ELVIS_FORM_BINARY ||
	       column->form == ELVIS_FORM_TEXT;
}

bool
frame_get_count(struct elvis_bytes *in, uint64_t most, uint64_t *count)
{
	return elvis_get_varint(in, count) && *count <= most &&
	       *count <= (size_t) (in->end - in->at);
}

bool
frame_get_rule(struct elvis_bytes *in, struct frame_rule *rule)
{
	return elvis_get_u8(in, &rule->rule) && elvis_get_u8(in, &rule->verdict) &&
	       elvis_get_string(in, &rule->column) && elvis_get_string(in, &rule->policy);
}
