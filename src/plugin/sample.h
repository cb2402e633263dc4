/*
 * Conflicts as they happen, of every kind: what policies are tried on before they are
 * trusted with real ones.
 */
#ifndef PLUGIN_SAMPLE_H
#define PLUGIN_SAMPLE_H

#include <stddef.h>

#include <elvis/conflict.h>

#include "base/arena.h"

/* Columns of the samples' table: one that holds a time, one that holds an amount */
#define SAMPLE_TIME_COLUMN "changed_at"
#define SAMPLE_AMOUNT_COLUMN "amount"

struct sample {
	const char *name; /* "insert_exists, the local row is later" */
	const struct elvis_conflict *conflict;

	/* The other node meets this where this node meets the above: sides have changed places.
	 * NULL: there is no row of its own there. */
	const struct elvis_conflict *mirror;
};

struct samples {
	const struct elvis_table *table;
	size_t n;
	const struct sample *of; /* at least one of every kind */
};

/* Everything in the arena: two calls make two sets that share nothing. */
struct samples samples_make(struct arena *arena);

#endif
