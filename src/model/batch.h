/*
 * A batch is read in pieces, each from where the one before it ended.
 */
#ifndef MODEL_BATCH_H
#define MODEL_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include <elvis/record.h>

#include "model/position.h"

/* A place in the batch (from, to]: after the transaction with that last seq and after `inside`
 * chunks of the next one.  Without padding, and compared as bytes. */
struct cursor {
	int64_t from_id, from_token;
	int64_t to_id, to_token;
	int64_t seq, inside;
};

/* Records as the source hands them out.  Never changed once read. */
struct piece {
	struct elvis_bytes records;
	int64_t seq, inside;	/* of the cursor after it */
	bool finished;		/* the batch ends with it */
	void *owner;		/* of the bytes */
	void (*release)(void *owner);
};

#endif
