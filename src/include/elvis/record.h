/*
 * record.h - the bytes in which changes are stored and travel.
 *
 * Written by the capture trigger into log rows, read out by elvis.read(), passed on by the daemon,
 * carried out by elvis.apply().  The layout is drawn here once, for the extension, the daemon and
 * sinks that want records; the functions below are the only ones that know varints.
 *
 * u8 is a byte; i64 eight bytes, least significant first; varint seven bits a byte, least
 * significant group first, high bit set on all but the last, at most ten bytes; string a varint
 * length and that many bytes of the database's encoding (UTF-8 where a client reads).
 *
 *	chunk    := record*
 *	row      := u8 format (1), u8 chunk flags, bytes	-- body of one log row
 *	record   := u8 tag, varint length, payload[length]
 *
 * A chunk lies in one log row, or goes on in those after it, cut anywhere; all of them but the
 * last say so.  Its first record is a CONTEXT; another follows wherever the context changes.
 *
 *	CONTEXT  := i64 at, varint origin, varint via, varint xid
 *			at: us since 1970, when first captured at its origin.  origin: number of the
 *			node where the change was first made.  via: the neighbour that handed it to
 *			this node, 0 when it was made here.  xid: its transaction at the origin, 0
 *			when that is the log row's own.
 *	INSERT   := change head, column{n}
 *	DELETE   := change head, column{n}			-- before image
 *	UPDATE   := change head, column{n}, bitmap[(n + 7) / 8], column{number of bits set}
 *			the before image; a bit (least significant first) for each column that
 *			changed; the after image of those
 *	change head := u8 change flags, varint version, [tid old], [tid new]
 *			version: number of the table's shape (elvis.relation.id).  The tids, six
 *			bytes each, are there when their flags are; only the reader uses them.
 *	TRUNCATE := u8 flags (1 cascade, 2 restart identity), varint n, varint version{n}
 *	GAP      := varint version, string reason		-- a write no trigger saw
 *	column   := varint head, [bytes]
 *			head 0 null; 1 not captured (out of line, large, not new); 2 unchanged
 *			(conflicts only); 3 no such column (conflicts only); k >= 4: k - 4 bytes
 *			follow in the column's form.  Stored bytes are in the database's encoding;
 *			text inside the other two forms is UTF-8 (SQL_ASCII: as it is)
 *
 * The stream that elvis.read() hands out is made of the same records, grouped by source
 * transaction, transactions in the order of their last seq:
 *
 *	BEGIN    := varint seq, varint xid, i64 at		-- last seq and top xid of the transaction
 *	... CONTEXT, changes ...
 *	COMMIT   := varint seq
 *
 * The daemon adds:
 *
 *	TABLE    := varint version, string schema, string table, varint n,
 *		    { u8 form, u8 column flags, string name, string type, varint type oid,
 *		      varint typmod + 1 }{n},
 *		    varint n_key, varint column{n_key}, rules
 *			type oid: of the type whose form the values have (a domain's base), when
 *			that is built in and so the same everywhere; else 0
 *	rules    := u8 detect (enum elvis_detect), varint n_ignored, string{n_ignored},
 *		    varint n_kinds, { u8 rule, u8 verdict, string column, string policy }{n_kinds}
 *			indexed by conflict kind; elvis.describe() ends after the key, the daemon
 *			appends the rules
 *	SKIPPED  := varint n	-- n changes of this transaction that are not for this link
 *
 * A change's address is (seq of its transaction, ordinal): ordinals count the changes of a
 * transaction from 0 in the order handed out; each table of a TRUNCATE does not count by itself,
 * a GAP does.
 *
 *	frame    := u8 format (1), u8 frame flags, [position expected], [position next, i64 at],
 *		    record*		-- argument of elvis.apply(); frames that are worked on together
 *					-- (MORE) may be cut within a record
 *	position := i64 from_id, i64 from_token, i64 to_id, i64 to_token, i64 seq
 *
 *	conflict := u8 kind, u8 operation, varint version, varint seq, varint ordinal,
 *		    varint attempt,
 *		    varint origin, i64 at, varint xid,		-- of the incoming change
 *		    u8 parts (1 before, 2 remote row, 4 local row, 8 message),
 *		    [column{n}], [column{n}], [row], varint n_blockers, { string index, row }{n},
 *		    [string sqlstate, string message]		-- columns in text form
 *			operation: enum elvis_operation.  A column of the remote row that the
 *			change did not change is "unchanged".  For a TRUNCATE or a GAP (operation
 *			0) the version is the first table's that is concerned, and n is 0.
 *	row      := varint origin, u8 time source, i64 at, column{n}
 *	verdict  := u8 action, string policy, string reason, [column{n}]   -- the row for merge
 */
#ifndef ELVIS_RECORD_H
#define ELVIS_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ELVIS_RECORD_FORMAT 1

enum elvis_record_tag {
	ELVIS_RECORD_CONTEXT = 0x01,
	ELVIS_RECORD_INSERT = 0x10,
	ELVIS_RECORD_UPDATE = 0x11,
	ELVIS_RECORD_DELETE = 0x12,
	ELVIS_RECORD_TRUNCATE = 0x13,
	ELVIS_RECORD_GAP = 0x20,
	ELVIS_RECORD_BEGIN = 0x40,
	ELVIS_RECORD_COMMIT = 0x41,
	ELVIS_RECORD_TABLE = 0x42,
	ELVIS_RECORD_SKIPPED = 0x43,
};

