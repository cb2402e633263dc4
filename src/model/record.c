/*
 * record.c - one record at a time.
 */
#include "model/record.h"

#include <string.h>

bool
record_damaged(struct err *err, const char *what)
{
	return err_set(err, ERR_REFUSED, "damaged record: %s", what);
}

/* A number that must fit 32 bits, such as a node's */
static bool
get_u32(struct elvis_bytes *in, uint32_t *value)
{
	uint64_t wide;

	if (!elvis_get_varint(in, &wide) || wide > UINT32_MAX)
		return false;
	*value = (uint32_t) wide;
	return true;
}

bool
record_context(const struct record *record, struct record_context *context, struct err *err)
{
	struct elvis_bytes in = record->payload;

	if (elvis_get_i64(&in, &context->at) && get_u32(&in, &context->origin) &&
	    get_u32(&in, &context->via) && elvis_get_varint(&in, &context->xid) &&
	    in.at == in.end)
		return true;
	return record_damaged(err, "context");
}

bool
record_begin(const struct record *record, struct record_begin *begin, struct err *err)
{
	struct elvis_bytes in = record->payload;
	uint64_t seq;

	if (!elvis_get_varint(&in, &seq) || seq > INT64_MAX ||
	    !elvis_get_varint(&in, &begin->xid) || !elvis_get_i64(&in, &begin->at) ||
	    in.at != in.end)
		return record_damaged(err, "begin of a transaction");
	begin->seq = (int64_t) seq;
	return true;
}

bool
record_number(const struct record *record, uint64_t *number, struct err *err)
{
	struct elvis_bytes in = record->payload;

	if (elvis_get_varint(&in, number) && *number <= INT64_MAX && in.at == in.end)
		return true;
	return record_damaged(err, "number");
}

bool
record_truncate(const struct record *record, struct record_truncate *truncate, struct err *err)
{
	struct elvis_bytes in = record->payload;

	/* a version takes a byte at least, so n cannot be a lie about memory */
	if (!elvis_get_u8(&in, &truncate->flags) || !elvis_get_varint(&in, &truncate->n) ||
	    truncate->n > (uint64_t) (in.end - in.at))
		return record_damaged(err, "truncate");
	truncate->versions = in;
	for (uint64_t i = 0; i < truncate->n; i++) {
		uint64_t version;

		if (!elvis_get_varint(&in, &version))
			return record_damaged(err, "truncate");
	}
	return in.at == in.end || record_damaged(err, "truncate");
}

bool
record_gap(const struct record *record, struct record_gap *gap, struct err *err)
{
	struct elvis_bytes in = record->payload;

	if (elvis_get_varint(&in, &gap->version) && elvis_get_string(&in, &gap->reason) &&
	    in.at == in.end)
		return true;
	return record_damaged(err, "gap");
}

bool
put_u8(struct strbuf *out, uint8_t value)
{
	return strbuf_add(out, &value, 1);
}

bool
put_i64(struct strbuf *out, int64_t value)
{
	uint8_t room[8];

	elvis_put_i64(room, value);
	return strbuf_add(out, room, sizeof(room));
}

bool
put_varint(struct strbuf *out, uint64_t value)
{
	uint8_t room[ELVIS_VARINT_MAX];

	return strbuf_add(out, room, (size_t) (elvis_put_varint(room, value) - room));
}

bool
put_bytes(struct strbuf *out, const void *data, size_t length)
{
	return put_varint(out, length) && strbuf_add(out, data, length);
}

bool
put_string(struct strbuf *out, const char *text)
{
	return put_bytes(out, text, strlen(text));
}

bool
put_record(struct strbuf *out, uint8_t tag, const void *payload, size_t length)
{
	return put_u8(out, tag) && put_bytes(out, payload, length);
}
