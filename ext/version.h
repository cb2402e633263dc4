/*
 * version.h - the shapes of tables that changes in the log refer to, read back.
 */
#ifndef ELVIS_EXT_VERSION_H
#define ELVIS_EXT_VERSION_H

#include <elvis/record.h>

#include "value.h"

struct version_column {
	uint8 form;		/* in which its values are in the log */
	uint8 flags;		/* enum elvis_column_flags */
	const char *name;
	const char *type;
	Oid type_oid;		/* 0: not built in, its values are text */
	int32 typmod;
	ValueCodec codec;	/* when type_oid is known */
};

struct version {
	uint64 id;
	Oid relid;		/* of the table when it was captured */
	const char *schema;
	const char *table;
	int n_columns;
	struct version_column *columns;
	int n_key;
	int *key;
};

/*
 * A version by its number; an error (EL004) when there is none.  Versions never change:
 * it is kept for the session, or until the extension is dropped.
 */
struct version *version_get(uint64 id);

void version_init(void);

/*
 * Passes over one column of a record; false when the bytes end too early.  `whole` is its
 * head and bytes, `value` the bytes alone; *head is less than ELVIS_COLUMN_BYTES when it
 * has none.
 */
bool version_get_column(struct elvis_bytes *in, uint64_t *head, struct elvis_bytes *value,
			struct elvis_bytes *whole);

/* The log holds bytes that capture does not write. */
_Noreturn void version_damaged(const char *what);

#endif
