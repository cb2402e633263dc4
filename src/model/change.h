/*
 * Changes as a sink of rows gets them, out of records whose values are text.
 */
#ifndef MODEL_CHANGE_H
#define MODEL_CHANGE_H

#include <elvis/change.h>
#include <elvis/record.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "model/record.h"

/* The table of that version, NULL when there is none. */
typedef const struct elvis_table *change_table(void *context, uint64_t version);

/*
 * What the stream has said so far of the transaction under way: a transaction goes on over
 * several pieces.  Zeroed before the first.
 */
struct change_reader {
	struct record_begin begin;
	struct record_context context;
	uint64_t ordinal;
	change_table *table;
	void *lookup;		/* handed to `table` */
};

struct change_list {
	const struct elvis_change **items;
	size_t count;
};

/*
 * The changes of whole records, in their order; a TRUNCATE of several tables becomes one change
 * for each, all with one ordinal.  They live in the arena.
 */
MUST_USE bool changes_decode(struct change_reader *reader, struct elvis_bytes records,
			     struct change_list *list, struct arena *arena, struct err *err);

#endif
