/*
 * reorder.h - putting right a transaction whose changes were captured out of order.
 *
 * A statement's changes are captured when it ends, those of functions and triggers that
 * it runs before.  Capture marks what came late that way (record.h); here it gets its
 * place.
 */
#ifndef ELVIS_EXT_REORDER_H
#define ELVIS_EXT_REORDER_H

#include "lib/stringinfo.h"

#include <elvis/record.h>

/* The transaction's records in their right order, cut into pieces of about a chunk. */
struct ordered {
	MemoryContext context;	/* it lives in, the chunks' bytes too */
	size_t n_records;
	struct record **records;
	size_t n_pieces;
	size_t *starts;		/* first record of each piece */
};

/*
 * `chunks` are the bodies of all chunks of the transaction, in the order of their seq,
 * without their two bytes of head, in the current memory context, in which the answer is
 * made.
 */
struct ordered *reorder(const struct elvis_bytes *chunks, size_t n_chunks);

/* Appends one piece, which begins with a context as a chunk does. */
void ordered_piece(const struct ordered *ordered, size_t piece, StringInfo out);

#endif
