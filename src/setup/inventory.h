/*
 * What one database holds of elvis' matters: who it is, its tables, where links stand.
 *
 * Read by SQL in one go, so that whoever compares it with the configuration compares with one
 * state.  Everything lives in the arena given.
 */
#ifndef SETUP_INVENTORY_H
#define SETUP_INVENTORY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/uuid.h"
#include "conf/conf.h"
#include "pg/conn.h"

struct inventory_table {
	uint32_t oid;
	const char *schema, *name;
	bool partitioned;		/* the root stands for all its partitions */
	bool keyed;			/* has a primary key */
	const char *role;		/* NULL: not attached */
	const char *key;		/* NULL: the primary key */
	int32_t capture_unchanged;	/* -1: the server's default */
	int64_t pages;			/* as the server last counted them, partitions together */
	bool armed;			/* not attached, or all triggers of its role are in force */
	struct conf_strings columns;	/* those that hold values of their own, by number */
};

/* A link whose source is here */
struct inventory_subscriber {
	const char *uuid, *name, *target;
	const char *state, *reason;	/* reason NULL: none */
	int64_t confirmed_id;
};

/* A link whose target is here */
struct inventory_position {
	const char *uuid, *name;
	int32_t source;
	int64_t incarnation;
	int64_t from_id, from_token, to_id, seq;
	int64_t at;			/* us since 1970; 0: nothing delivered yet */
};

struct inventory {
	bool installed;			/* CREATE EXTENSION has been done */
	bool available;			/* and could be */
	uint32_t id;			/* 0: not set up as a node */
	const char *name;
	int32_t priority;
	int64_t incarnation;
	bool genuine;
	const char *detail;		/* why not genuine */
	const struct inventory_table *tables;	/* by schema and name */
	size_t n_tables;
	const struct inventory_subscriber *subscribers;
	size_t n_subscribers;
	const struct inventory_position *positions;
	size_t n_positions;
};

/* One of several databases to be asked at the same time */
struct inquiry {
	struct conn *conn;
	struct inventory *inventory;
	struct err *err;
	bool done;			/* else `err` says why not */
	bool asked;			/* an answer is under way */
};

void inventory_read(struct inquiry *inquiries, size_t n, struct arena *arena);

/* NULL: there is none. */
MUST_USE const struct inventory_table *inventory_table(const struct inventory *inventory,
						       const char *schema, const char *name);
MUST_USE const struct inventory_subscriber *
inventory_subscriber(const struct inventory *inventory, const char *uuid);
MUST_USE const struct inventory_position *
inventory_position(const struct inventory *inventory, const char *uuid);

/* "schema"."name" as SQL takes it */
MUST_USE const char *table_sql(struct arena *arena, const char *schema, const char *name);

/* An identifier in double quotes, a string in single ones */
MUST_USE const char *quote_name(struct arena *arena, const char *name);
MUST_USE const char *quote_text(struct arena *arena, const char *text);

#endif
