/*
 * relation.c - facts of captured tables, remembered for the session, and their versions.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "access/tupmacs.h"
#include "access/xact.h"
#include "catalog/partition.h"
#include "catalog/pg_index.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include <elvis/record.h>

#include "catalog.h"
#include "compat.h"
#include "inval.h"
#include "key.h"
#include "node.h"
#include "relation.h"
#include "settings.h"

enum {
	ATTACHMENT_RELID = 1,
	ATTACHMENT_ROLE,
	ATTACHMENT_KEY,
	ATTACHMENT_CAPTURE_UNCHANGED,
};

enum {
	RELATION_ID = 1,
	RELATION_RELID,
	RELATION_SCHEMA,
	RELATION_TABLE,
	RELATION_AT,
	RELATION_DESCRIPTOR,
	RELATION_COLUMNS = RELATION_DESCRIPTOR
};

static HTAB *known;
static struct captured *recent[16];	/* asked for last, by their numbers */
static bool any_uncommitted;	/* some may have a version_owner */
static bool any_partition;	/* some have a root other than themselves */
static bool any_types;		/* some have columns of types that are not the server's own */

/* ---- forgetting ---- */

static void
make_stale(Oid relid)
{
	HASH_SEQ_STATUS all;
	struct captured *table;

	if (known == NULL)
		return;
	if (OidIsValid(relid) && !any_partition) {
		table = hash_search(known, &relid, HASH_FIND, NULL);
		if (table != NULL)
			table->stale = true;
		return;
	}
	/* partitions bear the name of their root */
	hash_seq_init(&all, known);
	while ((table = hash_seq_search(&all)) != NULL)
		if (!OidIsValid(relid) || table->relid == relid || table->root == relid)
			table->stale = true;
}

static void
relation_changed(Datum arg, Oid relid)
{
	make_stale(relid);
}

/* Names of schemas and types are in descriptors, and renaming them tells no table. */
static void
schema_changed(Datum arg, int cache, uint32 hash)
{
	make_stale(InvalidOid);
}

/* The server's own do not change; every table has one, temporary tables too. */
static void
type_changed(Datum arg, int cache, uint32 hash)
{
	HASH_SEQ_STATUS all;
	struct captured *table;

	if (!any_types)
		return;
	hash_seq_init(&all, known);
	while ((table = hash_seq_search(&all)) != NULL)
		table->stale |= table->has_types;
}

void
relation_init(void)
{
	inval_relation(relation_changed);
	CacheRegisterSyscacheCallback(NAMESPACEOID, schema_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, type_changed, (Datum) 0);
}

static void
forget_version(struct captured *table)
{
	table->version = 0;
	table->version_owner = InvalidSubTransactionId;
	table->stale = true;
}

void
relation_subxact_end(SubTransactionId self, SubTransactionId parent, bool committed)
{
	HASH_SEQ_STATUS all;
	struct captured *table;

	if (!any_uncommitted)
		return;
	hash_seq_init(&all, known);
	while ((table = hash_seq_search(&all)) != NULL) {
		if (table->version_owner != self)
			continue;
		if (committed)
			table->version_owner = parent;
		else
			forget_version(table);
	}
}

void
relation_xact_end(bool committed)
{
	HASH_SEQ_STATUS all;
	struct captured *table;

	if (!any_uncommitted)
		return;
	hash_seq_init(&all, known);
	while ((table = hash_seq_search(&all)) != NULL) {
		if (table->version_owner == InvalidSubTransactionId)
			continue;
		if (committed)
			table->version_owner = InvalidSubTransactionId;
		else
			forget_version(table);
	}
	any_uncommitted = false;
}

/* ---- what elvis.attachment says ---- */

struct attachment {
	Oid root;
	bool captures;
	bool has_key_name;
	NameData key;
	uint32 capture_unchanged;
};

static bool
attachment_of(Oid relid, struct attachment *attachment)
{
	struct catalog_scan scan;
	ScanKeyData by_relid;
	HeapTuple row;

	ScanKeyInit(&by_relid, ATTACHMENT_RELID, BTEqualStrategyNumber, F_OIDEQ,
		    ObjectIdGetDatum(relid));
	catalog_scan_begin(&scan, catalog_oid(CATALOG_ATTACHMENT),
			   catalog_oid(CATALOG_ATTACHMENT_PKEY), 1, &by_relid);
	row = catalog_scan_next(&scan);
	if (row != NULL) {
		TupleDesc shape = RelationGetDescr(scan.relation);
		bool is_null;
		Datum value;

		attachment->root = relid;
		value = heap_getattr(row, ATTACHMENT_ROLE, shape, &is_null);
		attachment->captures = strcmp(TextDatumGetCString(value), "replica") != 0;
		value = heap_getattr(row, ATTACHMENT_KEY, shape, &is_null);
		attachment->has_key_name = !is_null;
		if (!is_null)
			attachment->key = *DatumGetName(value);
		value = heap_getattr(row, ATTACHMENT_CAPTURE_UNCHANGED, shape, &is_null);
		attachment->capture_unchanged =
			is_null ? (uint32) setting_capture_unchanged
				: DatumGetUInt32(value);
	}
	catalog_scan_end(&scan);
	return row != NULL;
}

