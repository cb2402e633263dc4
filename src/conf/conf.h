/*
 * elvis.conf, read, checked and never changed again.
 *
 * A configuration is one object: everything in it lives as long as somebody holds a reference,
 * and may be read by any thread.  What it says about plugins is kept as the user wrote it
 * (struct setting_list): only the plugin knows what its options mean.
 *
 * Every failure is ERR_CONFIG with a text that begins "file:line: ".
 */
#ifndef CONF_CONF_H
#define CONF_CONF_H

#include <elvis/conflict.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/uuid.h"
#include "conf/option.h"
#include "conf/pattern.h"
#include "model/setting.h"

struct conf_node {
	const char *name;
	uint32_t id;		/* 1 or more */
	const char *conninfo;	/* as libpq takes it; never to be logged: it may hold a password */
	int32_t priority;
	const char *file;	/* where it was said; "command line" when it was said there */
	int line;		/* 0: unknown */
};

/* A policy or a sink and what the user set for it */
struct conf_plugin {
	const char *use;	/* name, or a path when it has a slash */
	struct setting_list settings;
	const char *file;
	int line;
};

/* Policies in the order in which they are asked; `strict` is asked after the last of them. */
struct conf_chain {
	const struct conf_plugin *policies;
	size_t n_policies;
};

enum conf_detect {
	CONF_DETECT_BEFORE_IMAGE = 0,
	CONF_DETECT_CHANGED_COLUMNS,
	CONF_DETECT_KEY,
};

enum conf_gap {
	CONF_GAP_STOP = 0,	/* a write that no trigger saw stops the link */
	CONF_GAP_IGNORE,
};

/* What holds for the tables that match and that no earlier rule of the link has matched. */
struct conf_rule {
	const struct pattern *patterns;	/* any of them */
	size_t n_patterns;
	bool exclude;			/* these tables do not belong to the link */
	struct conf_chain chain;	/* at least one policy: strict when none was named */
	struct conf_chain on[ELVIS_CONFLICT_KIND_END];	/* by kind; empty: `chain` counts */
	enum conf_detect detect;
	enum conf_gap gap;
	struct conf_strings ignore_columns;	/* detection leaves them out */
	const char *key;		/* a unique index to be the key; NULL: the primary key */
	int64_t capture_unchanged;	/* bytes; -1: the server's default */
	const char *file;
	int line;
};

enum conf_forward {
	CONF_FORWARD_ALL = 0,	/* also what reached the source by a link */
	CONF_FORWARD_LOCAL,	/* only what was first written at the source */
};

enum conf_granularity {
	CONF_GRANULARITY_BATCH = 0,
	CONF_GRANULARITY_TRANSACTION,	/* a target transaction for each source transaction */
};

struct conf_link {
	const char *name;
	char uuid[UUID_TEXT_SIZE];	/* given, or derived from the two ends */
	const struct conf_node *from;
	const struct conf_node *to;	/* NULL: `sink` is used */
	struct conf_plugin sink;	/* use = "postgres" when `to` is there */
	enum conf_forward forward;
	enum conf_granularity granularity;
	int64_t target_bytes;		/* the link's own or the daemon's */
	const struct conf_rule *rules;	/* the first that matches counts */
	size_t n_rules;
	const char *file;
	int line;
};

struct conf {
	const struct conf_node *nodes;
	size_t n_nodes;
	const struct conf_link *links;
	size_t n_links;
	struct conf_settings settings;
	struct conf_strings files;	/* read to make it, the main one first */
	const char *origin;		/* the main file, or "command line" */
	struct conf_life *life;		/* who holds it: conf.c's own */
};

/* The caller holds the one reference.  NULL: see err. */
MUST_USE const struct conf *conf_load(const char *path, struct err *err);

/* A configuration of one link, "source_target", without a file: --from, --to ... */
struct conf_arguments {
	const char *from, *to;		/* conninfo */
	uint32_t from_id, to_id;	/* what the databases say they are; 0: not set up yet */
	const char *from_name, *to_name;	/* likewise; NULL: "source", "target" */
	struct conf_strings tables;	/* patterns; none: every table of every schema */
	struct conf_strings policies;	/* a chain; none: strict */
	struct conf_strings policy_dirs;
	struct conf_strings sink_dirs;
};

MUST_USE const struct conf *conf_from_arguments(const struct conf_arguments *arguments,
						struct err *err);

/* Any thread.  The last conf_unref frees; NULL is fine. */
const struct conf *conf_ref(const struct conf *conf);
void conf_unref(const struct conf *conf);

/* NULL: there is none of that name. */
MUST_USE const struct conf_node *conf_node(const struct conf *conf, const char *name);
MUST_USE const struct conf_link *conf_link(const struct conf *conf, const char *name);

/* The rule for a table, NULL when the table does not belong to the link. */
MUST_USE const struct conf_rule *conf_link_rule(const struct conf_link *link,
						const char *schema, const char *table);

/* The chain a rule has for a kind of conflict. */
MUST_USE const struct conf_chain *conf_rule_chain(const struct conf_rule *rule,
						  enum elvis_conflict_kind kind);

/*
 * May a running daemon change over to `after`?  False: an option that takes a restart differs;
 * err names it.
 */
MUST_USE bool conf_reloadable(const struct conf *before, const struct conf *after,
			      struct err *err);

#endif
