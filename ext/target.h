/*
 * target.h - what a session knows about the tables it applies to.
 *
 * A Target is one version of a source's table, learnt from its TABLE record: columns, key, rules.
 * A TargetMap says how that lies on a table of this database: which column is which, where the key
 * is.  Both are facts and nothing else: no relation is open, no lock is held.  A map is made anew
 * after anything about the local table has changed (map.c).
 */
#ifndef ELVIS_EXT_TARGET_H
#define ELVIS_EXT_TARGET_H

#include "access/skey.h"
#include "utils/acl.h"
#include "utils/rel.h"

#include <elvis/conflict.h>

#include "frame.h"
#include "value.h"

/* A column as the source has it. */
typedef struct TargetColumn {
	char *name, *type;
	uint8 form;
	bool generated;
	bool ignored;		/* detection leaves it out */
	Oid type_oid;		/* built in, or 0 */
	ValueCodec *source;	/* of that type; NULL until it is needed */
} TargetColumn;

/* What to do about a kind of conflict. */
typedef struct TargetRule {
	uint8 rule;		/* enum elvis_answer_rule */
	uint8 verdict;
	int column;		/* for ELVIS_ANSWER_GREATER_WINS */
	const char *policy;	/* whose rule it is; of all the chain, when it is to be asked */
} TargetRule;

/* The local column that a column of the source goes to. */
typedef struct LocalColumn {
	AttrNumber attnum;	/* 0: there is none */
	bool generated;
	bool own_form;		/* values arrive in this column's own type's form */
	ValueCodec codec;
} LocalColumn;

/* What does not depend on who applies it: a table here. */
typedef struct LocalTable {
	Oid relid;
	uint64 changes;		/* how many it has seen (map.c) */
	struct OpenTable *open;	/* of the call that runs; it may be open for one version only */
} LocalTable;

/* Whose changes to a local table are known to be this link's to bring (route.c). */
#define ROUTES_MAX 8

typedef struct TargetRoutes {
	uint64 seen;		/* how often elvis.route had changed */
	int n;
	uint32 origins[ROUTES_MAX];
} TargetRoutes;

typedef struct TargetMap {
	struct TargetMap *next;
	Oid relid;
	LocalTable *local;
	uint64 seen;		/* how many there had been */
	MemoryContext context;	/* of the map */
	TupleDesc shape;	/* for slots: nobody counts who uses it */
	AclMode rights;		/* what has been found of those of ... */
	Oid rights_of;
	TargetRoutes routes;
	Oid owner;
	bool partitioned;	/* the root of partitions: holds no rows itself */
	bool relay;		/* what is applied here is captured again */
	bool fires_triggers;	/* row triggers of users fire under replica role */
	bool has_generated;
	bool has_checks;	/* besides NOT NULL */
	bool has_types;		/* that are not the server's own */
	bool has_code;		/* of its owner's, perhaps, that runs when rows are written */
	bool deferrable;	/* has keys that are looked at when a source transaction ends */
	bool misses_columns;	/* columns of the source are not here */
	bool lacks_columns;	/* columns here that the source has not: defaults */
	int n_not_null;
	AttrNumber *not_null;
	LocalColumn *columns;	/* by the source's column number */
	Oid key_index;		/* InvalidOid: no usable index on the key's columns */
	int *key;		/* the source's column for each column of that index */
	ScanKeyData *scan_key;
	List *unique;		/* numbers of unique indexes that are enforced at once */
} TargetMap;

struct OpenTable;

typedef struct Target {
	uint64 version;
	struct OpenTable *open;	/* of the call that runs */
	MemoryContext context;
	char *schema, *name;
	int n_columns;
	TargetColumn *columns;
	int *by_name;		/* column numbers in the order of their names */
	int n_key;
	int *key;
	uint8 detect;		/* enum elvis_detect */
	TargetRule rules[ELVIS_CONFLICT_KIND_END];
	TargetMap *maps;
	Oid found;		/* the table that bore the name last */
	Oid found_by;		/* who was let see it */
	int doubtful;		/* so many more INSERTs are looked up before they are tried */
} Target;

/* Forgets all targets: versions are numbers of one source. */
void target_forget_all(void);

/* The target of that version, or NULL when its TABLE record has not come. */
Target *target_find(uint64 version);

/* Learns from a TABLE record, in place of what was known of that version; EL004 when it is bad.
 * The target must not be open. */
Target *target_learn(struct elvis_bytes payload);

/* The version that a TABLE record is about; EL004. */
uint64 target_version_of(struct elvis_bytes payload);

/* ---- map.c ---- */

/* How the target lies on this relation, which is open and locked. */
TargetMap *target_map(Target *target, Relation relation);

/* The same if it is known and nothing has changed since; else NULL. */
TargetMap *target_known_map(const Target *target, Oid relid);

void map_init(void);

/* ---- target.c ---- */

/* The codec of the type that the source's values have; an error when there is none here. */
ValueCodec *target_source_codec(Target *target, int column);

/* The value for a local column, decoded; errors are the type's or EL004. */
Datum target_decode(Target *target, TargetMap *map, int column,
		    const struct frame_value *value);

/* A value that came in, as text, whether or not a local column would take it. */
char *target_text(Target *target, int column, const struct frame_value *value);

_Noreturn void damaged_frame(const char *what);

#endif