/* The table's own attachment or the one of the partitioned table it belongs to. */
static bool
find_attachment(Relation relation, struct attachment *attachment)
{
	ListCell *cell;

	if (attachment_of(RelationGetRelid(relation), attachment))
		return true;
	if (!relation->rd_rel->relispartition)
		return false;
	foreach(cell, get_partition_ancestors(RelationGetRelid(relation)))
		if (attachment_of(lfirst_oid(cell), attachment))
			return true;
	return false;
}

bool
relation_is_captured(Relation relation)
{
	struct attachment attachment;

	return find_attachment(relation, &attachment) && attachment.captures;
}

/* ---- the facts ---- */

static void
put_string(StringInfo out, const char *string)
{
	uint8 length[ELVIS_VARINT_MAX];

	appendBinaryStringInfo(out, (char *) length,
			       elvis_put_varint(length, strlen(string)) - length);
	appendBinaryStringInfo(out, string, strlen(string));
}

static void
put_varint(StringInfo out, uint64 value)
{
	uint8 bytes[ELVIS_VARINT_MAX];

	appendBinaryStringInfo(out, (char *) bytes,
			       elvis_put_varint(bytes, value) - bytes);
}

static void
learn_column(struct captured *table, Form_pg_attribute attribute)
{
	struct captured_column *column = &table->columns[table->n_columns++];

	column->number = attribute->attnum - 1;
	column->length = attribute->attlen;
	column->by_value = attribute->attbyval;
	column->generated = attribute->attgenerated != '\0';
	table->has_types |= attribute->atttypid >= FirstNormalObjectId;
	value_codec_init(&column->codec, attribute->atttypid, attribute->atttypmod,
			 attribute->attcollation, table->context);
}

static void
image_room(struct image *image, int n)
{
	image->at = palloc(sizeof(char *) * (n + 1));	/* one for what is dropped */
	image->copies = palloc(sizeof(Datum) * Max(n, 1));
}

static uint8
align_mask(char align)
{
	return att_align_nominal(1, align) - 1;
}

/* How rows lie in memory, and the room for taking them apart. */
static void
learn_layout(struct captured *table, TupleDesc shape)
{
	uint32 offset = 0;
	int column = 0;
	bool steady = true;

	table->n_stored = shape->natts;
	table->stored = palloc0(sizeof(struct stored_column) * Max(shape->natts, 1));
	table->n_steady = 0;
	for (int i = 0; i < shape->natts; i++) {
		Form_pg_attribute attribute = TupleDescAttr(shape, i);
		struct stored_column *stored = &table->stored[i];

		stored->length = attribute->attlen;
		stored->align_mask = align_mask(attribute->attalign);
		stored->column = attribute->attisdropped ? table->n_columns : column++;
		steady &= stored->length > 0;
		if (!steady)
			continue;
		stored->offset = (offset + stored->align_mask) & ~stored->align_mask;
		offset = stored->offset + stored->length;
		table->n_steady++;
	}
	table->steady_length = offset;
	image_room(&table->old_image, table->n_columns);
	image_room(&table->new_image, table->n_columns);
}

static void
learn_key(struct captured *table, Relation relation, const struct attachment *attachment)
{
	AttrNumber numbers[INDEX_MAX_KEYS];
	int n = key_columns(relation,
			    attachment->has_key_name ? NameStr(attachment->key) : NULL,
			    attachment->root, numbers, NULL);

	table->has_key = n > 0;
	table->n_key = n;
	table->key = palloc(sizeof(int) * Max(n, 1));
	for (int i = 0; i < n; i++)
		for (int c = 0; c < table->n_columns; c++)
			if (table->columns[c].number == numbers[i] - 1) {
				table->columns[c].in_key = true;
				table->key[i] = c;
			}
}

static void
describe_column(StringInfo out, struct captured_column *column,
		Form_pg_attribute attribute)
{
	uint8 flags = 0;

	if (column->generated)
		flags |= ELVIS_COLUMN_GENERATED;
	if (attribute->attidentity != '\0')
		flags |= ELVIS_COLUMN_IDENTITY;
	appendStringInfoChar(out, column->codec.form);
	appendStringInfoChar(out, flags);
	put_string(out, NameStr(attribute->attname));
	put_string(out, format_type_be(attribute->atttypid));
	put_varint(out,
		   column->codec.base < FirstGenbkiObjectId ? column->codec.base : 0);
	put_varint(out, (uint64) (column->codec.typmod + 1));
}

