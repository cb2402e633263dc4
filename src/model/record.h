/*
 * Records of the stream, taken apart one by one.  The layout is drawn in <elvis/record.h>.
 *
 * Whatever the bytes are, nothing is read outside of them: what does not decode is
 * ERR_REFUSED, "damaged record: ...".  What is taken out points into the bytes given.
 */
#ifndef MODEL_RECORD_H
#define MODEL_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include <elvis/record.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/strbuf.h"

struct record {
	uint8_t tag;
	struct elvis_bytes payload;
	struct elvis_bytes whole;	/* with tag and length */
};

/* False with "damaged record: what" */
bool record_damaged(struct err *err, const char *what);

/* Takes the next record out of `in`, which must not be empty.  Here, as record_change() is, because
 * each change of a backlog passes it in each link. */
MUST_USE static inline bool
record_next(struct elvis_bytes *in, struct record *record, struct err *err)
{
	record->whole.at = in->at;
	if (!elvis_get_record(in, &record->tag, &record->payload))
		return record_damaged(err, "cut off");
	record->whole.end = in->at;
	return true;
}

struct record_context {
	int64_t at;
	uint32_t origin, via;
	uint64_t xid;		/* 0: the log row's own */
};

struct record_begin {
	int64_t seq;
	uint64_t xid;
	int64_t at;
};

/* INSERT, UPDATE, DELETE: what stands before the columns */
struct record_change {
	uint8_t flags;
	uint64_t version;
	struct elvis_bytes columns;
};

struct record_truncate {
	uint8_t flags;
	uint64_t n;
	struct elvis_bytes versions;	/* n of them, each elvis_get_varint() away */
};

struct record_gap {
	uint64_t version;
	struct elvis_bytes reason;
};

MUST_USE bool record_context(const struct record *record, struct record_context *context,
			     struct err *err);
MUST_USE bool record_begin(const struct record *record, struct record_begin *begin,
			   struct err *err);
MUST_USE static inline bool
record_change(const struct record *record, struct record_change *change, struct err *err)
{
	struct elvis_bytes in = record->payload, tid;

	if (!elvis_get_u8(&in, &change->flags) || !elvis_get_varint(&in, &change->version) ||
	    ((change->flags & ELVIS_CHANGE_OLD_TID) && !elvis_get_bytes(&in, 6, &tid)) ||
	    ((change->flags & ELVIS_CHANGE_NEW_TID) && !elvis_get_bytes(&in, 6, &tid)))
		return record_damaged(err, "head of a change");
	change->columns = in;
	return true;
}

MUST_USE bool record_truncate(const struct record *record, struct record_truncate *truncate,
			      struct err *err);
MUST_USE bool record_gap(const struct record *record, struct record_gap *gap, struct err *err);

/* A payload that is one number: COMMIT, SKIPPED */
MUST_USE bool record_number(const struct record *record, uint64_t *number, struct err *err);

/* Making bytes; each like strbuf_add() */
bool put_u8(struct strbuf *out, uint8_t value);
bool put_i64(struct strbuf *out, int64_t value);
bool put_varint(struct strbuf *out, uint64_t value);
bool put_bytes(struct strbuf *out, const void *data, size_t length); /* their number first */
bool put_string(struct strbuf *out, const char *text);
bool put_record(struct strbuf *out, uint8_t tag, const void *payload, size_t length);

#endif