enum elvis_chunk_flags {
	ELVIS_CHUNK_LAST = 1,	/* the last chunk of its transaction */
	ELVIS_CHUNK_LATE = 2,	/* its transaction has captured a change too late (on the last
				 * chunk, and on all sealed after it was noticed) */
	ELVIS_CHUNK_MORE = 4,	/* goes on in the next row of its transaction */
};

enum elvis_change_flags {
	ELVIS_CHANGE_OLD_TID = 1,	/* its own transaction made the version it replaces */
	ELVIS_CHANGE_NEW_TID = 2,	/* captured after its new version was replaced: belongs
					 * directly before the change whose old tid is its new one */
	ELVIS_CHANGE_EARLY = 4,		/* captured after a change of a later command: belongs
					 * before whatever took over its old key */
};

enum elvis_column_head {
	ELVIS_COLUMN_NULL = 0,
	ELVIS_COLUMN_NOT_CAPTURED = 1,
	ELVIS_COLUMN_UNCHANGED = 2,
	ELVIS_COLUMN_NONE = 3,
	ELVIS_COLUMN_BYTES = 4,		/* head - 4 bytes follow */
};

enum elvis_column_form {
	ELVIS_FORM_STORED = 's',	/* the server's own bytes, header taken off */
	ELVIS_FORM_BINARY = 'b',	/* the type's send/receive form */
	ELVIS_FORM_TEXT = 't',		/* the type's output form */
};

enum elvis_column_flags {
	ELVIS_COLUMN_GENERATED = 1,	/* computed: never carries a value to apply */
	ELVIS_COLUMN_IDENTITY = 2,
};

enum elvis_truncate_flags {
	ELVIS_TRUNCATE_CASCADE = 1,
	ELVIS_TRUNCATE_RESTART = 2,
};

enum elvis_frame_flags {
	ELVIS_FRAME_FIRST = 1,	/* a target transaction begins; the expected position follows */
	ELVIS_FRAME_LAST = 2,	/* it ends; the position to store follows */
	ELVIS_FRAME_ALONE = 4,	/* from FIRST to LAST what is sent is the whole transaction: what
				 * cannot be settled on the spot is raised, not asked */
	ELVIS_FRAME_BEHIND = 8,	/* sent before it was known whether the one before it succeeds */
	ELVIS_FRAME_MORE = 16,	/* its records go on in the next frame, and are worked on with those
				 * of the first one after it that has no MORE */
};

enum elvis_conflict_parts {
	ELVIS_PART_BEFORE = 1,
	ELVIS_PART_REMOTE = 2,
	ELVIS_PART_LOCAL = 4,
	ELVIS_PART_MESSAGE = 8,
};

/* Bytes being read.  Every elvis_get_ function returns false, and reads nothing, when they end
 * too early; callers treat that as damaged data. */
struct elvis_bytes {
	const uint8_t *at, *end;
};

static inline bool
elvis_get_u8(struct elvis_bytes *in, uint8_t *value)
{
	if (in->at == in->end)
		return false;
	*value = *in->at++;
	return true;
}

static inline bool
elvis_get_varint(struct elvis_bytes *in, uint64_t *value)
{
	const uint8_t *at = in->at;
	uint64_t sum = 0;

	for (unsigned shift = 0; shift < 70 && at < in->end; shift += 7) {
		uint8_t byte = *at++;

		if (shift == 63 && byte > 1)
			return false;
		sum |= (uint64_t) (byte & 0x7f) << shift;
		if (byte < 0x80) {
			in->at = at;
			*value = sum;
			return true;
		}
	}
	return false;
}

static inline bool
elvis_get_i64(struct elvis_bytes *in, int64_t *value)
{
	uint64_t sum = 0;

	if (in->end - in->at < 8)
		return false;
	for (int i = 7; i >= 0; i--)
		sum = sum << 8 | in->at[i];
	in->at += 8;
	*value = (int64_t) sum;
	return true;
}

/* A run of bytes that stays where it is. */
static inline bool
elvis_get_bytes(struct elvis_bytes *in, size_t length, struct elvis_bytes *run)
{
	if ((size_t) (in->end - in->at) < length)
		return false;
	run->at = in->at;
	run->end = in->at + length;
	in->at = run->end;
	return true;
}

static inline bool
elvis_get_string(struct elvis_bytes *in, struct elvis_bytes *run)
{
	struct elvis_bytes saved = *in;
	uint64_t length;

	if (elvis_get_varint(in, &length) && length <= SIZE_MAX &&
	    elvis_get_bytes(in, (size_t) length, run))
		return true;
	*in = saved;
	return false;
}

/* The next record: its tag and its payload. */
static inline bool
elvis_get_record(struct elvis_bytes *in, uint8_t *tag, struct elvis_bytes *payload)
{
	struct elvis_bytes saved = *in;

	if (elvis_get_u8(in, tag) && elvis_get_string(in, payload))
		return true;
	*in = saved;
	return false;
}

/* Writing: into room the caller has made sure of; each returns the place after what it wrote. */

#define ELVIS_VARINT_MAX 10

static inline uint8_t *
elvis_put_varint(uint8_t *out, uint64_t value)
{
	while (value >= 0x80) {
		*out++ = (uint8_t) value | 0x80;
		value >>= 7;
	}
	*out++ = (uint8_t) value;
	return out;
}

static inline uint8_t *
elvis_put_i64(uint8_t *out, int64_t value)
{
	for (int i = 0; i < 8; i++)
		*out++ = (uint8_t) ((uint64_t) value >> (8 * i));
	return out;
}

static inline size_t
elvis_varint_size(uint64_t value)
{
	size_t size = 1;

	while (value >= 0x80) {
		value >>= 7;
		size++;
	}
	return size;
}

#endif
