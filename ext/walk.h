/*
 * walk.h - where apply stands in a target transaction.
 *
 * Plain memory of the transaction: nothing here is lent by the server, so it survives between the
 * calls that carry one target transaction, and a rolled-back subtransaction cannot make it dangle.
 */
#ifndef ELVIS_EXT_WALK_H
#define ELVIS_EXT_WALK_H

#include "lib/stringinfo.h"
#include "storage/itemptr.h"

#include <elvis/conflict.h>

#include "frame.h"
#include "position.h"

/* A point between two records; copied, so that a piece can be walked again. */
typedef struct WalkPoint {
	struct elvis_bytes rest;	/* of the frame */
	bool in_transaction;		/* between BEGIN and COMMIT */
	bool has_context;
	struct frame_begin begin;	/* of the source transaction */
	struct frame_context context;
	uint64 ordinal;			/* of the next change */
	uint64 changes;			/* taken from the frame so far */
	int n_rechecks;
} WalkPoint;

enum walk_state {
	WALK_ON = 0,
	WALK_DONE = 'd',
	WALK_ASK = 'a',
	WALK_STOP = 's',
	WALK_RETRY = 'r',
};

/* A row whose deferrable key is looked at when its source transaction ends. */
typedef struct Recheck {
	Oid relid, index;
	Oid file;			/* that the row is in */
	ItemPointerData tid;
	uint64 version, ordinal;	/* whose change it was */
	uint8 operation;
} Recheck;

/* The daemon's answer to what was asked. */
typedef struct WalkAnswer {
	bool given;
	uint8 action;
	char *policy, *reason;
	struct elvis_bytes row;		/* for merge: columns in text form */
} WalkAnswer;

/* What the server raised about one change, found in careful mode. */
typedef struct WalkFailure {
	uint8 kind;			/* 0: nothing */
	char sqlstate[6];
	char *message;
} WalkFailure;

typedef struct Walk {
	MemoryContext context;
	MemoryContext frame_context;	/* of the records' copy and what was asked about them */
	uint8 *records;			/* that copy, where there is one */
	size_t gathered, room;		/* bytes in it, and that it has room for */
	int nest_level;
	struct frame_head first, head;	/* of the first frame, and of the one under way */
	bool started;			/* and so: */
	Position position;		/* of the link, its row locked */
	uint32 node;			/* this node's number, 0 when it has none */
	WalkPoint point;
	enum walk_state state;
	uint8 operation;		/* of the change under way */
	bool stored;			/* the position is: nothing may follow */

	/* careful mode */
	uint64 limit;			/* changes in a piece */
	uint64 trouble_until;		/* trouble is not beyond so many changes */
	bool careful;
	WalkFailure failure;
	int attempts;			/* at the change under way */

	/* asking */
	uint8 asked;			/* kind */
	int answers;			/* given for the change under way */
	WalkAnswer answer_to[ELVIS_CONFLICT_KIND_END];
	StringInfoData conflict;	/* told with the state */

	Recheck *rechecks;
	int n_recheck_room;
	int rechecking;			/* which is being looked at; -1: none */
} Walk;

/* The walk of this transaction, or NULL. */
Walk *walk_current(void);

/* A walk begins in the current transaction, from the position that the frame expects; that it is
 * the link's is found when there is something to work on. */
Walk *walk_begin(const struct frame_head *head);

/*
 * The walk takes the rest of a frame.  True: it is to be worked on, together with those before it
 * that said MORE; an ALONE frame's bytes have to last until then, others are copied.
 */
bool walk_take(Walk *walk, const struct frame_head *head, struct elvis_bytes records);

/* Walks on, as far as it goes; walk->state tells where that is. */
void walk_on(Walk *walk);

void walk_init(void);

/* Forgets what was answered about the change under way. */
void walk_forget_answers(Walk *walk);

#endif
