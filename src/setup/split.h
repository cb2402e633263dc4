/*
 * Large tables in parts: ranges of pages, read by several sessions in one snapshot.
 *
 * A row stays in its page unless the table is written anew, by VACUUM FULL, CLUSTER or ALTER
 * TABLE.  Whoever divides a table holds a lock against that until all parts are read.
 */
#ifndef SETUP_SPLIT_H
#define SETUP_SPLIT_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "pg/conn.h"
#include "setup/inventory.h"
#include "setup/pump.h"

struct split {
	const struct inventory_table *table;	/* NULL: not to be looked at */
	size_t parts;		/* 1: all of it in one */
	int64_t pages;		/* in several: the table's own */
	int64_t bytes;		/* and all that is to be read, out of line too */
};

/*
 * Finds the tables that are worth dividing, into `most` parts each at most, and locks them in the
 * transaction that the session is in.  *locked is a list of them for split_join(), NULL: none.
 */
MUST_USE bool split_tables(struct split *splits, size_t n, size_t most, struct conn *source,
			   struct arena *arena, const char **locked, struct err *err);

/*
 * For another session, which is to read parts.  It must not wait: whoever is in its way waits for
 * the first session, which waits for this one.  ERR_RETRY then.
 */
MUST_USE bool split_join(const char *locked, struct conn *source, struct arena *arena,
			 struct err *err);

/* The pages of part `number`, from 0 */
MUST_USE struct pump_pages split_pages(const struct split *split, size_t number);

#endif
