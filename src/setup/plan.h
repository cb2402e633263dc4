/*
 * From what the databases hold to what the configuration says: a plan of steps, and doing them.
 *
 * Every step is idempotent and commits by itself, in an order that is safe to be cut anywhere:
 * extension and node number, then triggers, then links.  A second run has nothing to do.
 */
#ifndef SETUP_PLAN_H
#define SETUP_PLAN_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "conf/topology.h"
#include "setup/site.h"

enum step_kind {
	STEP_SQL,	/* a statement at a node */
	STEP_START,	/* a link that delivered nothing yet starts from now */
	STEP_RESUBSCRIBE,	/* the source has forgotten the link: told, never done here */
	STEP_COPY,	/* told, never done here: tables hold rows, elvisctl copy is needed */
	STEP_COPY_TABLE,	/* told: a table has joined a link that runs, from nowhere or another link */
	STEP_STRANGER,	/* told, never done here: something to look at */
};

struct step {
	enum step_kind kind;
	const struct conf_node *node;	/* where */
	const struct conf_link *link;	/* NULL: of no link */
	const char *words;		/* what it does, for people */
	const char *sql;		/* STEP_SQL */
};

struct plan {
	const struct topology *topology;	/* must live as long */
	const struct step *steps;
	size_t n_steps;
	size_t n_to_do;			/* those that change something */
	size_t n_copies;		/* links that wait for a copy */
};

struct plan_options {
	bool adopt;	/* both sides of new links are known to hold the same: start from now */
	bool prune;	/* detach tables and drop subscribers that the configuration does not name */

	/* MAY: do policies of the chain need large values that did not change?  Tables that they
	 * are used for then capture them, whatever their size. */
	bool (*needs_large)(void *context, const struct conf_chain *chain);
	void *context;
};

/*
 * The site must be complete and the topology without errors.  ERR_CONFIG: a database cannot
 * be what the configuration says (another node's number, a copy, no extension to create).
 */
MUST_USE bool plan_make(struct plan *plan, struct site *site, const struct topology *topology,
			const struct plan_options *options, struct arena *arena,
			struct err *err);

/* Hears of each step before it is done. */
typedef void plan_listener(void *context, const struct step *step);

/* `n_copies` grows where a link turns out to need a copy after all. */
MUST_USE bool plan_perform(struct plan *plan, struct site *site,
			   const struct plan_options *options, plan_listener *listener,
			   void *context, struct err *err);

/*
 * All of it, for who has nobody to ask: plans, performs, logs what it does under the name of the
 * application.  What has to be done by hand before the links can run is an error (ERR_CONFIG)
 * that says how.
 */
MUST_USE bool setup_run(const struct conf *conf, const char *application, struct err *err);

#endif