static void
describe(struct captured *table, Relation relation)
{
	TupleDesc shape = RelationGetDescr(relation);
	StringInfo out = &table->descriptor;

	initStringInfo(out);
	put_string(out, get_namespace_name(get_rel_namespace(table->root)));
	put_string(out, get_rel_name(table->root));
	put_varint(out, table->n_columns);
	for (int i = 0; i < table->n_columns; i++)
		describe_column(out, &table->columns[i],
				TupleDescAttr(shape, table->columns[i].number));
	put_varint(out, table->n_key);
	for (int i = 0; i < table->n_key; i++)
		put_varint(out, table->key[i]);
}

static void
learn(struct captured *table, Relation relation)
{
	TupleDesc shape = RelationGetDescr(relation);
	struct attachment attachment;
	MemoryContext before;
	int nest;

	if (!find_attachment(relation, &attachment) || !attachment.captures)
		ereport(ERROR, (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				errmsg("table \"%s\" has elvis' capture trigger but is "
				       "not attached",
				       RelationGetRelationName(relation)),
				errhint("Use elvis.attach() or elvis.detach() for it.")));

	table->context = AllocSetContextCreate(CacheMemoryContext, "elvis captured table",
					       ALLOCSET_SMALL_SIZES);
	before = MemoryContextSwitchTo(table->context);
	nest = value_pin(VALUE_PIN_FORMATS);
	table->root = attachment.root;
	any_partition |= table->root != table->relid;
	table->capture_unchanged = attachment.capture_unchanged;
	table->n_columns = 0;
	table->has_types = false;
	table->pins = 0;
	table->columns = palloc0(sizeof(struct captured_column) * Max(shape->natts, 1));
	for (int i = 0; i < shape->natts; i++)
		if (!TupleDescAttr(shape, i)->attisdropped)
			learn_column(table, TupleDescAttr(shape, i));
	for (int i = 0; i < table->n_columns; i++)
		table->pins |= table->columns[i].codec.pins;
	any_types |= table->has_types;
	learn_layout(table, shape);
	learn_key(table, relation, &attachment);
	for (int i = 0; i < table->n_columns; i++)
		table->columns[i].carried =
			!table->columns[i].generated || table->columns[i].in_key;
	describe(table, relation);
	value_unpin(nest);
	MemoryContextSwitchTo(before);
}

/* ---- versions ---- */

/* *ours: it was written by the running transaction, which may yet undo it. */
static int64
newest_version(Oid relid, bytea **descriptor, bool *ours)
{
	Relation relation = table_open(catalog_oid(CATALOG_RELATION), AccessShareLock);
	Relation index =
		index_open(catalog_oid(CATALOG_RELATION_NEWEST), AccessShareLock);
	Snapshot snapshot = RegisterSnapshot(GetLatestSnapshot());
	SysScanDesc scan;
	ScanKeyData by_relid;
	HeapTuple row;
	int64 version = 0;

	ScanKeyInit(&by_relid, RELATION_RELID, BTEqualStrategyNumber, F_OIDEQ,
		    ObjectIdGetDatum(relid));
	scan = systable_beginscan_ordered(relation, index, snapshot, 1, &by_relid);
	row = systable_getnext_ordered(scan, BackwardScanDirection);
	if (row != NULL) {
		TupleDesc shape = RelationGetDescr(relation);
		bool is_null;

		version = DatumGetInt64(heap_getattr(row, RELATION_ID, shape, &is_null));
		if (descriptor != NULL)
			*descriptor = DatumGetByteaPCopy(
				heap_getattr(row, RELATION_DESCRIPTOR, shape, &is_null));
		if (ours != NULL)
			*ours = TransactionIdIsCurrentTransactionId(
				HeapTupleHeaderGetXmin(row->t_data));
	}
	systable_endscan_ordered(scan);
	UnregisterSnapshot(snapshot);
	index_close(index, AccessShareLock);
	table_close(relation, AccessShareLock);
	return version;
}

int64
relation_newest_version(Oid relid)
{
	return newest_version(relid, NULL, NULL);
}

