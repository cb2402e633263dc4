/*
 * What one link is to see of its source's stream.
 *
 * A change is passed over when its table does not belong to the link, when it came from or
 * through the node that the link leads to (it would go in circles), or when the link carries
 * local changes only and it is not.  What is passed over is counted in a SKIPPED record, so that
 * the addresses of the others stay; a transaction with nothing for the link leaves no bytes.
 */
#ifndef MODEL_FILTER_H
#define MODEL_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "model/cut.h"
#include "model/outlet.h"
#include "model/record.h"

/* What the link does with a table */
struct filter_table {
	bool wanted;
	bool gap_stops;		/* a write that no trigger saw stops the link, if it is not passed */
	const char *schema, *name;
	struct cut_share share;	/* the filter's own */
};

/*
 * Finds the table of a version, before anything of its change has been put out.  It stays
 * until the filter is started anew.  False fails the walk with its err.
 */
typedef bool filter_lookup(void *context, uint64_t version, struct filter_table **table,
			   struct err *err);

struct filter {
	uint32_t target;	/* number of the node the link leads to; 0: no node */
	bool local_only;
	bool gaps_pass;		/* whoever gets the records knows what to do with a GAP */
	struct cut cut;		/* where a target transaction is to end: its settings */
	filter_lookup *lookup;
	void *context;		/* handed to `lookup` */

	/* where the walk stands; for reading only */
	int64_t seq;		/* of the last COMMIT passed since the start */
	int64_t at;		/* when that was at the source */
	size_t bytes;		/* put out since the last cut */

	/* the filter's own */
	struct record_begin begin;
	bool inside;		/* between a BEGIN and its COMMIT */
	bool begun;		/* that BEGIN was put out */
	uint8_t context_bytes[64];	/* the last CONTEXT as it came */
	uint8_t context_length;
	bool context_wanted, context_due;
	struct elvis_bytes head;	/* of `in`: a CONTEXT, or a BEGIN and what followed it, that
					 * may be passed on with the change behind it */
	uint64_t skipped;
	uint64_t memo_version;
	struct filter_table *memo;
};

enum filter_result {
	FILTER_END,		/* all of `in` is through */
	FILTER_CUT,		/* a COMMIT was passed and the limit is reached: `in` may have more */
	FILTER_FAILED,		/* see err */
};

/*
 * From between two transactions, with nothing of the past but `seq`, of the last transaction
 * passed in this batch (0: none): call it before the first piece of a batch and after a failure.
 * The settings at the top of the structure stay.
 */
void filter_start(struct filter *filter, int64_t seq);

/* The same between two batches, which may go into one target transaction. */
void filter_next(struct filter *filter, int64_t seq);

/* Walks over `in` and puts out what the link is to see, to the end or to the next cut. */
MUST_USE enum filter_result filter_run(struct filter *filter, struct elvis_bytes *in,
				       struct outlet *out, struct err *err);

#endif
