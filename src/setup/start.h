/*
 * How a link begins, and whether its tables hold rows.
 */
#ifndef SETUP_START_H
#define SETUP_START_H

#include "setup/site.h"

/* Where a link may start: a snapshot of its source */
struct start_point {
	int64_t id, token;
};

/* Enters the link at its source, which keeps its log from then on. */
MUST_USE bool start_subscribe(const struct site *site, const struct conf_link *link,
			      struct start_point *point, struct err *err);

/* Records the point at the target node; a sink that is no node starts where it subscribed. */
MUST_USE bool start_position(const struct site *site, const struct conf_link *link,
			     const struct start_point *point, struct err *err);

/* "running", "paused" or "stopped", for the daemon to hear of at once; reason NULL: none. */
MUST_USE bool start_set_state(const struct site *site, const struct conf_link *link,
			      const char *state, const char *reason, struct err *err);

/*
 * A table of the link with rows that forbid it to start from now: its name in `words`; NULL when
 * there is none.  Rows at the source would never be sent.  Rows at the target are in the way where
 * it is a replica or a relay; where it writes the table itself they are its own.
 */
MUST_USE bool start_forbidden(const struct site *site, const struct topology *topology,
			      const struct conf_link *link, struct arena *arena,
			      const char **words, struct err *err);

/* One table; asked in its own snapshot, in a session with that node. */
MUST_USE bool table_filled(struct conn *conn, const struct conf_node *node,
			   const struct inventory_table *table, struct arena *arena,
			   bool *filled, struct err *err);

#endif
