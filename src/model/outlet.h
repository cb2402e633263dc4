/*
 * What comes out of a filter: records where they lie, as long as they follow one another there;
 * else bytes, into which such runs are copied together.
 *
 * So what is let through whole is not copied at all.  The records have to stay where they are
 * until the outlet is reset.  It has a maximum, like the strbuf in it.
 */
#ifndef MODEL_OUTLET_H
#define MODEL_OUTLET_H

#include <stdbool.h>
#include <stddef.h>

#include <elvis/record.h>

#include "base/attr.h"
#include "base/strbuf.h"

struct outlet {
	struct strbuf bytes;
	struct elvis_bytes run;	/* behind them, where it came from */
};

void outlet_init(struct outlet *outlet, size_t max);
void outlet_free(struct outlet *outlet);
void outlet_reset(struct outlet *outlet);

/* Where what is made anew is to be appended, before the outlet is used otherwise */
struct strbuf *outlet_put(struct outlet *outlet);

/* Lets through some of the records as they came. */
static inline void
outlet_pass(struct outlet *outlet, struct elvis_bytes records)
{
	if (outlet->run.end != records.at) {
		(void) outlet_put(outlet);
		outlet->run.at = records.at;
	}
	outlet->run.end = records.end;
}

static inline size_t
outlet_length(const struct outlet *outlet)
{
	return outlet->bytes.length + (size_t) (outlet->run.end - outlet->run.at);
}

/* All that came out, in one piece, until the outlet is used again */
struct elvis_bytes outlet_all(struct outlet *outlet);

/* Everything since the last reset is there. */
MUST_USE static inline bool
outlet_ok(const struct outlet *outlet)
{
	return strbuf_ok(&outlet->bytes) && outlet_length(outlet) <= outlet->bytes.max;
}

#endif
