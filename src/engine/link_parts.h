/*
 * The inside of a link, shared by link.c (its life), deliver.c (its step) and tables.c (what it
 * knows of tables).  Everything belongs to the link's thread, but for `finishing`.
 */
#ifndef ENGINE_LINK_PARTS_H
#define ENGINE_LINK_PARTS_H

#include <stdatomic.h>

#include "base/arena.h"
#include "base/backoff.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/strbuf.h"
#include "engine/link.h"
#include "model/change.h"
#include "model/filter.h"

struct link {
	struct link_settings settings;
	struct link_ends ends;
	struct elvis_link face;
	struct slot *slot;
	struct source_facts facts;	/* of the source, as of this session */
	char subject[128];	/* of log lines */
	atomic_bool finishing;

	/* where it stands */
	struct elvis_position position;	/* everything before this was dealt with */
	struct elvis_position stored;	/* what the sink has of it: behind when there was nothing
					 * to write */
	struct elvis_position confirmed;	/* told to the source as durable */
	int64_t at;		/* when `position` was true at the source */
	int64_t confirm_due;	/* monotonic ms */
	uint64_t turn;		/* of the news the session began with */

	/* the step under way */
	struct filter filter;
	struct change_reader reader;
	struct outlet out;	/* what the filter let through */
	struct arena *rows;	/* changes for a sink of rows */
	int form;		/* of values, enum elvis_column_form */
	bool begun;		/* the sink is in a target transaction */
	bool full;		/* and that is to end where it stands */
	bool humble;		/* since one failed none is larger for being of many tables */
	struct cache *own;	/* when it was behind the others */
	bool sharing;		/* joined the shared cache */

	/* the session: from opening the sink to closing it */
	struct arena *session;
	struct hash *tables;	/* version -> struct link_table */

	/* trouble */
	struct backoff backoff;
	struct complaint complaint;
	int singly;		/* so many commits, each of one source transaction, to come */
	bool setback_accepted;	/* the operator resumed a link whose target was set back */
	enum link_state told;	/* last state logged */
	bool told_no_position;
	struct arena *question;	/* what the answer to the last question points to */
	int64_t retried_seq;
	uint64_t retried_ordinal;
	uint32_t retries;
	int64_t asked_seq;	/* the change last asked about, and how often in a row */
	uint64_t asked_ordinal;
	int questions;
};

struct link_table {
	struct filter_table filter;	/* first: found by the filter */
	const struct elvis_table *table;
	const struct table_rules *table_rules;
	const struct elvis_rules *rules;
	struct elvis_bytes described;
	bool told;		/* the sink knows of it */
};

/* It is to end, or no longer to run. */
bool link_leaving(struct link *link);

/* deliver.c: one step towards the snapshot, which is newer than the link's position; returns
 * early, at a boundary, when the link is leaving. */
MUST_USE bool deliver_batch(struct link *link, const struct snapshot *newest, struct err *err);

/* Has the sink store a position that moved on without anything to write. */
MUST_USE bool deliver_position(struct link *link, struct err *err);

/* The link has caught up: a session of its own is of no more use. */
void deliver_rest(struct link *link);

/* tables.c */
filter_lookup tables_find;
change_table tables_shape;

/* The question a sink asks (struct elvis_link). */
bool tables_ask(const struct elvis_link *face, const struct elvis_conflict *conflict,
		struct elvis_verdict *verdict, const char **policy);

#endif
