/*
 * binary.c - rows in COPY's binary form: the number of columns, then of each value its length, -1
 * for a null, and its bytes as its type sends them.  Instead of a number -1 may end the rows.
 */
#include "binary.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "port/pg_bswap.h"
#include "utils/rel.h"

#include <elvis/record.h>

#include "compat.h"
#include "value.h"

/* Before the rows: a signature of 11 bytes, flags, and the length of what follows, nothing. */
#define HEADER 19
#define EXTENSION 15

/* A column of the rows. */
typedef struct BinaryColumn {
	int number;		/* in the table, from 0 */
	const char *name;
	ValueCodec codec;
	bool as_stored;		/* what its type sends is what the server stores */
} BinaryColumn;

struct BinaryRows {
	CopyFromState copy;
	const char *at, *end;
	int n_columns;
	BinaryColumn columns[FLEXIBLE_ARRAY_MEMBER];
};

static bool
is_as_stored(const ValueCodec *codec)
{
	switch (codec->base) {
	case TEXTOID:
	case VARCHAROID:
	case BPCHAROID:
		return pg_get_client_encoding() == GetDatabaseEncoding();
	case BYTEAOID:
		return true;
	}
	return false;
}

static void
begin_column(BinaryColumn *column, Relation relation, AttrNumber attnum)
{
	Form_pg_attribute attribute = TupleDescAttr(RelationGetDescr(relation), attnum - 1);

	column->number = attnum - 1;
	column->name = NameStr(attribute->attname);
	value_codec_init(&column->codec, attribute->atttypid, attribute->atttypmod,
			 attribute->attcollation, CurrentMemoryContext);
	column->as_stored = is_as_stored(&column->codec);
}

BinaryRows *
binary_begin(CopyFromState copy, const char *at, const char *end)
{
	static const char none[HEADER - EXTENSION];
	int n = list_length(copy->attnumlist);
	BinaryRows *rows;

	if (copy->num_defaults > 0 || end - at < HEADER ||
	    memcmp(at + EXTENSION, none, sizeof(none)) != 0)
		return NULL;
	rows = palloc0(offsetof(BinaryRows, columns) + sizeof(BinaryColumn) * n);
	rows->copy = copy;
	rows->at = at + HEADER;
	rows->end = end;
	rows->n_columns = n;
	for (int i = 0; i < n; i++)
		begin_column(&rows->columns[i], copy->rel, list_nth_int(copy->attnumlist, i));
	return rows;
}

/* ---- rows ---- */

static _Noreturn void
damaged(void)
{
	ereport(ERROR, (errcode(ERRCODE_BAD_COPY_FILE_FORMAT),
			errmsg("unexpected end or contents of binary rows")));
}

static const char *
take(BinaryRows *rows, size_t length)
{
	const char *taken = rows->at;

	if (length > (size_t) (rows->end - rows->at))
		damaged();
	rows->at += length;
	return taken;
}

static int16
take_int16(BinaryRows *rows)
{
	uint16 n;

	memcpy(&n, take(rows, sizeof(n)), sizeof(n));
	return (int16) pg_ntoh16(n);
}

static int32
take_int32(BinaryRows *rows)
{
	uint32 n;

	memcpy(&n, take(rows, sizeof(n)), sizeof(n));
	return (int32) pg_ntoh32(n);
}

static Datum
read_value(BinaryColumn *column, const char *bytes, int32 length)
{
	uint8 form = column->as_stored ? ELVIS_FORM_STORED : ELVIS_FORM_BINARY;
	uint32 n;

	if (column->codec.type == INT4OID && length == sizeof(n)) {
		memcpy(&n, bytes, sizeof(n));
		return Int32GetDatum((int32) pg_ntoh32(n));
	}
	return value_decode(&column->codec, form, (const uint8 *) bytes, length);
}

static void
read_column(BinaryRows *rows, BinaryColumn *column, TupleTableSlot *slot)
{
	int32 length = take_int32(rows);

	if (length < -1)
		damaged();
	slot->tts_isnull[column->number] = length == -1;
	if (length == -1)
		value_decode_null(&column->codec);
	else
		slot->tts_values[column->number] = read_value(column, take(rows, length), length);
}

bool
binary_next(BinaryRows *rows, TupleTableSlot *slot)
{
	int n;

	rows->copy->cur_lineno++;
	if (rows->at == rows->end)
		return false;
	n = take_int16(rows);
	if (n == -1 && rows->at == rows->end)
		return false;
	if (n != rows->n_columns)
		damaged();
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < n; i++) {
		rows->copy->cur_attname = rows->columns[i].name;
		read_column(rows, &rows->columns[i], slot);
	}
	rows->copy->cur_attname = NULL;
	return true;
}
