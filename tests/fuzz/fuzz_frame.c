/* Frames, as elvis.apply() takes them apart; the server's part of it is not here. */
#include "fuzz.h"

#include "../../ext/frame.h"

static bool
read_table(struct elvis_bytes in)
{
	struct frame_table table;
	struct frame_column column;
	struct frame_rule rule;
	struct elvis_bytes name;
	uint8_t detect;
	uint64_t n, number;

	if (!frame_get_table(&in, &table))
		return false;
	for (uint64_t i = 0; i < table.n_columns; i++)
		if (!frame_get_column(&in, &column))
			return false;
	if (!frame_get_count(&in, 32, &n))
		return false;
	while (n-- > 0)
		if (!elvis_get_varint(&in, &number))
			return false;
	if (!elvis_get_u8(&in, &detect) || !frame_get_count(&in, UINT32_MAX, &n))
		return false;
	while (n-- > 0)
		if (!elvis_get_string(&in, &name))
			return false;
	if (!frame_get_count(&in, UINT32_MAX, &n))
		return false;
	while (n-- > 0)
		if (!frame_get_rule(&in, &rule))
			return false;
	return true;
}

/* What a view shows must be there to be read. */
static unsigned
sum_of(const struct frame_value *values, size_t n)
{
	unsigned sum = 0;

	for (size_t i = 0; i < n; i++)
		for (uint32_t j = 0; values[i].head == ELVIS_COLUMN_BYTES &&
			     j < values[i].length; j++)
			sum += values[i].bytes[j];
	return sum;
}

static void
read_change(uint8_t tag, struct elvis_bytes payload)
{
	static volatile unsigned seen;
	struct frame_value before[2], after[2];
	struct frame_change change;

	if (!frame_get_change(tag, payload, &change) ||
	    !frame_get_images(&change, 2, before, after))
		return;
	if (tag != ELVIS_RECORD_INSERT)
		seen += sum_of(before, 2);
	if (tag != ELVIS_RECORD_DELETE)
		seen += sum_of(after, 2);
	(void) seen;	/* who only adds to it does not use it, newer compilers say */
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct elvis_bytes in = { data, data + size }, payload;
	struct frame_truncate truncate;
	struct frame_context context;
	struct frame_begin begin;
	struct frame_head head;
	uint8_t tag;

	if (!frame_get_head(&in, &head))
		return 0;
	while (elvis_get_record(&in, &tag, &payload)) {
		(void) !read_table(payload);
		(void) !frame_get_context(payload, &context);
		(void) !frame_get_begin(payload, &begin);
		(void) !frame_get_truncate(payload, &truncate);
		read_change(tag, payload);
	}
	return 0;
}
