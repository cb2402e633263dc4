/*
 * fetch.h - rows of the log by their place, and the chunks that they hold.
 */
#ifndef ELVIS_EXT_FETCH_H
#define ELVIS_EXT_FETCH_H

#include "executor/tuptable.h"
#include "lib/stringinfo.h"
#include "utils/snapshot.h"

#include <elvis/record.h>

#include "collect.h"

struct fetching {
	const struct collection *collection;
	bool *stale;		/* its rows may have moved */
	Relation *logs;		/* opened so far, by segment */
	TupleTableSlot **slots;
	Snapshot snapshot;
	StringInfoData joined;	/* a chunk of several rows */
};

void fetch_begin(struct fetching *fetching, const struct collection *collection,
		 bool *stale);
void fetch_end(struct fetching *fetching);

/* The flags of what must be a transaction's last row. */
uint8 fetch_last_flags(struct fetching *fetching, const struct row_place *last);

/* How many of these rows belong to the chunk that begins with the first of them. */
uint32 fetch_rows_of_chunk(const struct row_place *places, uint32 n);

/*
 * The records of a chunk of `n` rows, valid until something else is fetched; *flags are
 * those of its last row.
 */
struct elvis_bytes fetch_chunk(struct fetching *fetching, const struct row_place *places,
			       uint32 n, uint8 *flags);

#endif
