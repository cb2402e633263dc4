/*
 * What a configuration means for each table: who writes it, how changes travel, and what cannot
 * go well.  Pure: what the databases hold and how far policies converge is handed in.
 *
 * Roles.  Draw the links that carry a table as arrows between nodes.  Where arrows only leave,
 * the table is a *master* (captured); where they only arrive, a *replica* (users are refused);
 * where they arrive and leave, it is a *relay* (captured, users are refused) unless the node
 * lies on a circle of arrows: then it is written on several nodes and is a *master* on each.
 * A sink that is no node counts as an arrow that leaves.
 *
 * Ways.  A link X -> Y sends nothing that was first written at Y or that reached X from Y, and
 * with forward = "local" only what was first written at X.  What is left must reach every node
 * by one link only for each table and node of origin: the server refuses the second
 * (elvis.route).  Two links between the same nodes with tables of their own are fine.
 */
#ifndef CONF_TOPOLOGY_H
#define CONF_TOPOLOGY_H

#include <elvis/policy.h>

#include "base/attr.h"
#include "base/err.h"
#include "conf/conf.h"

enum topology_presence {
	TABLE_UNKNOWN = 0,	/* the node could not be asked */
	TABLE_ABSENT,
	TABLE_PRESENT,
	TABLE_KEYLESS,		/* present, without a primary key */
};

struct topology_table {
	const char *schema, *name;
	const enum topology_presence *on;	/* by the node's place in conf->nodes */
	const struct conf_strings *columns;	/* likewise; NULL: not known */
};

enum topology_role {
	ROLE_NONE = 0,	/* no link carries it here */
	ROLE_MASTER,
	ROLE_REPLICA,
	ROLE_RELAY,
};

enum topology_severity {
	TOPOLOGY_WARNING,
	TOPOLOGY_ERROR,		/* must not be set up so */
	TOPOLOGY_DANGER,	/* nor be run: nodes would differ, or changes come twice */
};

struct topology_finding {
	enum topology_severity severity;
	const char *text;	/* one sentence: what, where, remedy */
	const char *file;	/* NULL: no one place */
	int line;
};

struct topology {
	const struct conf *conf;
	const struct topology_table *tables;
	size_t n_tables;
	const struct topology_finding *findings;
	size_t n_findings;
	struct arena *arena;	/* its own */
	enum topology_role *roles;
};

/* How far a policy converges at its place in the chain, as its plugin says; false when it could
 * not be loaded. */
typedef bool topology_converges(void *context, const struct conf_chain *chain, size_t place,
				enum elvis_convergence *converges);

/* `conf` and `tables` must outlive it. */
MUST_USE struct topology *topology_new(const struct conf *conf,
				       const struct topology_table *tables, size_t n_tables,
				       topology_converges *converges, void *context);
void topology_free(struct topology *topology);	/* NULL is fine */

/* Numbers are places in conf->nodes and in `tables`. */
MUST_USE enum topology_role topology_role(const struct topology *topology, size_t node,
					  size_t table);

/* How many findings are that bad or worse */
MUST_USE size_t topology_count(const struct topology *topology,
			       enum topology_severity severity);

/* No finding is that bad; else ERR_CONFIG with the first, its file and line. */
MUST_USE bool topology_sound(const struct topology *topology, enum topology_severity severity,
			     struct err *err);

/* "warning" or "error", the word before a finding */
MUST_USE const char *severity_name(enum topology_severity severity);

/* "master", "replica", "relay", "-" */
MUST_USE const char *role_name(enum topology_role role);

#endif
