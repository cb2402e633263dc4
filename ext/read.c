/*
 * read.c - elvis.read(): a batch's stream, piece by piece.
 *
 * The session remembers where the rows of the batch are, so that going on costs only
 * fetching them.  Nothing depends on that: any cursor can be asked for in any session.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include <elvis/record.h>

#include "catalog.h"
#include "collect.h"
#include "compat.h"
#include "fetch.h"
#include "inval.h"
#include "keep.h"
#include "node.h"
#include "read.h"
#include "render.h"
#include "reorder.h"
#include "segment.h"
#include "snapshot.h"
#include "version.h"

PG_FUNCTION_INFO_V1(elvis_read);

/* Which batch. */
struct batch {
	int64 from_id, from_token, to_id, to_token;
};

/* Where in it. */
struct cursor {
	int64 seq;
	int64 inside;
};

/* What the session remembers of the batch it read last. */
static struct {
	struct batch batch;
	struct outline *outline;	/* NULL: nothing is remembered */
	struct collection *collection;	/* NULL: nothing of it is collected */
	bool stale;			/* its rows may have moved */
	struct ordered *ordered;	/* the transaction being handed out, if it had to be put right */
	int64 ordered_last;		/* its last seq */
} memory;

/* A call of elvis.read(). */
struct reading {
	struct collection *collection;
	struct fetching fetching;
	uint8 portable;
	int max_bytes;
	StringInfoData out;
	int64 changes;
};

/* ---- memory ---- */

static void
log_changed(Datum arg, Oid relid)
{
	if (memory.collection == NULL || memory.stale)
		return;
	for (int i = 0; i < memory.collection->n_segments; i++)
		if (!OidIsValid(relid) || memory.collection->segments[i].log == relid)
			memory.stale = true;
}

void
read_init(void)
{
	inval_relation(log_changed);
}

static void
forget_ordered(void)
{
	if (memory.ordered != NULL)
		MemoryContextDelete(memory.ordered->context);
	memory.ordered = NULL;
}

static void
forget(void)
{
	forget_ordered();
	if (memory.collection != NULL)
		MemoryContextDelete(memory.collection->context);
	memory.collection = NULL;
}

/* Of another batch nothing holds. */
static void
forget_batch(void)
{
	forget();
	if (memory.outline != NULL)
		MemoryContextDelete(memory.outline->context);
	memory.outline = NULL;
}

static bool
is_remembered(const struct batch *batch)
{
	return memory.outline != NULL &&
	       memcmp(&memory.batch, batch, sizeof(*batch)) == 0;
}

/* ---- the batch ---- */

static void
find_snapshot(int64 id, int64 token, struct snapshot_row *row)
{
	struct snapshot_row newest;

	if (snapshot_find(id, row)) {
		if (row->token == token)
			return;
		ereport(ERROR, (errcode(ERRCODE_ELVIS_SNAPSHOT_UNKNOWN),
				errmsg("snapshot " INT64_FORMAT
				       " is not the one of that name that was "
				       "recorded here before",
				       id),
				errdetail("The source was set back or replaced.")));
	}
	if (!snapshot_newest(&newest) || id > newest.id)
		ereport(ERROR,
			(errcode(ERRCODE_ELVIS_SNAPSHOT_UNKNOWN),
			 errmsg("snapshot " INT64_FORMAT " has not been recorded here",
				id),
			 errdetail("The source was set back or replaced.")));
	ereport(ERROR,
		(errcode(ERRCODE_ELVIS_LOG_GONE),
		 errmsg("snapshot " INT64_FORMAT " is older than the log", id),
		 errhint("The tables have to be copied again.")));
}

/*
 * A segment that has gone was needed by whoever stands before the snapshot that saw all
 * of it.
 */
static void
check_log_is_there(int64 from_id)
{
	ListCell *cell;

	foreach(cell, segment_list()) {
		const struct segment *segment = lfirst(cell);

		if (!OidIsValid(segment->log) && from_id < segment->quiet_at)
			ereport(ERROR, (errcode(ERRCODE_ELVIS_LOG_GONE),
					errmsg("the log behind snapshot " INT64_FORMAT
					       " is not kept any more",
					       from_id),
					errhint("The tables have to be copied again.")));
	}
}

