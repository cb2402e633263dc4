/*
 * Filling the target of a link from its source while both are written.
 *
 * The link is entered at its source first, paused and given its first position; then all tables
 * are read in one snapshot, several at a time, each is written in a transaction of its own that
 * also records this snapshot for the table (elvis.table_start), and at the end the link runs.
 * What the snapshot shows is skipped when the link delivers it, what it does not show is
 * delivered: no change is lost or done twice.  Cut off anywhere, it can be run again and goes on
 * with the tables left.
 *
 * A large table is shared out, each part in a transaction of its own.  It is recorded as
 * unfinished before the first, and by the last as one that is there; in between nothing else is
 * written to it, and another run empties it and begins it anew.
 */
#ifndef SETUP_COPY_H
#define SETUP_COPY_H

#include "base/attr.h"
#include "base/err.h"
#include "setup/site.h"

struct copy_progress {
	const char *schema, *table;
	size_t number, of;	/* the table's, from 1 */
	int64_t bytes;		/* of this table so far */
	bool finished;		/* this table */
	bool skipped;		/* an earlier run has copied it */
};

typedef void copy_listener(void *context, const struct copy_progress *progress);

struct copy_options {
	const struct pattern *tables;	/* only these; none: all of the link */
	size_t n_tables;
	size_t jobs;			/* processes at work; 0: one */
	bool truncate;			/* empty target tables that hold rows, else they are refused */
	copy_listener *listener;	/* about ten times a second; NULL: nobody */
	void *context;
};

/*
 * The link must lead to a node; the site must be complete.  ERR_CONFIG: something has to be done
 * first, such as emptying a table; nothing was copied that is not recorded.
 */
MUST_USE bool copy_link(struct site *site, const struct conf_link *link,
			const struct copy_options *options, struct err *err);

/* A paused link with a reason that begins so waits for its copy to be finished. */
#define COPY_REASON "the copy of its tables is not finished"

#endif
