/*
 * image.c - rows taken apart, compared and encoded.
 *
 * All of it runs once for each row.  Stored rows are therefore read where they lie:
 * values are compared and copied as the bytes that they are, and become datums only for
 * codecs that want one.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/tupmacs.h"
#include "utils/datum.h"
#include "utils/memutils.h"

#include <elvis/record.h>

#include "compat.h"
#include "image.h"
#include "room.h"

#define LARGE_VALUE (16 * 1024 * 1024)	/* from here on sizes are added up first */

static bool
is_variable(const struct captured_column *column)
{
	return column->length == -1;
}

/* ---- taking apart ---- */

/* false: it has been stored without columns that were added since */
static bool
take_stored(struct image *image, const struct captured *table, HeapTuple tuple)
{
	HeapTupleHeader row = tuple->t_data;
	const bits8 *nulls = HeapTupleHasNulls(tuple) ? row->t_bits : NULL;
	const char *data = (const char *) row + row->t_hoff;
	uint32 offset = 0;
	int i = 0;

	if (unlikely(HeapTupleHeaderGetNatts(row) != table->n_stored))
		return false;
	if (nulls == NULL) {
		for (; i < table->n_steady; i++)
			image->at[table->stored[i].column] =
				data + table->stored[i].offset;
		offset = table->steady_length;
	}
	for (; i < table->n_stored; i++) {
		const struct stored_column *stored = &table->stored[i];

		if (nulls != NULL && att_isnull(i, nulls)) {
			image->at[stored->column] = NULL;
			continue;
		}
		/* short headers are not aligned; padding is zero, as none of them is */
		if (stored->length > 0 || !VARATT_NOT_PAD_BYTE(data + offset))
			offset = (offset + stored->align_mask) & ~stored->align_mask;
		image->at[stored->column] = data + offset;
		offset += stored->length > 0 ? (uint32) stored->length
					     : VARSIZE_ANY(data + offset);
	}
	return true;
}

static void
take_slot(struct image *image, const struct captured *table, TupleTableSlot *slot)
{
	slot_getallattrs(slot);
	for (int i = 0; i < table->n_columns; i++) {
		const struct captured_column *column = &table->columns[i];
		Datum value = slot->tts_values[column->number];

		if (slot->tts_isnull[column->number]) {
			image->at[i] = NULL;
		} else if (!column->by_value) {
			image->at[i] = DatumGetPointer(value);
		} else {
			store_att_byval(&image->copies[i], value, column->length);
			image->at[i] = (const char *) &image->copies[i];
		}
	}
}

void
image_take(struct image *image, const struct captured *table, HeapTuple tuple,
	   TupleTableSlot *slot)
{
	if (tuple == NULL || !take_stored(image, table, tuple))
		take_slot(image, table, slot);
}

/* ---- comparing ---- */

/* Short values, and places of those out of line: another place is another value. */
static bool
same_short(const char *a, const char *b)
{
	return *a == *b && memcmp(a, b, VARSIZE_ANY(a)) == 0;
}

static bool
same_varlena(const char *a, const char *b)
{
	if (likely(VARATT_IS_SHORT(a) && VARATT_IS_SHORT(b)))
		return same_short(a, b);
	if (VARATT_IS_EXTERNAL(a) || VARATT_IS_EXTERNAL(b))
		return false;
	return datum_image_eq(PointerGetDatum(a), PointerGetDatum(b), false, -1);
}

static bool
differs(const struct captured_column *column, const char *a, const char *b)
{
	if (!column->carried)
		return false;
	if (unlikely(a == NULL || b == NULL))
		return a != b;
	switch (column->length) {	/* lengths that the compiler knows need no call */
	case -1:
		return !same_varlena(a, b);
	case sizeof(int32):
		return memcmp(a, b, sizeof(int32)) != 0;
	case sizeof(int64):
		return memcmp(a, b, sizeof(int64)) != 0;
	default:
		return memcmp(a, b, column->length) != 0;
	}
}

bool
image_compare(const struct captured *table, const struct image *old_image,
	      const struct image *new_image, uint8 *changed)
{
	const char **a = old_image->at, **b = new_image->at;
	const struct captured_column *column = table->columns;
	bool same_key = true;

	for (int first = 0; first < table->n_columns; first += 8) {
		int n = Min(table->n_columns - first, 8);
		uint8 bits = 0;

		for (int i = 0; i < n; i++, column++)
			if (differs(column, *a++, *b++)) {
				bits |= 1 << i;
				same_key &= !column->in_key;
			}
		changed[first / 8] = bits;
	}
	return same_key;
}

/* ---- encoding ---- */

/* Is it out of line and too large to be written although it is not new? */
static bool
left_out(const struct captured *table, const struct captured_column *column,
	 const char *value)
{
	return is_variable(column) && VARATT_IS_EXTERNAL_ONDISK(value) &&
	       !column->in_key &&
	       toast_raw_datum_size(PointerGetDatum(value)) - VARHDRSZ >
		       table->capture_unchanged;
}

static inline void
put_head(StringInfo out, uint8 head)
{
	uint8 *at = room_for(out, 1);

	*at++ = head;
	room_used(out, at);
}

/* text and send forms may be longer than the value; hex and escapes by that much */
static void
refuse_if_too_large(const StringInfoData *out, Relation relation, const char *value)
{
	Size size = toast_raw_datum_size(PointerGetDatum(value));

	if (size > LARGE_VALUE && out->len + size * 2 > MaxAllocSize / 2 &&
	    out->len + size > MaxAllocSize - LARGE_VALUE)
		ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a change of table \"%s\" is too large to be captured",
				RelationGetRelationName(relation)),
			 errdetail("A change must fit into 1 GB with all its values, "
				   "before and after.")));
}

static inline void
put_value(StringInfo out, Relation relation, struct captured_column *column,
	  const char *value)
{
	if (value == NULL) {
		put_head(out, ELVIS_COLUMN_NULL);
		return;
	}
	if (is_variable(column) && !VARATT_IS_SHORT(value))
		refuse_if_too_large(out, relation, value);
	value_encode_at(out, &column->codec, value);
}

static bool
has_changed(const uint8 *changed, int i)
{
	return (changed[i / 8] >> i % 8 & 1) != 0;
}

void
image_put(StringInfo out, Relation relation, const struct captured *table,
	  const struct image *image, const uint8 *changed)
{
	for (int i = 0; i < table->n_columns; i++) {
		struct captured_column *column = &table->columns[i];
		const char *value = image->at[i];

		if (!column->carried ||
		    (changed != NULL && value != NULL && left_out(table, column, value) &&
		     !has_changed(changed, i)))
			put_head(out, ELVIS_COLUMN_NOT_CAPTURED);
		else
			put_value(out, relation, column, value);
	}
}

void
image_put_changed(StringInfo out, Relation relation, const struct captured *table,
		  const struct image *image, const uint8 *changed)
{
	int n = (table->n_columns + 7) / 8;
	uint8 *at = room_for(out, n);

	for (int i = 0; i < n; i++)
		*at++ = changed[i];
	room_used(out, at);
	for (int i = 0; i < table->n_columns; i++)
		if (has_changed(changed, i))
			put_value(out, relation, &table->columns[i], image->at[i]);
}