/* The collection in which the transaction behind `after` is, if there is one. */
static struct collection *
collection_at(const struct batch *batch, int64 after)
{
	struct snapshot_row from, to;
	struct collection *found;

	if (is_remembered(batch) && memory.collection != NULL && !memory.stale &&
	    after >= memory.collection->after) {
		struct collection *kept = memory.collection;
		size_t n = kept->n_transactions;

		if (kept->cut == PG_INT64_MAX ||
		    (n > 0 && kept->transactions[n - 1].last > after))
			return kept;
	}
	if (is_remembered(batch))
		forget();
	else
		forget_batch();
	find_snapshot(batch->from_id, batch->from_token, &from);
	find_snapshot(batch->to_id, batch->to_token, &to);
	if (from.id > to.id)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("a batch cannot end at snapshot " INT64_FORMAT
				       " and begin at " INT64_FORMAT,
				       to.id, from.id)));
	memory.stale = false;	/* what moves from here on is noticed */
	check_log_is_there(from.id);
	if (memory.outline == NULL) {
		memory.outline = outline_new(CacheMemoryContext);
		memory.batch = *batch;
	}
	found = collect(from.image, to.image, after, memory.outline,
			CurrentMemoryContext);
	MemoryContextSetParent(found->context, CacheMemoryContext);
	memory.collection = found;
	return found;
}

/* Number of the first transaction whose last seq is above `after`. */
static size_t
first_behind(const struct collection *collection, int64 after)
{
	size_t low = 0, high = collection->n_transactions;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (collection->transactions[middle].last > after)
			high = middle;
		else
			low = middle + 1;
	}
	return low;
}

/* ---- handing out ---- */

static bool
is_full(const struct reading *reading, Size more)
{
	Size length = reading->out.len - VARHDRSZ;

	return length > 0 && length + more > (Size) reading->max_bytes;
}

static void
put_mark(struct reading *reading, uint8 tag, const uint8 *payload, size_t length)
{
	appendStringInfoChar(&reading->out, tag);
	appendStringInfoChar(&reading->out, (char) length);
	appendBinaryStringInfo(&reading->out, (const char *) payload, (int) length);
}

/* The time a transaction is said to have been made: that of its first context. */
static int64
begun_at(struct elvis_bytes records)
{
	struct elvis_bytes payload;
	uint8_t tag;
	int64_t at;

	if (!elvis_get_record(&records, &tag, &payload) || tag != ELVIS_RECORD_CONTEXT ||
	    !elvis_get_i64(&payload, &at))
		version_damaged("a chunk does not begin with a context");
	return at;
}

static void
put_begin(struct reading *reading, const struct transaction *transaction, int64 at)
{
	uint8 payload[8 + 2 * ELVIS_VARINT_MAX];
	uint8 *end = elvis_put_varint(payload, (uint64) transaction->last);

	end = elvis_put_varint(end, transaction->xid);
	end = elvis_put_i64(end, at);
	put_mark(reading, ELVIS_RECORD_BEGIN, payload, end - payload);
}

static void
put_commit(struct reading *reading, const struct transaction *transaction)
{
	uint8 payload[ELVIS_VARINT_MAX];

	put_mark(reading, ELVIS_RECORD_COMMIT, payload,
		 elvis_put_varint(payload, (uint64) transaction->last) - payload);
}

/*
 * Hands out one part of a transaction; false when there is no room for it in this piece.
 */
static bool
put_part(struct reading *reading, const struct transaction *transaction, int64 part,
	 struct elvis_bytes records)
{
	if (is_full(reading, records.end - records.at))
		return false;
	if (part == 0)
		put_begin(reading, transaction, begun_at(records));
	reading->changes += render_records(&reading->out, records, reading->portable);
	return true;
}

static const struct row_place *
rows_of(const struct reading *reading, const struct transaction *transaction)
{
	return reading->collection->rows + transaction->first;
}

/* Was the transaction captured out of order?  Its last row says so. */
static bool
is_disordered(struct reading *reading, const struct transaction *transaction)
{
	return fetch_last_flags(&reading->fetching, rows_of(reading, transaction) +
				transaction->count - 1) & ELVIS_CHUNK_LATE;
}

/* What has become of a transaction of one row; LEFT: it takes more than its bytes. */
enum single { SINGLE_DONE, SINGLE_NO_ROOM, SINGLE_LEFT, SINGLE_EMPTY };

