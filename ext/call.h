/*
 * call.h - what lives for one call of elvis.apply() at most: open tables and what is under way.
 *
 * Three lifetimes meet in apply.  The session keeps facts (target.h), the transaction keeps plain
 * memory (walk.h), and everything that the server lends us - relations, index scans, slots,
 * executor states - ends with the call, or with the piece of it that failed.
 */
#ifndef ELVIS_EXT_CALL_H
#define ELVIS_EXT_CALL_H

#include "access/genam.h"
#include "access/tableam.h"
#include "executor/execPartition.h"
#include "executor/executor.h"
#include "nodes/execnodes.h"

#include "compat.h"
#include "owner.h"
#include "route.h"
#include "target.h"
#include "walk.h"

/*
 * A table while a call works on it.  A call may open thousands, each for a row: what not every
 * row needs is made when one does, by the table_need functions and entries_need().
 */
typedef struct OpenTable {
	/* INSERTs that wait to go in together (write.c); first, because so often nothing else is
	 * looked at when one comes */
	const uint8 **queue;		/* where they lie in the frame */
	int n_queued, n_queue_room;
	bool queues;			/* the next may be put there unseen */
	bool claimed;			/* its changes are this link's, if they come from ... */
	uint32 claimed_origin;

	struct OpenTable *next;
	Target *target;
	TargetMap *map;
	struct OpenTable *root;		/* the partitioned table it was found through */
	Relation relation;
	ResultRelInfo *result;		/* no more than its indexes without ... */
	EState *estate;
	BlockNumber n_blocks;		/* at least; it shrinks under a stronger lock only */

	TupleTableSlot *found;		/* the row met; pins its page */
	TupleTableSlot *fresh;		/* the row to write */
	bool indexes_open;
	bool plain_indexes;		/* all of them (entries.c) */
	struct waiting_entries *waiting;	/* by index (waiting.c) */
	int n_waiting;
	Relation key_index;
	IndexScanDesc scan;		/* by key, under SnapshotSelf */
	ItemPointerData met;		/* where the last row was found */
	bool in_order;			/* and it stood next to the one before it */
	bool hot;			/* and this session had put it there */
	ExprState **defaults;		/* of columns the source has not; by attribute */
	bool volatile_defaults;		/* one of them is another at each look */

	PartitionTupleRouting *routing;	/* of a partitioned table */
	ModifyTableState *routing_state;
	struct OpenTable *leaves;
} OpenTable;

/* A scan of a btree has room for two pages of results, 27 kB: this many are kept open. */
#define CALL_SCANS_MAX 256

/* Rows of a table that go in together at most: enough that pages are filled at one go. */
#define CALL_INSERTS_MAX 256

typedef struct ApplyCall {
	Walk *walk;
	MemoryContext context;	/* of the piece under way: handles */
	MemoryContext row;	/* of the change under way */
	MemoryContext flush;	/* of what goes in (flush_begin) */
	MemoryContext waiting;	/* of index entries that wait, once there are any */
	OpenTable *tables;
	OpenTable *scanning[CALL_SCANS_MAX];	/* who have a scan */
	int next_scan;		/* the place of who had his first */
	Oid caller;
	struct before_owner caller_state;	/* while a table is entered */
	const TargetMap *entered;	/* the table whose owner we are, NULL: nobody's */
	bool careful;		/* look before inserting, one row at a time */
	bool drop_columns;	/* of the change under way, those that are missing here */
	bool context_told;	/* capture knows whose changes these are */
	bool triggers_open;	/* an AFTER trigger query level is open */
	Oid triggers_owner;	/* of whose tables */
	OpenTable *in_turn;	/* whose queue must go before another table's change */
	const uint8 *record;	/* the one under way, where it lies in the frame */
	int n_waiting;		/* tables that entries wait for */
	TupleTableSlot *inserting[CALL_INSERTS_MAX];	/* for waiting rows while they go in */
	struct resolutions *resolutions;	/* recorded and not yet in (resolution.c) */
} ApplyCall;

