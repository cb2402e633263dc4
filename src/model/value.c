/*
 * value.c - columns in text form.
 */
#include "model/value.h"

#include "model/record.h"

static bool
text_get(struct elvis_bytes *in, uint64_t length, struct elvis_value *value, struct arena *arena)
{
	struct elvis_bytes run;

	if (length > UINT32_MAX || !elvis_get_bytes(in, (size_t) length, &run) ||
	    memchr(run.at, '\0', (size_t) length) != NULL)
		return false;
	value->state = ELVIS_VALUE_TEXT;
	value->length = (uint32_t) length;
	value->text = arena_strndup(arena, (const char *) run.at, (size_t) length);
	return true;
}

bool
value_get(struct elvis_bytes *in, struct elvis_value *value, bool *unchanged,
	  struct arena *arena)
{
	uint64_t head;

	*value = (struct elvis_value){ .state = ELVIS_VALUE_NOT_CAPTURED };
	*unchanged = false;
	if (!elvis_get_varint(in, &head))
		return false;
	switch (head) {
	case ELVIS_COLUMN_NULL:
		value->state = ELVIS_VALUE_NULL;
		return true;
	case ELVIS_COLUMN_NOT_CAPTURED:
		return true;
	case ELVIS_COLUMN_UNCHANGED:
		*unchanged = true;
		return true;
	case ELVIS_COLUMN_NONE:
		value->state = ELVIS_VALUE_NONE;
		return true;
	default:
		return text_get(in, head - ELVIS_COLUMN_BYTES, value, arena);
	}
}

struct elvis_value *
values_get(struct elvis_bytes *in, size_t n, const struct elvis_value *before,
	   struct arena *arena)
{
	struct elvis_value *values;
	bool unchanged;

	/* a column takes a byte at least */
	if (n > (size_t) (in->end - in->at))
		return NULL;
	values = arena_alloc(arena, (n + 1) * sizeof(*values));
	for (size_t i = 0; i < n; i++) {
		if (!value_get(in, &values[i], &unchanged, arena))
			return NULL;
		if (unchanged && before != NULL)
			values[i] = before[i];
	}
	return values;
}

bool
put_values(struct strbuf *out, const struct elvis_value *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		switch ((enum elvis_value_state) values[i].state) {
		case ELVIS_VALUE_NULL:
			put_varint(out, ELVIS_COLUMN_NULL);
			break;
		case ELVIS_VALUE_TEXT:
			put_varint(out, (uint64_t) values[i].length + ELVIS_COLUMN_BYTES);
			strbuf_add(out, values[i].text, values[i].length);
			break;
		case ELVIS_VALUE_NONE:
		case ELVIS_VALUE_NOT_CAPTURED:
			put_varint(out, ELVIS_COLUMN_NONE);
			break;
		}
	}
	return strbuf_ok(out);
}
