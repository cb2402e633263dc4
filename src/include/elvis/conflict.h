/*
 * conflict.h - a change that does not fit the row it meets, and what may be done about it.
 */
#ifndef ELVIS_CONFLICT_H
#define ELVIS_CONFLICT_H

#include <elvis/change.h>

/* Every kind of conflict, once: constant, name in SQL and configuration, meaning. */
#define ELVIS_CONFLICT_KINDS(X) \
	X(INSERT_EXISTS, "insert_exists", "the row to insert is already there") \
	X(UPDATE_EXISTS, "update_exists", \
	  "the updated row would meet another row on a unique key") \
	X(MULTIPLE_UNIQUE_CONFLICTS, "multiple_unique_conflicts", \
	  "the new row meets more than one row on its unique keys") \
	X(UPDATE_MISSING, "update_missing", "the row to update is not there") \
	X(UPDATE_DIFFERS, "update_differs", \
	  "the row to update does not look as it did before the change") \
	X(DELETE_MISSING, "delete_missing", "the row to delete is not there") \
	X(DELETE_DIFFERS, "delete_differs", \
	  "the row to delete does not look as it did before the change") \
	X(CONSTRAINT_VIOLATION, "constraint_violation", \
	  "a constraint of the table refuses the row") \
	X(TYPE_ERROR, "type_error", "a column's type refuses the value") \
	X(TARGET_TABLE_MISSING, "target_table_missing", "the table does not exist here") \
	X(TARGET_COLUMN_MISSING, "target_column_missing", \
	  "a column of the change does not exist here") \
	X(POLICY_ERROR, "policy_error", "the policy failed or gave a verdict it must not give") \
	X(GAP, "gap", \
	  "the table was written where no trigger sees it; never asked, passed if told beforehand")

enum elvis_conflict_kind {
	ELVIS_CONFLICT_NONE = 0,
#define X(id, name, text) ELVIS_##id,
	ELVIS_CONFLICT_KINDS(X)
#undef X
	ELVIS_CONFLICT_KIND_END	/* grows; never store it in a plugin's array size */
};

/* For struct elvis_policy.kinds: ELVIS_ON(INSERT_EXISTS) | ELVIS_ON(UPDATE_DIFFERS) */
#define ELVIS_ON(kind) (UINT64_C(1) << ELVIS_##kind)

/* Every verdict, once: constant, name in SQL and logs, meaning. */
#define ELVIS_VERDICTS(X) \
	X(APPLY_REMOTE, "apply_remote", "do the incoming change") \
	X(KEEP_LOCAL, "keep_local", "leave the local row as it is") \
	X(MERGE, "merge", "write the row the policy built") \
	X(INSERT_REMOTE, "insert_remote", "insert the incoming row, which is missing here") \
	X(DELETE_LOCAL, "delete_local", "delete the local row") \
	X(REPLACE_BLOCKERS, "replace_blockers", \
	  "delete the rows in the way on other unique keys, then do the change") \
	X(RETRY, "retry", "roll the batch back and try again after a wait") \
	X(STOP, "stop", "stop the link at this change; an operator decides")

enum elvis_verdict_action {
	ELVIS_ABSTAIN = 0,	/* the next policy of the chain is asked; the last is strict */
#define X(id, name, text) ELVIS_##id,
	ELVIS_VERDICTS(X)
#undef X
	ELVIS_VERDICT_END
};

/* How the time of a side is known. */
enum elvis_time_source {
	ELVIS_TIME_UNKNOWN = 0,	/* `at` means nothing */
	ELVIS_TIME_CAPTURE,	/* the clock of the origin when the change was captured */
	ELVIS_TIME_ROW_CLOCK,	/* elvis' hybrid row clock */
};

/* One version of the row. */
struct elvis_side {
	const struct elvis_value *values;	/* table->n_columns of them */
	uint32_t origin;	/* node that wrote it; 0: unknown */
	int32_t priority;	/* that node's, 0 unless configured */
	uint32_t time_source;	/* enum elvis_time_source */
	int64_t at;		/* us since 1970-01-01 UTC, when time_source says it is known */
	uint64_t xid;		/* at its origin; 0: unknown */
	int64_t seq;		/* 0: unknown */
};

/* A local row in the way on a unique key other than the change's own. */
struct elvis_blocker {
	const char *index;	/* name of the unique index */
	const struct elvis_side *row;
};

/* All that is known about one conflict.  The local rows are locked while a policy thinks. */
struct elvis_conflict {
	uint32_t kind;		/* enum elvis_conflict_kind */
	uint32_t operation;	/* enum elvis_operation of the incoming change */
	const struct elvis_table *table;
	const struct elvis_value *before;	/* before image; NULL for an INSERT */
	const struct elvis_side *remote;	/* the incoming row; for a DELETE its values are
						 * all ELVIS_VALUE_NONE */
	const struct elvis_side *local;	/* the row met; NULL when there is none */
	size_t n_blockers;
	const struct elvis_blocker *const *blockers;
	const char *message;	/* what the server said, for violations and errors; else NULL */
	const char *sqlstate;	/* five characters, likewise */
	uint32_t attempt;	/* 1, then one more for each RETRY of this conflict */
	const char *link;
	int64_t seq;		/* the change's address, as in struct elvis_change */
	uint64_t ordinal;
};

/*
 * What is to be done.  Zeroed by the daemon before each question; memory that it points to comes
 * from host->alloc, or is the conflict's, or the plugin's for good; the policy frees none of it.
 */
struct elvis_verdict {
	uint32_t action;	/* enum elvis_verdict_action */
	const char *reason;	/* MAY be set: a few words for elvis.resolution */
	const struct elvis_value *row;	/* for ELVIS_MERGE: table->n_columns values;
					 * ELVIS_VALUE_NONE leaves the local value */
};

/*
 * A total order of versions that every node computes alike: time, then the priority of the node,
 * then its number, then its sequence number.  Unknown times compare below known ones.
 * Returns < 0, 0 or > 0.
 */
static inline int
elvis_side_cmp(const struct elvis_side *a, const struct elvis_side *b)
{
	bool a_known = a->time_source != ELVIS_TIME_UNKNOWN;
	bool b_known = b->time_source != ELVIS_TIME_UNKNOWN;

	if (a_known != b_known)
		return a_known ? 1 : -1;
	if (a_known && a->at != b->at)
		return a->at < b->at ? -1 : 1;
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	if (a->origin != b->origin)
		return a->origin < b->origin ? -1 : 1;
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	return 0;
}

/* The number of the table's column of that name, or -1. */
static inline int
elvis_column_number(const struct elvis_table *table, const char *name)
{
	for (size_t i = 0; i < table->n_columns; i++)
		if (strcmp(table->columns[i]->name, name) == 0)
			return (int) i;
	return -1;
}

#endif
