/*
 * Filling one table after the other at the target of a link, from one snapshot of its source.
 */
#ifndef SETUP_FILL_H
#define SETUP_FILL_H

#include "base/attr.h"
#include "base/err.h"
#include "conf/conf.h"
#include "setup/inventory.h"
#include "setup/pump.h"

struct fill_job {
	const struct conf_link *link;
	const char *copied;	/* the snapshot, as pg_snapshot is written */
	const char *exported;	/* and the name under which a transaction of the source exports it */
	int64_t until_id;	/* of a snapshot in elvis.snapshots() taken after it */
	const char *locked;	/* the tables that come in parts, as split_tables() lists them */
};

struct fill;

/*
 * Opens sessions at both ends, the one at the source in the snapshot.  They give up when `stop_fd`
 * is readable (-1: never).  The job must outlive it.
 */
MUST_USE bool fill_open(struct fill **fill, const struct fill_job *job, int stop_fd,
			struct err *err);
void fill_close(struct fill *fill);	/* NULL is fine */

/*
 * In a transaction of its own, which also records the snapshot for the table.  ERR_CONFIG: it has
 * rows.  The listener hears about ten times a second, and at the end, how many bytes it has been.
 */
MUST_USE bool fill_table(struct fill *fill, const struct inventory_table *from,
			 const struct inventory_table *to, pump_listener *listener,
			 void *context, struct err *err);

/*
 * Of a table that comes in parts, each is a transaction, and the last of them makes the table one
 * that is there.  Before the first, fill_expect() says so at the target, by a session with it.
 */
MUST_USE bool fill_expect(const struct fill_job *job, struct conn *target,
			  const struct inventory_table *to, size_t parts, struct arena *arena,
			  struct err *err);
MUST_USE bool fill_part(struct fill *fill, const struct inventory_table *from,
			const struct inventory_table *to, struct pump_pages pages,
			pump_listener *listener, void *context, struct err *err);

#endif