ApplyCall *call_begin(Walk *walk, bool careful);

/* Inserts what waits, fires what is due, closes all; the call is gone. */
void call_end(ApplyCall *call);

/* After an error: the server has taken back its things, we forget ours. */
void call_forget(ApplyCall *call);

/*
 * The target's table here, open; NULL when there is none.  Refuses what must not be written by
 * this caller or this way.  From here on the caller is the table's owner, until call_leave().
 */
OpenTable *call_enter(ApplyCall *call, Target *target, AclMode rights);
void call_leave(ApplyCall *call);

/* Does what is not that table's with nothing in force that its owner's code may have set. */
void call_outside(ApplyCall *call, void (*work)(ApplyCall *call));

/*
 * The change's origin brings its changes to the table by this link only, from here on; EL012 when
 * it is another's.  Remembered as long as the table is open, so no longer than the piece that may
 * be rolled back.
 */
static inline void
call_claim(ApplyCall *call, OpenTable *table)
{
	uint32 origin = call->walk->point.context.origin;

	if (table->claimed && table->claimed_origin == origin)
		return;
	route_claim(&call->walk->position, table->map, origin);
	table->claimed = true;
	table->claimed_origin = origin;
}

/*
 * The table in the current memory context, of a relation that is open and locked; who does so
 * without a call releases it, too.  The relation is closed then, its lock kept.
 */
OpenTable *table_new(Target *target, Relation relation);
void table_release(OpenTable *table);

/* The executor's state of the table, and its ResultRelInfo as the executor wants it. */
void table_need_executor(OpenTable *table);

/* `found` and `fresh`; of the root of partitions there is only `fresh`, from the beginning. */
void table_need_slots(OpenTable *table);

/* What columns that the source does not have are filled with. */
void table_need_defaults(OpenTable *table);

/* The partition that the row in the root's `fresh` slot belongs to; entered as call_enter() does. */
OpenTable *call_route(ApplyCall *call, OpenTable *root);

/* Inserts what waits, fires what is due and closes all tables; the call goes on. */
void call_close_tables(ApplyCall *call);

/* Captured from here on is what context `next` made; what was queued before is of the last one. */
void call_context_changed(ApplyCall *call, const struct frame_context *next);

/*
 * AFTER triggers of users wait for the end of their source transaction at most, and run as the
 * owner of their tables: those of another owner are fired first.
 */
void call_open_triggers(ApplyCall *call, Oid owner);

/* ---- walking (walk.c, pieces.c) ---- */

/* Up to so many changes, and whatever else follows the last of them; or to where it stands. */
void walk_records(ApplyCall *call, uint64 limit);

/* To the end of the frame, or to where it stands; what the server refuses becomes a conflict. */
void walk_pieces(Walk *walk);

/* The same without subtransactions: what a transaction could settle is raised as EL011. */
void walk_alone(Walk *walk);

/* ---- rows (rows.c) ---- */

/* Puts the change's row into the slot: the values decoded, defaults where the source has none. */
void row_fill_insert(OpenTable *table, const struct frame_value *values,
		     TupleTableSlot *slot);

/* Puts the found row with these new values into table->fresh; what has none stays. */
void row_fill_update(OpenTable *table, const struct frame_value *values);

/* Puts the values that a policy merged, in text form, over what the slot holds. */
void row_merge(OpenTable *table, struct elvis_bytes merged, TupleTableSlot *slot);

/* Finds the row of the change's key under SnapshotSelf into table->found. */
bool row_find(ApplyCall *call, OpenTable *table, const struct frame_value *image);

/* The same once more, after all of our own rows became visible, under a fresh snapshot. */
bool row_find_again(ApplyCall *call, OpenTable *table, const struct frame_value *image);

/* What the key in this image is remembered by (tids.h). */
uint64 row_key_hash(OpenTable *table, const struct frame_value *image);