static int64
write_version(const struct captured *table)
{
	Relation relation = table_open(catalog_oid(CATALOG_RELATION), RowExclusiveLock);
	Datum values[RELATION_COLUMNS];
	bool nulls[RELATION_COLUMNS] = {false};
	NameData schema, name;
	bytea *descriptor = palloc(VARHDRSZ + table->descriptor.len);
	int64 version = catalog_sequence_next(CATALOG_RELATION_ID, 1);

	SET_VARSIZE(descriptor, VARHDRSZ + table->descriptor.len);
	memcpy(VARDATA(descriptor), table->descriptor.data, table->descriptor.len);
	namestrcpy(&schema, get_namespace_name(get_rel_namespace(table->root)));
	namestrcpy(&name, get_rel_name(table->root));
	values[RELATION_ID - 1] = Int64GetDatum(version);
	values[RELATION_RELID - 1] = ObjectIdGetDatum(table->relid);
	values[RELATION_SCHEMA - 1] = NameGetDatum(&schema);
	values[RELATION_TABLE - 1] = NameGetDatum(&name);
	values[RELATION_AT - 1] = TimestampTzGetDatum(GetCurrentTimestamp());
	values[RELATION_DESCRIPTOR - 1] = PointerGetDatum(descriptor);
	catalog_insert(relation, values, nulls);
	table_close(relation, RowExclusiveLock);
	return version;
}

static bool
same_bytes(const bytea *a, const StringInfoData *b)
{
	return VARSIZE_ANY_EXHDR(a) == b->len &&
	       memcmp(VARDATA_ANY(a), b->data, b->len) == 0;
}

/*
 * Finds or writes the version of the shape just learnt.  `was` is the descriptor that the
 * version we have stands for.
 */
static void
number(struct captured *table, const StringInfoData *was)
{
	bytea *newest = NULL;
	bool ours = false;
	int64 version;

	if (table->version != 0 && was->len == table->descriptor.len &&
	    memcmp(was->data, table->descriptor.data, was->len) == 0)
		return;
	version = newest_version(table->relid, &newest, &ours);
	if (version == 0 || !same_bytes(newest, &table->descriptor)) {
		version = write_version(table);
		ours = true;
	}
	/* one of ours that we find again is our parents' or our own: forgotten before it can go */
	table->version_owner = ours ? GetCurrentSubTransactionId() : InvalidSubTransactionId;
	any_uncommitted |= ours;
	table->version = version;
	table->head_length =
		elvis_put_varint(table->head, (uint64) version) - table->head;
}

/* ---- looking up ---- */

static struct captured *
entry(Oid relid)
{
	struct captured *table;
	bool found;

	if (known == NULL) {
		HASHCTL how = {
			.keysize = sizeof(Oid),
			.entrysize = sizeof(struct captured),
			.hcxt = CacheMemoryContext,
		};

		known = hash_create("elvis captured tables", 64, &how,
				    HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	table = hash_search(known, &relid, HASH_ENTER, &found);
	if (!found) {
		memset((char *) table + sizeof(Oid), 0, sizeof(*table) - sizeof(Oid));
		table->stale = true;
	}
	return table;
}

static void
renew(struct captured *table, Relation relation)
{
	struct captured fresh = *table;

	node_genuine();
	fresh.context = NULL;
	PG_TRY();
	{
		/* an invalidation that arrives from here on makes it stale again */
		table->stale = false;
		learn(&fresh, relation);
		number(&fresh, &table->descriptor);
	}
	PG_CATCH();
	{
		table->stale = true;
		if (fresh.context != NULL)
			MemoryContextDelete(fresh.context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	fresh.stale = table->stale;
	if (table->context != NULL)
		MemoryContextDelete(table->context);
	*table = fresh;
	table->family = table->root == table->relid ? table : entry(table->root);
}

struct captured *
relation_captured(Relation relation)
{
	Oid relid = RelationGetRelid(relation);
	struct captured **place = &recent[relid % lengthof(recent)];
	struct captured *table = *place;

	if (likely(table != NULL && table->relid == relid && !table->stale))
		return table;
	table = entry(relid);
	if (table->stale)
		renew(table, relation);
	*place = table;
	return table;
}

bytea *
relation_descriptor(int64 version, Oid *relid, MemoryContext context)
{
	struct catalog_scan scan;
	ScanKeyData by_id;
	HeapTuple row;
	bytea *descriptor = NULL;

	ScanKeyInit(&by_id, RELATION_ID, BTEqualStrategyNumber, F_INT8EQ,
		    Int64GetDatum(version));
	catalog_scan_begin(&scan, catalog_oid(CATALOG_RELATION),
			   catalog_oid(CATALOG_RELATION_NUMBER), 1, &by_id);
	row = catalog_scan_next(&scan);
	if (row != NULL) {
		TupleDesc shape = RelationGetDescr(scan.relation);
		MemoryContext before = MemoryContextSwitchTo(context);
		bool is_null;

		descriptor = DatumGetByteaPCopy(
			heap_getattr(row, RELATION_DESCRIPTOR, shape, &is_null));
		if (relid != NULL)
			*relid = DatumGetObjectId(
				heap_getattr(row, RELATION_RELID, shape, &is_null));
		MemoryContextSwitchTo(before);
	}
	catalog_scan_end(&scan);
	return descriptor;
}
