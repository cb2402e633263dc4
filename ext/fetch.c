/*
 * fetch.c - rows of the log by their place, and the chunks that they hold.
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/table.h"
#include "access/tableam.h"
#include "miscadmin.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "catalog.h"
#include "compat.h"
#include "fetch.h"
#include "version.h"

#define ROW_HEAD 2

void
fetch_begin(struct fetching *fetching, const struct collection *collection, bool *stale)
{
	int n = Max(collection->n_segments, 1);

	fetching->collection = collection;
	fetching->stale = stale;
	fetching->logs = palloc0(sizeof(Relation) * n);
	fetching->slots = palloc0(sizeof(TupleTableSlot *) * n);
	fetching->snapshot = RegisterSnapshot(GetLatestSnapshot());
	initStringInfo(&fetching->joined);
}

void
fetch_end(struct fetching *fetching)
{
	for (int i = 0; i < fetching->collection->n_segments; i++) {
		if (fetching->logs[i] == NULL)
			continue;
		ExecDropSingleTupleTableSlot(fetching->slots[i]);
		table_close(fetching->logs[i], AccessShareLock);
	}
	UnregisterSnapshot(fetching->snapshot);
}

/* ---- rows ---- */

static void
open_log(struct fetching *fetching, int segment)
{
	Relation log = try_table_open(fetching->collection->segments[segment].log,
				      AccessShareLock);

	if (log == NULL)
		ereport(ERROR,
			(errcode(ERRCODE_ELVIS_LOG_GONE),
			 errmsg("segment %d of the log was dropped while it was read",
				fetching->collection->segments[segment].n)));
	fetching->logs[segment] = log;
	fetching->slots[segment] = table_slot_create(log, NULL);
}

static _Noreturn void
row_has_gone(struct fetching *fetching)
{
	if (!*fetching->stale) {
		*fetching->stale = true;
		version_damaged("a chunk has gone");
	}
	ereport(ERROR,
		(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
		 errmsg("the log was rewritten while it was read"),
		 errhint("Read again.")));
}

/* The body of a row, where it is stored; valid until the next one is fetched. */
static struct varlena *
fetch(struct fetching *fetching, const struct row_place *place)
{
	TupleTableSlot *slot;
	ItemPointerData tid = place->tid;
	bool is_null;
	Datum body;

	if (fetching->logs[place->segment] == NULL)
		open_log(fetching, place->segment);
	slot = fetching->slots[place->segment];
	ExecClearTuple(slot);
	if (!table_tuple_fetch_row_version(fetching->logs[place->segment], &tid,
					   fetching->snapshot, slot) ||
	    DatumGetInt64(slot_getattr(slot, SEGMENT_LOG_SEQ, &is_null)) != place->seq)
		row_has_gone(fetching);
	body = slot_getattr(slot, SEGMENT_LOG_BODY, &is_null);
	return (struct varlena *) DatumGetPointer(body);
}

/* The bytes behind its head. */
static struct elvis_bytes
row_bytes(const struct varlena *body, uint8 *flags)
{
	struct elvis_bytes bytes;

	bytes.at = (const uint8 *) VARDATA_ANY(body);
	bytes.end = bytes.at + VARSIZE_ANY_EXHDR(body);
	if (bytes.end - bytes.at < ROW_HEAD)
		version_damaged("a chunk is too short");
	if (bytes.at[0] != ELVIS_RECORD_FORMAT)
		ereport(ERROR,
			(errcode(ERRCODE_ELVIS_DAMAGED),
			 errmsg("a chunk of the log has format %d, known is %d",
				bytes.at[0], ELVIS_RECORD_FORMAT)));
	*flags = bytes.at[1];
	bytes.at += ROW_HEAD;
	return bytes;
}

uint8
fetch_last_flags(struct fetching *fetching, const struct row_place *last)
{
	uint8 flags;

	(void) row_bytes(detoast_attr_slice(fetch(fetching, last), 0, ROW_HEAD), &flags);
	if ((flags & ELVIS_CHUNK_LAST) == 0)
		version_damaged("a transaction's last chunk is missing");
	return flags;
}

/* ---- chunks ---- */

uint32
fetch_rows_of_chunk(const struct row_place *places, uint32 n)
{
	uint32 rows = 1;

	while (rows < n && places[rows - 1].more)
		rows++;
	return rows;
}

static struct elvis_bytes
joined(const struct fetching *fetching)
{
	struct elvis_bytes bytes;

	bytes.at = (const uint8 *) fetching->joined.data;
	bytes.end = bytes.at + fetching->joined.len;
	return bytes;
}

static void
join(struct fetching *fetching, struct elvis_bytes bytes)
{
	appendBinaryStringInfo(&fetching->joined, (const char *) bytes.at,
			       (int) (bytes.end - bytes.at));
}

static void
check_more(uint8 flags, bool more)
{
	if (((flags & ELVIS_CHUNK_MORE) != 0) != more)
		version_damaged("a chunk is cut off");
}

/* A row that is a chunk, which needs no copy unless the table's TOAST has it. */
static struct elvis_bytes
lone_row(struct fetching *fetching, const struct row_place *place, uint8 *flags)
{
	struct varlena *stored = fetch(fetching, place);
	struct varlena *body = pg_detoast_datum_packed(stored);
	struct elvis_bytes bytes = row_bytes(body, flags);

	check_more(*flags, false);
	if (body != stored) {
		join(fetching, bytes);
		bytes = joined(fetching);
		pfree(body);
	}
	return bytes;
}

static struct elvis_bytes
join_rows(struct fetching *fetching, const struct row_place *places, uint32 n, uint8 *flags)
{
	enlargeStringInfo(&fetching->joined,
			  (int) Min((size_t) n * SEGMENT_ROW_BYTES, MaxAllocSize / 2));
	for (uint32 i = 0; i < n; i++) {
		CHECK_FOR_INTERRUPTS();
		join(fetching, row_bytes(fetch(fetching, &places[i]), flags));
		check_more(*flags, i + 1 < n);
	}
	return joined(fetching);
}

struct elvis_bytes
fetch_chunk(struct fetching *fetching, const struct row_place *places, uint32 n,
	    uint8 *flags)
{
	CHECK_FOR_INTERRUPTS();
	resetStringInfo(&fetching->joined);
	return n == 1 ? lone_row(fetching, places, flags)
		      : join_rows(fetching, places, n, flags);
}