/* Is every column that detection looks at as the before image has it? */
bool row_matches(OpenTable *table, const struct frame_value *before,
		 const struct frame_value *after);

/* ---- writing (write.c) ---- */

/* The INSERT under way waits. */
void write_queue(ApplyCall *call, OpenTable *table);

/*
 * The INSERT under way waits if all that it would be asked was answered for one before it: false
 * otherwise, also where the table is not open.
 */
bool write_queue_unseen(ApplyCall *call, OpenTable *table);

/* What waited goes in as the table's owner, and in memory that is emptied then. */
typedef struct Flush {
	struct before_owner before;
	MemoryContext old;
} Flush;

void flush_begin(ApplyCall *call, OpenTable *table, Flush *flush);
void flush_end(ApplyCall *call, Flush *flush);

/* Inserts what waits: of one table, of all. */
void write_flush(ApplyCall *call, OpenTable *table);
void write_flush_all(ApplyCall *call);

/* May rows wait, or does each have to go in by itself? */
bool write_may_queue(ApplyCall *call, OpenTable *table);

/* Computes what the table computes of a row to be inserted, and checks what it demands. */
void write_complete(OpenTable *table, TupleTableSlot *slot);

/*
 * Inserts complete rows together, CALL_INSERTS_MAX of them at most, where no user's trigger fires.
 * There may be no call when none of the table's keys is deferrable.
 */
void write_together(ApplyCall *call, OpenTable *table, TupleTableSlot **rows, int n);

void write_insert(ApplyCall *call, OpenTable *table, TupleTableSlot *slot);

/* Replaces the found row by `fresh`, if it still is what was found; TM_Ok when it was. */
TM_Result write_update(ApplyCall *call, OpenTable *table, const struct frame_value *image);

/* Deletes the found row, if it still is what was found. */
TM_Result write_delete(ApplyCall *call, OpenTable *table);

/* Locks the row in the slot, if it still is what was found. */
TM_Result write_lock(ApplyCall *call, OpenTable *table, TupleTableSlot *slot);

/* Ours only: rows that the current command wrote are made visible to what follows. */
void write_step_over(ApplyCall *call, TupleTableSlot *slot);

/* ---- index entries (entries.c) ---- */

/* The table's indexes, open to be written. */
void entries_need(OpenTable *table);
void entries_close(OpenTable *table);

/* Of rows just inserted, CALL_INSERTS_MAX at most; without a call when no key is deferrable. */
void entries_insert(ApplyCall *call, OpenTable *table, TupleTableSlot **rows, int n);

/* Of the row in `fresh`, which has just replaced the one in `found`; `how`: what that was told. */
void entries_update(ApplyCall *call, OpenTable *table, compat_update_indexes how);

/* The row in `fresh` has the found one's key in this index, so nobody else can have it. */
bool entries_keep_key(OpenTable *table, int i);

/* One entry, by the server; `checked`: a unique index is asked whether another row has the key. */
void entries_insert_one(OpenTable *table, int i, Datum *values, bool *nulls, ItemPointer tid,
			bool unchanged, bool checked);

/* Deferrable keys of what a source transaction wrote: an error at the first that is broken. */
void entries_recheck(ApplyCall *call);

/* ---- index entries that wait for one another (waiting.c) ---- */

/* May the entry of a row that has been replaced wait until others come whose place is next to its? */
bool waiting_may(OpenTable *table, int i);

/*
 * The entry of the row in `fresh`, for which no other is to be looked for; `unchanged`: its key is
 * the old version's.  Until it is flushed the index does not lead to the row.
 */
void waiting_add(ApplyCall *call, OpenTable *table, int i, bool unchanged);

/* Before the table's rows are looked for by index; before code of others runs, all. */
void waiting_flush(ApplyCall *call, OpenTable *table);
void waiting_flush_all(ApplyCall *call);

#endif
