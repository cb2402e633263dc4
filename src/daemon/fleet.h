/*
 * All that one configuration makes run: a station for each source, a wire for each link.
 *
 * A fleet is made and checked beside the one that runs; only then does that one end and this one
 * start, so a bad configuration changes nothing.  On the main thread.
 */
#ifndef DAEMON_FLEET_H
#define DAEMON_FLEET_H

#include "base/attr.h"
#include "base/err.h"
#include "conf/conf.h"
#include "plugin/breadcrumb.h"
#include "plugin/loader.h"

struct fleet;

/* Directories searched before those of the configuration */
struct plugin_dirs {
	struct conf_strings policies, sinks;
};

/* The configuration is referenced; `crumbs` must outlive the fleet. */
MUST_USE bool fleet_new(struct fleet **fleet, const struct conf *conf,
			const struct plugin_dirs *dirs, struct breadcrumbs *crumbs,
			struct err *err);
void fleet_free(struct fleet *fleet);	/* ends it first where it runs; NULL is fine */

const struct conf *fleet_conf(const struct fleet *fleet);
struct plugin_set *fleet_plugins(const struct fleet *fleet);

MUST_USE bool fleet_start(struct fleet *fleet, struct err *err);

/* Once a second or so */
void fleet_tick(struct fleet *fleet);

/*
 * Every link ends at its next boundary; what has not reached one after `grace_ms` is cut off, and
 * done again by whoever comes next.
 */
void fleet_end(struct fleet *fleet, int grace_ms);

#endif