/*
 * A transaction of one row, as most are: fetched once.  It is empty when all that was
 * captured has been rolled back.
 */
static enum single
put_single(struct reading *reading, const struct transaction *transaction)
{
	uint8 flags;
	struct elvis_bytes records = fetch_chunk(
		&reading->fetching, rows_of(reading, transaction), 1, &flags);

	if ((flags & ELVIS_CHUNK_LAST) == 0)
		version_damaged("a transaction's last chunk is missing");
	if (records.at == records.end)
		return SINGLE_EMPTY;
	if (flags & ELVIS_CHUNK_LATE)
		return SINGLE_LEFT;
	return put_part(reading, transaction, 0, records) ? SINGLE_DONE : SINGLE_NO_ROOM;
}

/* The chunks as they are.  Returns how many rows have been handed out by now. */
static int64
put_chunks(struct reading *reading, const struct transaction *transaction, int64 part)
{
	while (part < transaction->count) {
		const struct row_place *places = rows_of(reading, transaction) + part;
		uint32 n = fetch_rows_of_chunk(places, transaction->count - part);
		uint8 flags;

		/* all rows but the last are full: what cannot fit is not fetched in vain */
		if (is_full(reading, (Size) (n - 1) * SEGMENT_ROW_BYTES) ||
		    !put_part(reading, transaction, part,
			      fetch_chunk(&reading->fetching, places, n, &flags)))
			break;
		part += n;
	}
	return part;
}

/* All of a transaction's chunks, copied. */
static struct elvis_bytes *
copy_chunks(struct reading *reading, const struct transaction *transaction, size_t *n_chunks)
{
	struct elvis_bytes *chunks = palloc(sizeof(*chunks) * transaction->count);
	size_t n_rows;

	*n_chunks = 0;
	for (uint32 i = 0; i < transaction->count; i += n_rows) {
		const struct row_place *places = rows_of(reading, transaction) + i;
		struct elvis_bytes chunk;
		size_t length;
		uint8 *copy, flags;

		n_rows = fetch_rows_of_chunk(places, transaction->count - i);
		chunk = fetch_chunk(&reading->fetching, places, n_rows, &flags);
		length = chunk.end - chunk.at;
		copy = palloc(length + 1);
		memcpy(copy, chunk.at, length);
		chunks[(*n_chunks)++] = (struct elvis_bytes) {copy, copy + length};
	}
	return chunks;
}

static struct ordered *
put_right(struct reading *reading, const struct transaction *transaction)
{
	MemoryContext context, before;
	struct elvis_bytes *chunks;
	size_t n;

	if (memory.ordered != NULL && memory.ordered_last == transaction->last)
		return memory.ordered;
	forget_ordered();
	context =
		AllocSetContextCreate(CurrentMemoryContext, "elvis reordered transaction",
				      ALLOCSET_DEFAULT_SIZES);
	before = MemoryContextSwitchTo(context);
	chunks = copy_chunks(reading, transaction, &n);
	memory.ordered = reorder(chunks, n);
	memory.ordered_last = transaction->last;
	MemoryContextSwitchTo(before);
	MemoryContextSetParent(context, CacheMemoryContext);
	return memory.ordered;
}

/* Likewise of a transaction that has to be put right first. */
static int64
put_ordered(struct reading *reading, const struct transaction *transaction, int64 part,
	    bool *complete)
{
	struct ordered *ordered = put_right(reading, transaction);

	for (; part < (int64) ordered->n_pieces; part++) {
		StringInfoData piece;
		struct elvis_bytes records;
		bool done;

		initStringInfo(&piece);
		ordered_piece(ordered, part, &piece);
		records.at = (uint8 *) piece.data;
		records.end = records.at + piece.len;
		done = put_part(reading, transaction, part, records);
		pfree(piece.data);
		if (!done)
			break;
		CHECK_FOR_INTERRUPTS();
	}
	*complete = part == (int64) ordered->n_pieces;
	return part;
}

/* Its records, marks aside; true when they have been handed out to the end. */
static bool
put_records(struct reading *reading, const struct transaction *transaction,
	    struct cursor *cursor)
{
	bool complete;

	if (is_disordered(reading, transaction)) {
		cursor->inside =
			put_ordered(reading, transaction, cursor->inside, &complete);
		return complete;
	}
	cursor->inside = put_chunks(reading, transaction, cursor->inside);
	return cursor->inside == transaction->count;
}

