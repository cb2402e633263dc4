/*
 * Values as plugins see them, out of columns in text form and back.
 */
#ifndef MODEL_VALUE_H
#define MODEL_VALUE_H

#include <elvis/change.h>
#include <elvis/record.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/strbuf.h"

/*
 * One column.  *unchanged: it has no value of its own, that of the before image counts;
 * `value` is then ELVIS_VALUE_NOT_CAPTURED.  Text is copied into the arena.
 */
MUST_USE bool value_get(struct elvis_bytes *in, struct elvis_value *value, bool *unchanged,
			struct arena *arena);

/* `n` columns.  What is unchanged takes its value from `before`, which may be NULL. */
MUST_USE struct elvis_value *values_get(struct elvis_bytes *in, size_t n,
					const struct elvis_value *before, struct arena *arena);

/* `n` columns; NONE and NOT_CAPTURED are both "no such column": left alone by who writes. */
bool put_values(struct strbuf *out, const struct elvis_value *values, size_t n);

#endif
