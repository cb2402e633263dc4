/*
 * pieces.c - a frame is walked in pieces, so that what the server refuses costs little.
 *
 * Each piece has an internal subtransaction.  The first is the whole frame: as long as nothing
 * goes wrong nobody pays for more.  When the server raises something about a row, the piece is
 * rolled back and walked again in small pieces, until the change that is not accepted stands
 * alone and can be treated as a conflict.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "catalog.h"
#include "conflict.h"

/* Changes that a subtransaction holds when trouble is about; twice as many each time that there was
 * none.  So xids are few, and what is done twice is no more than what has been done. */
#define CAREFUL_CHANGES 256
#define CAREFUL_MOST 65536

/* INSERTs into a table that are looked up first after one has met a row. */
#define DOUBTFUL_INSERTS 10000

/* A unique key may be broken by what another transaction commits meanwhile: seen at a new look. */
#define UNIQUE_LOOKS 3

/* In the piece's own subtransaction. */
static void
walk_piece_inside(Walk *walk, ApplyCall **call)
{
	MemoryContext old = CurrentMemoryContext;

	*call = call_begin(walk, walk->careful);
	MemoryContextSwitchTo((*call)->row);
	if (walk->point.has_context)
		call_context_changed(*call, &walk->point.context);
	walk_records(*call, walk->limit);
	MemoryContextSwitchTo(old);
	call_end(*call);
	*call = NULL;
}

static void
doubt_table(ApplyCall *call, const ErrorData *error)
{
	for (OpenTable *table = call->tables; table != NULL; table = table->next)
		if (error->table_name != NULL &&
		    strcmp(error->table_name, RelationGetRelationName(table->relation)) == 0)
			table->target->doubtful = DOUBTFUL_INSERTS;
}

/* NULL: walked.  Else what was raised; the piece is as if it had not been walked. */
static ErrorData *
walk_piece(Walk *walk)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;
	ApplyCall *volatile call = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		walk_piece_inside(walk, (ApplyCall **) &call);
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(walk->context);
		error = CopyErrorData();
		FlushErrorState();
		if (call != NULL && error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION)
			doubt_table(call, error);
		RollbackAndReleaseCurrentSubTransaction();
		if (call != NULL)
			call_forget(call);
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	return error;
}

/* ---- when the server refuses ---- */

/* Which kind of conflict this is; 0: nothing that a policy could settle. */
static uint8
kind_of_error(const Walk *walk, const ErrorData *error)
{
	if (error->sqlerrcode == ERRCODE_DATATYPE_MISMATCH)
		return ELVIS_TYPE_ERROR;
	if (error->sqlerrcode == ERRCODE_FEATURE_NOT_SUPPORTED &&
	    walk->operation == ELVIS_TRUNCATE)
		return ELVIS_CONSTRAINT_VIOLATION;
	switch (ERRCODE_TO_CATEGORY(error->sqlerrcode)) {
	case ERRCODE_DATA_EXCEPTION:
		return ELVIS_TYPE_ERROR;
	case ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION:
	case ERRCODE_PROGRAM_LIMIT_EXCEEDED:
	case ERRCODE_PLPGSQL_ERROR:
		return ELVIS_CONSTRAINT_VIOLATION;
	default:
		return 0;
	}
}

/* A deferrable key was found broken at the end of its transaction: of which change, is known; to
 * undo what was done since, is not for us. */
static void
stop_at_recheck(Walk *walk, const ErrorData *error)
{
	const Recheck *recheck = &walk->rechecks[walk->rechecking];
	Change change = { .operation = recheck->operation,
			  .target = target_find(recheck->version) };
	Conflict conflict = { .kind = ELVIS_CONSTRAINT_VIOLATION, .change = &change,
			      .sqlstate = unpack_sql_state(error->sqlerrcode),
			      .message = error->message };
	uint64 ordinal = walk->point.ordinal;

	resetStringInfo(&walk->conflict);
	walk->point.ordinal = recheck->ordinal;
	conflict_tell(&conflict, walk, &walk->conflict);
	walk->point.ordinal = ordinal;
	walk->rechecking = -1;
	walk->state = WALK_STOP;
}

static void
note_failure(Walk *walk, uint8 kind, const ErrorData *error)
{
	WalkFailure *failure = &walk->failure;

	if (failure->message != NULL)
		pfree(failure->message);
	failure->kind = kind;
	strlcpy(failure->sqlstate, unpack_sql_state(error->sqlerrcode),
		sizeof(failure->sqlstate));
	failure->message = MemoryContextStrdup(walk->context, error->message);
}

/* Which change it was is known when the piece had but one; else the next piece is smaller. */
static void
walk_smaller(Walk *walk, const WalkPoint *start, uint64 reached, bool between)
{
	uint64 walked = reached - start->changes;

	if (!walk->careful) {
		walk->careful = true;
		walk->limit = CAREFUL_CHANGES;
		return;
	}
	walk->trouble_until = reached + !between;
	walk->limit = Max(between ? walked / 2 : walked, 1);
}

/* The piece is over without trouble; trouble that is known to lie ahead is approached. */
static void
walk_larger(Walk *walk)
{
	if (!walk->careful)
		return;
	if (walk->point.changes < walk->trouble_until)
		walk->limit = Max((walk->trouble_until - walk->point.changes) / 2, 1);
	else
		walk->limit = Min(Max(walk->limit * 2, CAREFUL_CHANGES), CAREFUL_MOST);
}

static void
walk_failed(Walk *walk, const WalkPoint *start, ErrorData *error)
{
	uint64 reached = walk->point.changes;
	bool between = walk->limit != UINT64_MAX && reached - start->changes >= walk->limit;
	uint8 kind = kind_of_error(walk, error);

	if (kind == 0)
		ReThrowError(error);
	if (walk->rechecking >= 0) {
		stop_at_recheck(walk, error);
		return;
	}
	walk->point = *start;
	walk->state = WALK_ON;
	walk_forget_answers(walk);
	if (!walk->careful || reached - start->changes + !between > 1) {
		walk_smaller(walk, start, reached, between);
		return;
	}
	walk->limit = 1;
	walk->attempts++;
	if (error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION && walk->attempts < UNIQUE_LOOKS)
		return;
	if (walk->attempts > 2 * UNIQUE_LOOKS)
		ReThrowError(error);
	note_failure(walk, kind, error);
}

void
walk_pieces(Walk *walk)
{
	while (walk->state == WALK_ON && walk->point.rest.at < walk->point.rest.end) {
		WalkPoint start = walk->point;
		ErrorData *error = walk_piece(walk);

		if (error != NULL) {
			walk_failed(walk, &start, error);
			FreeErrorData(error);
		} else {
			walk_larger(walk);
		}
	}
}

void
walk_alone(Walk *walk)
{
	MemoryContext context = CurrentMemoryContext;
	ApplyCall *volatile call = NULL;

	PG_TRY();
	{
		walk_piece_inside(walk, (ApplyCall **) &call);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		/* what it opened goes with the transaction, whatever is raised */
		if (call != NULL)
			call_forget(call);
		if (kind_of_error(walk, error) == 0)
			PG_RE_THROW();
		FlushErrorState();
		ereport(ERROR,
			(errcode(ERRCODE_ELVIS_MUST_ASK),
			 errmsg("a change does not fit: %s", error->message),
			 errhint("Send the frame again inside a transaction.")));
	}
	PG_END_TRY();
}
