/*
 * frame.h - taking a frame apart, byte by byte.
 *
 * The layout is drawn in <elvis/record.h>.  Nothing here knows the server: bytes go in, views on
 * the same bytes come out, no memory is taken, and false means that the bytes are damaged.  What
 * the bytes mean, and whether it makes sense here, is for the caller.
 */
#ifndef ELVIS_EXT_FRAME_H
#define ELVIS_EXT_FRAME_H

#include <elvis/change.h>
#include <elvis/record.h>

#define FRAME_COLUMNS_MAX 1600	/* no table has more */

struct frame_head {
	uint8_t flags;
	struct elvis_position expected, next;	/* for FIRST, for LAST */
	int64_t at;				/* for LAST: us since 1970 */
};

/* Format, flags and positions; leaves `in` at the first record. */
bool frame_get_head(struct elvis_bytes *in, struct frame_head *head);

struct frame_context {
	int64_t at;
	uint32_t origin, via;
	uint64_t xid;
};

bool frame_get_context(struct elvis_bytes payload, struct frame_context *context);

struct frame_begin {
	int64_t seq, at;
	uint64_t xid;
};

bool frame_get_begin(struct elvis_bytes payload, struct frame_begin *begin);

/* One value on its way. */
struct frame_value {
	uint8_t head;	/* enum elvis_column_head; ELVIS_COLUMN_BYTES: the bytes */
	uint32_t length;
	const uint8_t *bytes;
};

/* The heads that only conflicts and verdicts may have are damage in a change. */
enum frame_dialect { FRAME_OF_CHANGE, FRAME_OF_CONFLICT };

/* n values in a row. */
bool frame_get_values(struct elvis_bytes *in, size_t n, enum frame_dialect dialect,
		      struct frame_value *values);

struct frame_change {
	uint8_t tag;
	uint64_t version;
	struct elvis_bytes columns;	/* what follows the change head */
};

/* INSERT, UPDATE, DELETE: whose change it is; its columns need the table's shape. */
bool frame_get_change(uint8_t tag, struct elvis_bytes payload, struct frame_change *change);

/*
 * The columns of a change of a table with n columns.  `before` and `after` have room for n each.
 * `before` is filled for UPDATE and DELETE.  `after` is filled for INSERT and UPDATE; what an
 * UPDATE does not change is ELVIS_COLUMN_UNCHANGED.
 */
bool frame_get_images(const struct frame_change *change, size_t n,
		      struct frame_value *before, struct frame_value *after);

struct frame_truncate {
	uint8_t flags;
	uint64_t n;
	struct elvis_bytes versions;	/* n varints */
};

bool frame_get_truncate(struct elvis_bytes payload, struct frame_truncate *truncate);

/* A TABLE record is taken apart in the order of its members. */
struct frame_table {
	uint64_t version;
	struct elvis_bytes schema, name;
	uint64_t n_columns;
};

struct frame_column {
	uint8_t form, flags;
	struct elvis_bytes name, type;
	uint32_t type_oid;
	int32_t typmod;
};

struct frame_rule {
	uint8_t rule, verdict;
	struct elvis_bytes column, policy;
};

bool frame_get_table(struct elvis_bytes *in, struct frame_table *table);
bool frame_get_column(struct elvis_bytes *in, struct frame_column *column);

/* A count that is at most `most`, each counted thing at least a byte: key, ignored, kinds. */
bool frame_get_count(struct elvis_bytes *in, uint64_t most, uint64_t *count);
bool frame_get_rule(struct elvis_bytes *in, struct frame_rule *rule);

#endif
