/*
 * One link of the configuration, made: its sink opened out of its plugin, its policies found for
 * each table, and the engine's link between them.
 */
#ifndef DAEMON_WIRE_H
#define DAEMON_WIRE_H

#include "base/attr.h"
#include "base/err.h"
#include "conf/conf.h"
#include "daemon/station.h"
#include "engine/link.h"
#include "plugin/breadcrumb.h"
#include "plugin/loader.h"

struct wire;

/*
 * Makes and checks everything that can be checked without a database: plugins, their settings.
 * Nothing works yet.  `conf`, `station`, `plugins` and `crumbs` must outlive it.  ERR_CONFIG, with
 * file and line.
 */
MUST_USE bool wire_new(struct wire **wire, const struct conf *conf, const struct conf_link *link,
		       struct station *station, struct plugin_set *plugins,
		       struct breadcrumbs *crumbs, int stop_fd, struct err *err);
void wire_free(struct wire *wire);	/* its thread has ended; NULL is fine */

/* Starts the link's thread. */
MUST_USE bool wire_start(struct wire *wire, struct err *err);

/* To be called now and then: what an earlier run has left of this link is forgotten once the
 * source knows that the link is stopped for it. */
void wire_tick(struct wire *wire);

/* The link is to end at its next boundary; any thread. */
void wire_finish(struct wire *wire);

/* Waits for the thread until then (clock_wall_us(); 0: for good).  False: it still works. */
bool wire_ended(struct wire *wire, int64_t until);

#endif
