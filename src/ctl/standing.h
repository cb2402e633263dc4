/*
 * Where a link stands, asked of its source and its target by SQL alone; a daemon need not run.
 */
#ifndef CTL_STANDING_H
#define CTL_STANDING_H

#include "ctl/cmd.h"
#include "setup/site.h"

struct standing {
	const struct conf_link *link;
	bool subscribed;	/* the source keeps its log for it */
	bool started;		/* it has a position */
	const char *state;	/* "running", "paused", "stopped"; "new" when not subscribed */
	const char *reason;	/* NULL: none */
	int64_t at_id;		/* snapshot of the source it has reached */
	int64_t seq;		/* part of the next batch done; 0: none of it */
	int64_t newest_id;	/* of the source */
	bool behind;		/* something committed at the source is not at the target */
	double lag;		/* seconds since the newest change it has is known; 0 when not behind */
	bool daemon;		/* an elvisd has a session at the source */
};

/*
 * Asks.  Takes a snapshot at the source when something was captured since the link's position,
 * so that `behind` is true of now.  A database that cannot be asked is an error of class
 * ERR_RETRY, one not set up yet is a standing with state "new".
 */
MUST_USE bool standing_ask(struct standing *standing, const struct site *site,
			   const struct conf_link *link, struct arena *arena, struct err *err);

/*
 * Only the position and the state, with no new snapshot, against `newest_id` set before.
 */
MUST_USE bool standing_follow(struct standing *standing, const struct site *site,
			      struct arena *arena, struct err *err);

#endif