/* Goes on with a transaction; true when it has been handed out to its end. */
static bool
put_transaction(struct reading *reading, const struct transaction *transaction,
		struct cursor *cursor)
{
	enum single outcome = SINGLE_LEFT;

	if (transaction->count == 1 && cursor->inside == 0)
		outcome = put_single(reading, transaction);
	if (outcome == SINGLE_NO_ROOM ||
	    (outcome == SINGLE_LEFT && !put_records(reading, transaction, cursor)))
		return false;
	if (outcome != SINGLE_EMPTY)
		put_commit(reading, transaction);
	cursor->seq = transaction->last;
	cursor->inside = 0;
	return true;
}

/* Fills the piece from the cursor on and moves it; true at the end of the batch. */
static bool
put_piece(struct reading *reading, struct cursor *cursor)
{
	struct collection *collection = reading->collection;
	size_t n = first_behind(collection, cursor->seq);

	for (; n < collection->n_transactions; n++) {
		if (is_full(reading, 1) ||
		    !put_transaction(reading, &collection->transactions[n], cursor))
			return false;
	}
	return collection->cut == PG_INT64_MAX;
}

/* ---- the call ---- */

static void
check_session(void)
{
	node_genuine();
	if (XactIsoLevel == XACT_SERIALIZABLE)
		ereport(ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("elvis.read() cannot be used in SERIALIZABLE "
				"transactions"),
			 errdetail("Its predicate locks would make writers fail.")));
}

static uint8
portable_form(const text *word)
{
	const char *name = text_to_cstring(word);

	if (strcmp(name, "stored") == 0)
		return ELVIS_FORM_STORED;
	if (strcmp(name, "binary") == 0)
		return ELVIS_FORM_BINARY;
	if (strcmp(name, "text") == 0)
		return ELVIS_FORM_TEXT;
	ereport(ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
		 errmsg("portable must be \"stored\", \"binary\" or \"text\", not \"%s\"",
			name)));
}

static void
reading_begin(struct reading *reading)
{
	fetch_begin(&reading->fetching, reading->collection, &memory.stale);
	initStringInfo(&reading->out);
	appendStringInfoSpaces(&reading->out, VARHDRSZ);
}

static void
reading_end(struct reading *reading)
{
	fetch_end(&reading->fetching);
	SET_VARSIZE(reading->out.data, reading->out.len);
}

static Datum
result(FunctionCallInfo fcinfo, const struct reading *reading,
       const struct cursor *cursor, bool finished)
{
	Datum values[5];
	bool nulls[5] = {false};
	TupleDesc shape;

	if (get_call_result_type(fcinfo, NULL, &shape) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = PointerGetDatum(reading->out.data);
	values[1] = Int64GetDatum(cursor->seq);
	values[2] = Int64GetDatum(cursor->inside);
	values[3] = BoolGetDatum(finished);
	values[4] = Int64GetDatum(reading->changes);
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(shape), values, nulls));
}

Datum
elvis_read(PG_FUNCTION_ARGS)
{
	struct batch batch = {
		.from_id = PG_GETARG_INT64(0),
		.from_token = PG_GETARG_INT64(1),
		.to_id = PG_GETARG_INT64(2),
		.to_token = PG_GETARG_INT64(3),
	};
	struct cursor cursor = {PG_GETARG_INT64(4), PG_GETARG_INT64(5)};
	struct reading reading = {.max_bytes = PG_GETARG_INT32(6)};
	bool finished;
	int nest = 0;

	check_session();
	keep_memory();
	reading.portable = portable_form(PG_GETARG_TEXT_PP(7));
	if (cursor.inside < 0 || reading.max_bytes <= 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				errmsg("inside must not be negative and max_bytes must "
				       "be positive")));
	reading.max_bytes = Min(reading.max_bytes, MaxAllocSize / 4);
	reading.collection = collection_at(&batch, cursor.seq);
	reading_begin(&reading);
	if (reading.portable != ELVIS_FORM_STORED)
		nest = value_pin(VALUE_PIN_ENCODING | VALUE_PIN_FORMATS);
	finished = put_piece(&reading, &cursor);
	value_unpin(nest);
	reading_end(&reading);
	PG_RETURN_DATUM(result(fcinfo, &reading, &cursor, finished));
}
