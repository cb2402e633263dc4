/*
 * position.h - how far a link has delivered, kept in the transaction that delivers.
 */
#ifndef ELVIS_EXT_POSITION_H
#define ELVIS_EXT_POSITION_H

#include "storage/itemptr.h"
#include "utils/timestamp.h"
#include "utils/uuid.h"

#include <elvis/change.h>

/* A link's row of elvis.position, locked by this transaction. */
typedef struct Position {
	pg_uuid_t link;
	ItemPointerData tid;
	uint32 source;
	struct elvis_position at;
	int n_skips;		/* changes that the operator has named to be passed */
	struct named_skip {
		int64 seq;
		uint64 ordinal;
		bool passed;	/* by this walk */
	} *skips;
	int n_copied;		/* tables that joined by a copy */
	struct copied_table {
		ItemPointerData tid;
		Oid relid;
		Datum snapshot;	/* pg_snapshot */
		bool has_until;
		int64 until_id;
		bool unfinished;	/* some of its rows are there */
	} *copied;
} Position;

void position_init(void);

/* The link that this session has opened; an error when it has opened none. */
const pg_uuid_t *position_link(void);

/* What the link is called, or NULL when it has no position here. */
char *position_name(const pg_uuid_t *link);

/*
 * Locks the row of the session's link and reads it; EL010 unless it stands at `expected`.  What it
 * points to is in the current memory context.
 */
void position_lock(const struct elvis_position *expected, bool behind, Position *position);

/* Moves the locked row to `next`; changes passed on the operator's word are forgotten. */
void position_store(Position *position, const struct elvis_position *next, int64 source_at);

/* What the transaction has stored was rolled back with its savepoint. */
void position_not_stored(void);

/*
 * Is the source transaction `xid` in the copy that the table began with?  An error while that is
 * not finished.
 */
bool position_has_copied(const Position *position, Oid relid, uint64 xid);

#endif
