/*
 * render.c - stored values become send/receive or text forms by the built-in types they
 * are of, whatever has become of their table.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "render.h"
#include "version.h"

static bool
counts(uint8 tag)
{
	return tag == ELVIS_RECORD_INSERT || tag == ELVIS_RECORD_UPDATE ||
	       tag == ELVIS_RECORD_DELETE || tag == ELVIS_RECORD_TRUNCATE ||
	       tag == ELVIS_RECORD_GAP;
}

static void
put(StringInfo out, struct elvis_bytes bytes)
{
	appendBinaryStringInfo(out, (const char *) bytes.at,
			       (int) (bytes.end - bytes.at));
}

static void
render_column(StringInfo out, struct version_column *column, struct elvis_bytes *in,
	      uint8 portable)
{
	struct elvis_bytes value, whole;
	uint64_t head;

	if (!version_get_column(in, &head, &value, &whole))
		version_damaged("a change ends too early");
	if (head < ELVIS_COLUMN_BYTES || column->form == ELVIS_FORM_TEXT ||
	    column->form == value_form(&column->codec, portable)) {
		put(out, whole);
		return;
	}
	value_encode_form(out, &column->codec, value_form(&column->codec, portable),
			  value_decode(&column->codec, column->form, value.at,
				       value.end - value.at));
}

static void
render_change(StringInfo out, uint8 tag, struct elvis_bytes in, uint8 portable)
{
	const uint8 *head = in.at;
	struct elvis_bytes bitmap, tids;
	struct version *version;
	uint64_t number;
	uint8_t flags;

	if (!elvis_get_u8(&in, &flags) || !elvis_get_varint(&in, &number) ||
	    !elvis_get_bytes(&in, (flags & ELVIS_CHANGE_OLD_TID ? 6 : 0) +
			     (flags & ELVIS_CHANGE_NEW_TID ? 6 : 0), &tids))
		version_damaged("a change ends too early");
	version = version_get(number);
	put(out, (struct elvis_bytes) {head, in.at});
	for (int i = 0; i < version->n_columns; i++)
		render_column(out, &version->columns[i], &in, portable);
	if (tag != ELVIS_RECORD_UPDATE)
		return;
	if (!elvis_get_bytes(&in, (version->n_columns + 7) / 8, &bitmap))
		version_damaged("a change ends too early");
	put(out, bitmap);
	for (int i = 0; i < version->n_columns; i++)
		if (bitmap.at[i / 8] >> i % 8 & 1)
			render_column(out, &version->columns[i], &in, portable);
}

static void
render(StringInfo out, uint8 tag, struct elvis_bytes payload, uint8 portable)
{
	static MemoryContext garbage;
	MemoryContext before;
	StringInfoData change;
	uint8 length[ELVIS_VARINT_MAX];

	if (garbage == NULL)
		garbage = AllocSetContextCreate(TopMemoryContext, "elvis rendering",
						ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(garbage);
	initStringInfo(&change);
	render_change(&change, tag, payload, portable);
	MemoryContextSwitchTo(before);
	appendStringInfoChar(out, tag);
	appendBinaryStringInfo(out, (char *) length,
			       (int) (elvis_put_varint(length, change.len) - length));
	appendBinaryStringInfo(out, change.data, change.len);
	MemoryContextReset(garbage);
}

int64
render_records(StringInfo out, struct elvis_bytes in, uint8 portable)
{
	struct elvis_bytes all = in;
	int64 changes = 0;

	while (in.at < in.end) {
		struct elvis_bytes whole = in, payload;
		uint8_t tag;

		if (!elvis_get_record(&in, &tag, &payload))
			version_damaged("a record ends too early");
		whole.end = in.at;
		changes += counts(tag);
		if (portable == ELVIS_FORM_STORED)
			continue;
		if (tag == ELVIS_RECORD_INSERT || tag == ELVIS_RECORD_UPDATE ||
		    tag == ELVIS_RECORD_DELETE)
			render(out, tag, payload, portable);
		else
			put(out, whole);
	}
	if (portable == ELVIS_FORM_STORED)
		put(out, all);
	return changes;
}
