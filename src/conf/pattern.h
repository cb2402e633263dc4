/*
 * Patterns of table names: schema.table, with * for any run of characters and ? for one in
 * either part.
 *
 * A part may be quoted as in SQL: "my.schema"."t" - between quotes everything is meant
 * literally, "" is one quote.  What is not quoted is folded to lower case as the server folds it
 * (ASCII letters only).  Names are UTF-8; ? is one character, not one byte.
 */
#ifndef CONF_PATTERN_H
#define CONF_PATTERN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"

struct pattern {
	const char *text;	/* as the user wrote it */
	const char *schema;	/* compiled: see pattern.c */
	const char *table;
};

/* What lies in `pattern` afterwards lives in the arena.  ERR_CONFIG says what would be right. */
MUST_USE bool pattern_parse(struct pattern *pattern, const char *text, struct arena *arena,
			    struct err *err);

/* Names as pg_class has them, unquoted, in UTF-8 */
MUST_USE bool pattern_matches(const struct pattern *pattern, const char *schema,
			      const char *table);

/* The pattern has no * and no ?: it names one table. */
MUST_USE bool pattern_is_name(const struct pattern *pattern);

/* Some table could match both. */
MUST_USE bool pattern_overlaps(const struct pattern *a, const struct pattern *b);

#endif
