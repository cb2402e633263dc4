/*
 * image.h - a row's two versions as the columns of a record.
 *
 * An image says where a row's values lie; the row has to stay there.  What encoding
 * leaves behind is in the current memory context, and the table's pins must be in force
 * (value.h).
 */
#ifndef ELVIS_EXT_IMAGE_H
#define ELVIS_EXT_IMAGE_H

#include "access/htup_details.h"
#include "executor/tuptable.h"

#include "relation.h"

/* A bit for each captured column, the least significant first, as in an UPDATE record. */
#define IMAGE_BITS ((MaxTupleAttributeNumber + 7) / 8)

/* Takes a row apart: as it is stored, when `tuple` is not NULL, or as the slot has it. */
void image_take(struct image *image, const struct captured *table, HeapTuple tuple,
		TupleTableSlot *slot);

/* Sets `changed`, of IMAGE_BITS bytes; answers whether the key is the same in both. */
bool image_compare(const struct captured *table, const struct image *old_image,
		   const struct image *new_image, uint8 *changed);

/*
 * Appends a whole row.  With `changed`, what has not changed is left out if it is large: of
 * a row that is deleted, nothing has.
 */
void image_put(StringInfo out, Relation relation, const struct captured *table,
	       const struct image *image, const uint8 *changed);

/* Appends the bits and the columns that they name. */
void image_put_changed(StringInfo out, Relation relation, const struct captured *table,
		       const struct image *image, const uint8 *changed);

#endif
