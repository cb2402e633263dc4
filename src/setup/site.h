/*
 * The databases of a configuration, asked: a session and an inventory of each node, and the
 * tables of all of them put together for the topology.
 */
#ifndef SETUP_SITE_H
#define SETUP_SITE_H

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "conf/conf.h"
#include "conf/topology.h"
#include "pg/conn.h"
#include "setup/inventory.h"

struct site_node {
	const struct conf_node *node;
	struct conn *conn;		/* NULL: could not be asked; then `err` says why */
	struct inventory inventory;
	struct err err;
};

struct site {
	const struct conf *conf;
	struct arena *arena;		/* the inventories'; its own */
	struct site_node *nodes;	/* as conf->nodes */
	const struct topology_table *tables;	/* by schema and name */
	size_t n_tables;
};

/*
 * Asks every node, going on past those that do not answer: see `conn` and `err` of each.  It
 * holds a reference to the configuration.  `application` is for pg_stat_activity.
 */
MUST_USE struct site *site_open(const struct conf *conf, const char *application);

/* The same for whoever cannot wait as long: `how` without its conninfo. */
MUST_USE struct site *site_open_with(const struct conf *conf, const struct conn_options *how);
void site_close(struct site *site);	/* NULL is fine */

/* The error of the first node that could not be asked, ERR_RETRY mostly. */
MUST_USE bool site_complete(const struct site *site, struct err *err);

MUST_USE struct site_node *site_node(const struct site *site, const struct conf_node *node);

/*
 * The numbers and names that two databases have as nodes already, for a configuration made of
 * arguments.  A database that is none, or has no extension, leaves its fields as they are.
 */
MUST_USE bool site_identify(struct conf_arguments *arguments, struct arena *arena,
			    const char *application, struct err *err);

#endif
