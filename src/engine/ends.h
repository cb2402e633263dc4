/*
 * What a link is handed: a sink to write to, and for each table the policies to ask.  The source
 * is in model/source.h.  Whoever builds links knows where these come from; the engine does not.
 */
#ifndef ENGINE_ENDS_H
#define ENGINE_ENDS_H

#include <elvis/sink.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"

/*
 * A sink at work, the calls those of <elvis/sink.h>.  ERR_RETRY, ERR_REFUSED (stop the link) and
 * ERR_CONFIG say what its result was; everything on the link's thread.
 */
struct sink_ops {
	bool (*open)(void *self, struct err *err);
	void (*close)(void *self);	/* also when it is not open */
	bool (*position)(void *self, struct elvis_position *position, bool *known,
			 struct err *err);
	bool (*table)(void *self, const struct elvis_table *table,
		      const struct elvis_rules *rules, struct err *err);
	bool (*begin)(void *self, const struct elvis_position *position, struct err *err);
	bool (*write)(void *self, const struct elvis_piece *piece, struct err *err);
	bool (*commit)(void *self, const struct elvis_position *next, int64_t at,
		       struct err *err);
	void (*rollback)(void *self);

	/* *known false: it has nothing to say; what was committed is durable */
	bool (*durable)(void *self, struct elvis_position *position, bool *known,
			struct err *err);

	/* waits until what was committed is whole, if it is not yet */
	bool (*settle)(void *self, struct err *err);

	/* enum elvis_column_form, once open */
	int (*form)(void *self);
};

struct link_sink {
	const struct sink_ops *ops;
	void *self;
	uint32_t format;	/* enum elvis_sink_format */
	uint32_t flags;		/* enum elvis_sink_flags */
};

/* A policy at work for one table of one link */
struct policy_ops {
	bool (*decide)(void *self, const struct elvis_conflict *conflict,
		       struct elvis_verdict *verdict, struct err *err);
	bool (*answers)(void *self, const struct elvis_table *table,
			struct elvis_answers *answers, struct err *err);
};

struct link_policy {
	const struct policy_ops *ops;
	void *self;
	const char *name;
	bool ordered;
};

/* In the order in which they are asked */
struct chain {
	const struct link_policy *const *policies;
	size_t n;
};

/* What the configuration says of a table on a link */
struct table_rules {
	bool wanted;		/* else nothing below counts */
	bool gap_stops;
	uint32_t detect;	/* enum elvis_detect */
	size_t n_ignored;
	const char *const *ignored;
	struct chain chains[ELVIS_CONFLICT_KIND_END];
};

/*
 * Finds the rules for a table, or checks that those found before fit its new shape: the same
 * names get the same policies.  Lives as long as the link.
 */
typedef bool rules_find(void *context, const struct elvis_table *table,
			const struct table_rules **rules, struct err *err);

#endif
