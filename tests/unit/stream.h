/*
 * Streams made by hand, for tests of what reads them.  The table of version v is public.t<v>,
 * with the columns id (its key) and value.
 */
#ifndef UNIT_STREAM_H
#define UNIT_STREAM_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/strbuf.h"
#include "model/record.h"

static inline void
stream_begin(struct strbuf *out, int64_t seq)
{
	uint8_t room[32], *end = elvis_put_varint(room, (uint64_t) seq);

	end = elvis_put_varint(end, (uint64_t) (seq + 1000));
	end = elvis_put_i64(end, seq * 10);
	put_record(out, ELVIS_RECORD_BEGIN, room, (size_t) (end - room));
}

static inline void
stream_number(struct strbuf *out, uint8_t tag, uint64_t number)
{
	uint8_t room[16], *end = elvis_put_varint(room, number);

	put_record(out, tag, room, (size_t) (end - room));
}

static inline void
stream_commit(struct strbuf *out, int64_t seq)
{
	stream_number(out, ELVIS_RECORD_COMMIT, (uint64_t) seq);
}

static inline void
stream_context(struct strbuf *out, uint32_t origin, uint32_t via)
{
	uint8_t room[48], *end = elvis_put_i64(room, 77);

	end = elvis_put_varint(end, origin);
	end = elvis_put_varint(end, via);
	end = elvis_put_varint(end, 0);
	put_record(out, ELVIS_RECORD_CONTEXT, room, (size_t) (end - room));
}

static inline void
stream_text(struct strbuf *out, const char *text)
{
	put_varint(out, strlen(text) + ELVIS_COLUMN_BYTES);
	strbuf_add(out, text, strlen(text));
}

static inline void
stream_insert(struct strbuf *out, uint64_t version, int id)
{
	AUTO_STRBUF struct strbuf payload;
	char text[16];

	snprintf(text, sizeof(text), "%d", id);
	strbuf_init(&payload, 1 << 20);
	put_u8(&payload, 0);
	put_varint(&payload, version);
	stream_text(&payload, text);
	put_varint(&payload, ELVIS_COLUMN_NULL);
	put_record(out, ELVIS_RECORD_INSERT, payload.data, payload.length);
}

/* The row `id` gets another value: the bitmap has one bit. */
static inline void
stream_update(struct strbuf *out, uint64_t version, int id, const char *value)
{
	AUTO_STRBUF struct strbuf payload;
	char text[16];

	snprintf(text, sizeof(text), "%d", id);
	strbuf_init(&payload, 1 << 20);
	put_u8(&payload, 0);
	put_varint(&payload, version);
	stream_text(&payload, text);
	put_varint(&payload, ELVIS_COLUMN_NULL);
	put_u8(&payload, 2);
	stream_text(&payload, value);
	put_record(out, ELVIS_RECORD_UPDATE, payload.data, payload.length);
}

static inline void
stream_truncate(struct strbuf *out, uint64_t one, uint64_t other)
{
	AUTO_STRBUF struct strbuf payload;

	strbuf_init(&payload, 1 << 10);
	put_u8(&payload, 0);
	put_varint(&payload, 2);
	put_varint(&payload, one);
	put_varint(&payload, other);
	put_record(out, ELVIS_RECORD_TRUNCATE, payload.data, payload.length);
}

static inline void
stream_gap(struct strbuf *out, uint64_t version)
{
	AUTO_STRBUF struct strbuf payload;

	strbuf_init(&payload, 1 << 10);
	put_varint(&payload, version);
	put_string(&payload, "leaf truncated");
	put_record(out, ELVIS_RECORD_GAP, payload.data, payload.length);
}

static inline void
stream_column(struct strbuf *payload, const char *name)
{
	put_u8(payload, ELVIS_FORM_TEXT);
	put_u8(payload, 0);
	put_string(payload, name);
	put_string(payload, "text");
	put_varint(payload, 25);
	put_varint(payload, 0);
}

/* What elvis.describe() would tell; the caller frees the buffer. */
static inline void
stream_describe(struct strbuf *payload, uint64_t version)
{
	char name[32];

	snprintf(name, sizeof(name), "t%llu", (unsigned long long) version);
	put_varint(payload, version);
	put_string(payload, "public");
	put_string(payload, name);
	put_varint(payload, 2);
	stream_column(payload, "id");
	stream_column(payload, "value");
	put_varint(payload, 1);
	put_varint(payload, 0);
}

static inline struct elvis_bytes
stream_bytes(const struct strbuf *out)
{
	const uint8_t *at = (const uint8_t *) out->data;

	return (struct elvis_bytes){ at, at + out->length };
}

#endif
