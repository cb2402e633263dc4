/*
 * catalog.c - the extension's own tables and sequences.
 */
#include "postgres.h"

#include "access/heapam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "access/xloginsert.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "commands/sequence.h"
#include "miscadmin.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "catalog.h"
#include "compat.h"
#include "inval.h"

#define LOGGED_AHEAD 32	/* numbers, as in nextval() */

static const char *const names[CATALOG_OBJECTS] = {
	[CATALOG_NODE] = "node",
	[CATALOG_ATTACHMENT] = "attachment",
	[CATALOG_ATTACHMENT_PKEY] = "attachment_pkey",
	[CATALOG_RELATION] = "relation",
	[CATALOG_RELATION_NUMBER] = "relation_number",
	[CATALOG_RELATION_NEWEST] = "relation_newest",
	[CATALOG_RELATION_ID] = "relation_id",
	[CATALOG_SEGMENT] = "segment",
	[CATALOG_SEGMENT_CURRENT] = "segment_current",
	[CATALOG_LOG_SEQ] = "log_seq",
	[CATALOG_RESOLUTION] = "resolution",
	[CATALOG_RESOLUTION_ID] = "resolution_id_seq",
};

static Oid schema;
static Oid oids[CATALOG_OBJECTS];

/* Where the one page of a sequence was found last. */
static struct {
	compat_file file;
	Buffer buffer;
} pages[CATALOG_OBJECTS];

/* The extension may be dropped and made again under a session. */
static void
forget(Datum arg, Oid relid)
{
	for (int i = 0; i < CATALOG_OBJECTS; i++) {
		if (OidIsValid(relid) && oids[i] != relid)
			continue;
		memset(oids, 0, sizeof(oids));
		memset(pages, 0, sizeof(pages));
		schema = InvalidOid;
		return;
	}
}

void
catalog_init(void)
{
	inval_relation(forget);
}

Oid
catalog_schema(void)
{
	if (!OidIsValid(schema))
		schema = get_namespace_oid("elvis", false);
	return schema;
}

Oid
catalog_find(const char *name)
{
	return get_relname_relid(name, catalog_schema());
}

Oid
catalog_oid(enum catalog_object object)
{
	if (!OidIsValid(oids[object])) {
		Oid found = catalog_find(names[object]);

		if (!OidIsValid(found))
			ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
					errmsg("relation \"elvis.%s\" does not exist",
					       names[object]),
					errhint("Is the extension elvis installed in "
						"this database?")));
		oids[object] = found;
	}
	return oids[object];
}

void
catalog_insert(Relation relation, Datum *values, bool *nulls)
{
	HeapTuple tuple = heap_form_tuple(RelationGetDescr(relation), values, nulls);

	CatalogTupleInsert(relation, tuple);
	heap_freetuple(tuple);
}

void
catalog_scan_begin(struct catalog_scan *scan, Oid relation, Oid index, int n_keys,
		   ScanKey keys)
{
	scan->relation = table_open(relation, AccessShareLock);
	scan->snapshot = RegisterSnapshot(GetLatestSnapshot());
	scan->scan = systable_beginscan(scan->relation, index, OidIsValid(index),
					scan->snapshot, n_keys, keys);
}

HeapTuple
catalog_scan_next(struct catalog_scan *scan)
{
	return systable_getnext(scan->scan);
}

void
catalog_scan_end(struct catalog_scan *scan)
{
	systable_endscan(scan->scan);
	UnregisterSnapshot(scan->snapshot);
	table_close(scan->relation, AccessShareLock);
}

/*
 * The one page of a sequence, pinned.  It is looked for where it was before, without the
 * relation and its lock.  Who replaces the file has us forget it, and we hear of that
 * when we next take a lock: whoever has just locked something reads what is true.
 */
static Buffer
sequence_page(enum catalog_object sequence)
{
	Relation relation;

	if (BufferIsValid(pages[sequence].buffer) &&
	    ReadRecentBuffer(pages[sequence].file, MAIN_FORKNUM, 0,
			     pages[sequence].buffer))
		return pages[sequence].buffer;
	relation = relation_open(catalog_oid(sequence), AccessShareLock);
	pages[sequence].file = compat_file_of(relation);
	pages[sequence].buffer = ReadBuffer(relation, 0);
	relation_close(relation, AccessShareLock);
	return pages[sequence].buffer;
}

/* A sequence is a table of one row, which stays where it is. */
static Form_pg_sequence_data
sequence_data(Page page)
{
	HeapTupleHeader row;

	row = (HeapTupleHeader) PageGetItem(page, PageGetItemId(page, FirstOffsetNumber));
	return (Form_pg_sequence_data) ((char *) row + row->t_hoff);
}

int64
catalog_sequence_last(enum catalog_object sequence)
{
	Buffer buffer = sequence_page(sequence);
	Form_pg_sequence_data data;
	int64 last;

	LockBuffer(buffer, BUFFER_LOCK_SHARE);
	data = sequence_data(BufferGetPage(buffer));
	last = data->is_called ? data->last_value : 0;
	UnlockReleaseBuffer(buffer);
	return last;
}

/* So that a crash does not take numbers back, the log is told of many at once. */
static void
log_ahead(enum catalog_object sequence, Buffer buffer, Form_pg_sequence_data data)
{
	xl_seq_rec record = {pages[sequence].file};
	Page page = BufferGetPage(buffer);
	ItemId row = PageGetItemId(page, FirstOffsetNumber);
	XLogRecPtr logged;

	data->last_value += LOGGED_AHEAD;
	data->log_cnt = 0;
	XLogBeginInsert();
	XLogRegisterBuffer(0, buffer, REGBUF_WILL_INIT);
	XLogRegisterData((char *) &record, sizeof(record));
	XLogRegisterData((char *) PageGetItem(page, row), ItemIdGetLength(row));
	logged = XLogInsert(RM_SEQ_ID, XLOG_SEQ_LOG);
	PageSetLSN(page, logged);
	data->last_value -= LOGGED_AHEAD;
	data->log_cnt = LOGGED_AHEAD;
}

/*
 * By nextval()'s rules and under its locks.  nextval() itself would have lastval() tell a
 * number of ours to the user who asks for the one that his INSERT has drawn.
 */
int64
catalog_sequence_next(enum catalog_object sequence, uint32 n)
{
	Form_pg_sequence_data data;
	XLogRecPtr redo;
	Buffer buffer;
	int64 number;
	Page page;

	LockRelationOid(catalog_oid(sequence), RowExclusiveLock);
	(void) GetTopTransactionId();	/* so that its commit waits for what is logged */
	buffer = sequence_page(sequence);
	LockBuffer(buffer, BUFFER_LOCK_EXCLUSIVE);
	page = BufferGetPage(buffer);
	data = sequence_data(page);
	redo = GetRedoRecPtr();
	START_CRIT_SECTION();
	MarkBufferDirty(buffer);
	number = data->last_value + (data->is_called ? 1 : 0);
	data->last_value = number + n - 1;
	data->is_called = true;
	if (data->log_cnt >= n && PageGetLSN(page) > redo)
		data->log_cnt -= n;
	else
		log_ahead(sequence, buffer, data);
	END_CRIT_SECTION();
	UnlockReleaseBuffer(buffer);
	return number;
}
