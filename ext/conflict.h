/*
 * conflict.h - a change that does not fit: what is known of it, told and recorded.
 */
#ifndef ELVIS_EXT_CONFLICT_H
#define ELVIS_EXT_CONFLICT_H

#include <elvis/conflict.h>

#include "call.h"

/* The change under way. */
typedef struct Change {
	uint8 operation;		/* enum elvis_operation; 0: a gap */
	Target *target;
	struct frame_value *before;	/* NULL: an INSERT, a TRUNCATE, a gap */
	struct frame_value *after;	/* NULL: a DELETE, a TRUNCATE, a gap */
} Change;

/* A local row in the way on another unique key. */
typedef struct Blocker {
	char *index;
	TupleTableSlot *row;
} Blocker;

#define BLOCKERS_MAX 32

typedef struct Conflict {
	uint8 kind;			/* enum elvis_conflict_kind */
	const Change *change;
	OpenTable *table;		/* NULL: not open, so there are no local rows */
	TupleTableSlot *local;		/* the row met, NULL: none */
	bool whole;			/* all of the source's row is to be written */
	int n_blockers;
	Blocker *blockers;		/* made with the first; every change has a Conflict */
	const char *sqlstate, *message;	/* NULL unless the server raised something */
} Conflict;

/* One row's values as text, by the source's columns. */
typedef struct TextValue {
	uint8 head;			/* enum elvis_column_head */
	char *text;			/* for ELVIS_COLUMN_BYTES */
} TextValue;

/* The rows of a conflict as text, in the current memory context; NULL: no such row. */
TextValue *conflict_before(const Conflict *conflict);
TextValue *conflict_remote(const Conflict *conflict);
TextValue *conflict_row(const Target *target, OpenTable *table, TupleTableSlot *slot);

/* The conflict in record.h's form, appended to `out`. */
void conflict_tell(const Conflict *conflict, Walk *walk, StringInfo out);

/* ---- resolutions (resolution.c) ---- */

/* What was done about it and who said so. */
typedef struct Verdict {
	uint8 action;			/* enum elvis_verdict_action */
	const char *policy;
	const char *reason;		/* may be NULL */
} Verdict;

/*
 * A row of elvis.resolution, which goes in with others of the call; `written`: the row as it is
 * here now, NULL when not written.
 */
void resolution_record(ApplyCall *call, const Conflict *conflict, const Verdict *verdict,
		       const TextValue *written);

/* Those that wait go in, and the table is closed; its lock is kept. */
void resolution_close(ApplyCall *call);

/* Names as in SQL. */
const char *conflict_kind_name(uint8 kind);
const char *verdict_action_name(uint8 action);

/* ---- settling (settle.c) ---- */

enum settled {
	SETTLED,	/* the change is done with */
	LOOK_AGAIN,	/* the row has changed meanwhile */
	SUSPENDED,	/* the walk stands: walk->state says why */
};

/* Answers the conflict as the table's rules or the daemon say, or suspends the walk to ask. */
enum settled conflict_settle(ApplyCall *call, Conflict *conflict);

/* Suspends the walk at this conflict. */
enum settled conflict_suspend(ApplyCall *call, const Conflict *conflict, enum walk_state state);

/*
 * The change against the local row in the order that its table's policy names: > 0 when the
 * change's row is greater, 0 when they are the same row.
 */
int conflict_order(const Change *change, OpenTable *table, TupleTableSlot *local, int column);

/* ---- changes (change.c) ---- */

/* Carries out the change; false when the walk is suspended at it. */
bool change_apply(ApplyCall *call, const Change *change);

/* Other rows that the new row in `slot` meets; `self`: the row it replaces, or NULL. */
void change_find_blockers(ApplyCall *call, OpenTable *table, TupleTableSlot *slot,
			  ItemPointer self, Conflict *conflict);

#endif
