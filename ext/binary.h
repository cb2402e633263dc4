/*
 * binary.h - rows in COPY's binary form.
 *
 * They mean what they mean to the server's parser, which has each value copied twice and its
 * characters looked at one by one before it is a value.
 */
#ifndef ELVIS_EXT_BINARY_H
#define ELVIS_EXT_BINARY_H

#include "postgres.h"

#include "commands/copyfrom_internal.h"
#include "executor/tuptable.h"

typedef struct BinaryRows BinaryRows;

/*
 * The rows of a whole file that `copy` has been begun with; of it the columns are taken, and it is
 * told where in the file an error is met.  NULL when the server's parser has more to do for a row
 * than to read it, or the file is not as COPY TO begins one: then that is to be used.
 */
BinaryRows *binary_begin(CopyFromState copy, const char *at, const char *end);

/* The next row into the empty slot, in the current memory context; false: there is none. */
bool binary_next(BinaryRows *rows, TupleTableSlot *slot);

#endif
