/*
 * Tables as plugins see them, out of the payload of a TABLE record, and the rules that the
 * daemon appends to it for the target.
 */
#ifndef MODEL_TABLE_H
#define MODEL_TABLE_H

#include <elvis/record.h>
#include <elvis/sink.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/strbuf.h"

/* More columns than a PostgreSQL table can have are a lie. */
#define TABLE_COLUMNS_MAX 1664

/*
 * The table that elvis.describe() tells of; bytes after its key, the rules, are passed over.
 * It lives in the arena.  NULL: damaged, see err.
 */
MUST_USE struct elvis_table *table_decode(struct elvis_bytes payload, struct arena *arena,
					  struct err *err);

/* A whole TABLE record: what elvis.describe() told, then the rules. */
bool put_table(struct strbuf *out, struct elvis_bytes described, const struct elvis_rules *rules);

/* The column numbers of the key as text that is an int[] literal: "{0,2}" */
bool table_key_literal(struct strbuf *out, const struct elvis_table *table);

/* The columns' names as a text[] literal */
bool table_columns_literal(struct strbuf *out, const struct elvis_table *table);

#endif
