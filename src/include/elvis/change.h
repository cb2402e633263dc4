/*
 * change.h - values, tables, positions and changes, as plugins see them.
 *
 * Everything here is const for a plugin and lives for the call it is handed to, unless said
 * otherwise.  Structures not marked frozen may grow at their end: they are only passed by pointer.
 */
#ifndef ELVIS_CHANGE_H
#define ELVIS_CHANGE_H

#include <elvis/abi.h>

enum elvis_value_state {
	ELVIS_VALUE_NONE = 0,	/* that version of the row has no such column */
	ELVIS_VALUE_NULL,
	ELVIS_VALUE_TEXT,	/* text holds it, in the type's output form */
	ELVIS_VALUE_NOT_CAPTURED,	/* out of line, large and not new: not in the log */
};

/* One value.  Frozen.  Text is UTF-8, ends with a NUL that `length` does not count. */
struct elvis_value {
	uint32_t state;		/* enum elvis_value_state */
	uint32_t length;
	const char *text;	/* NULL unless ELVIS_VALUE_TEXT */
};

struct elvis_column {
	const char *name;
	const char *type;	/* as format_type prints it, schema-qualified unless built in */
	bool in_key;
	bool generated;		/* computed by the table, never sent */
};

struct elvis_table {
	uint64_t version;	/* the source's number of this shape of the table */
	const char *schema;
	const char *name;
	size_t n_columns;
	const struct elvis_column *const *columns;
	size_t n_key;		/* 0: the table has no key, only INSERT and TRUNCATE travel */
	const uint32_t *key;	/* numbers of the key's columns, in the key's order */
};

/*
 * How far a link has delivered (frozen): everything visible in snapshot `from`, plus those source
 * transactions of (from, to] whose last chunk has a sequence number <= `seq`.  At a snapshot
 * exactly, to_id, to_token and seq are 0.  Tokens name a snapshot beyond doubt: a source that was
 * set back or replaced does not have them.
 */
struct elvis_position {
	int64_t from_id, from_token;
	int64_t to_id, to_token;
	int64_t seq;
};

enum elvis_operation {
	ELVIS_INSERT = 1,
	ELVIS_UPDATE,
	ELVIS_DELETE,
	ELVIS_TRUNCATE,
};

/* One change, as a sink of rows gets it. */
struct elvis_change {
	uint32_t operation;	/* enum elvis_operation */
	const struct elvis_table *table;
	const struct elvis_value *before;	/* n_columns values; NULL for INSERT, TRUNCATE */
	const struct elvis_value *after;	/* n_columns values; NULL for DELETE, TRUNCATE */
	uint32_t origin;	/* number of the node where it was first made */
	uint32_t via;		/* the neighbour it reached this source by; 0: made here */
	int64_t at;		/* when it was captured at its origin, us since 1970-01-01 UTC */
	uint64_t xid;		/* of the transaction that first made it, at its origin */
	int64_t seq;		/* last sequence number of its transaction on this source */
	uint64_t ordinal;	/* its place in that transaction, from 0; with seq its address */
};

#endif
