/*
 * A source node in the daemon: one thread that has snapshots taken, keeps the source's books and
 * tells the links, and one session from which all of them read.
 */
#ifndef DAEMON_STATION_H
#define DAEMON_STATION_H

#include "base/attr.h"
#include "base/err.h"
#include "conf/conf.h"
#include "engine/cache.h"
#include "engine/mailbox.h"
#include "model/source.h"

struct station;

/* `conf` must outlive it.  Connects to nothing yet. */
FRESH struct station *station_new(const struct conf *conf, const struct conf_node *node,
				  int stop_fd);
void station_free(struct station *station);	/* its thread has ended; NULL is fine */

const struct conf_node *station_node(const struct station *station);
struct mailbox *station_mailbox(struct station *station);
struct cache *station_cache(struct station *station);

/* A further session with the source, not connected yet; the caller's, to source_free() */
FRESH struct source *station_reader(const struct station *station);

MUST_USE bool station_start(struct station *station, struct err *err);

/* Ends the thread and waits for it; without one, nothing. */
void station_end(struct station *station);

#endif
