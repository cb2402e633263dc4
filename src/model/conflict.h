/*
 * Conflicts as elvis.apply() tells of them, and the verdicts it is told.
 */
#ifndef MODEL_CONFLICT_H
#define MODEL_CONFLICT_H

#include <elvis/conflict.h>
#include <elvis/record.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "model/change.h"

/*
 * The conflict in these bytes, in the arena, its table asked of `table`.  Priorities are 0 and
 * `link` is NULL: whoever knows fills them in.  NULL: damaged, see err.
 */
MUST_USE struct elvis_conflict *conflict_decode(struct elvis_bytes in, change_table *table,
						void *lookup, struct arena *arena,
						struct err *err);

/* The bytes that elvis.answer() takes */
bool put_verdict(struct strbuf *out, const struct elvis_verdict *verdict, const char *policy,
		 const struct elvis_table *table);

#endif
