/*
 * What the engine asks of a source: one session with a source node, connected when it is first
 * needed and again after it was lost.
 *
 * One thread at a time.  A failure leaves it able to be asked again.
 */
#ifndef MODEL_SOURCE_H
#define MODEL_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "model/batch.h"

struct source;

struct source_ops {
	/* Begins to connect, without waiting, for the questions that are to come. */
	void (*approach)(struct source *);

	/* Asks for the piece at the cursor, without waiting for it; values in no richer `form`
	 * (enum elvis_column_form). */
	bool (*read_start)(struct source *, const struct cursor *, int form, struct err *);

	/* Waits for the piece asked for.  The caller releases it. */
	bool (*read_finish)(struct source *, struct piece *, struct err *);

	/* What elvis.describe() tells of a version of a table; *payload is the caller's to
	 * free(), NULL when there is no such version. */
	bool (*describe)(struct source *, uint64_t version, bool portable, void **payload,
			 size_t *length, struct err *);

	/* Does the source have that very snapshot? */
	bool (*knows)(struct source *, int64_t id, int64_t token, bool *known, struct err *);

	/* Lets go of the session; the next question makes another. */
	void (*rest)(struct source *);
};

/* First member of whatever implements it */
struct source {
	const struct source_ops *ops;
};

#endif
