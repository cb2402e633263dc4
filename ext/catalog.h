/*
 * catalog.h - the extension's own tables and sequences, reached directly: no SQL, no
 * planner, and no SQL privilege asked of the user in whose transaction we work.
 */
#ifndef ELVIS_EXT_CATALOG_H
#define ELVIS_EXT_CATALOG_H

#include "access/genam.h"
#include "access/skey.h"
#include "utils/rel.h"
#include "utils/snapshot.h"

#define ERRCODE_ELVIS_SNAPSHOT_UNKNOWN MAKE_SQLSTATE('E', 'L', '0', '0', '1')
#define ERRCODE_ELVIS_LOG_GONE MAKE_SQLSTATE('E', 'L', '0', '0', '2')
#define ERRCODE_ELVIS_NODE MAKE_SQLSTATE('E', 'L', '0', '0', '3')
#define ERRCODE_ELVIS_DAMAGED MAKE_SQLSTATE('E', 'L', '0', '0', '4')
#define ERRCODE_ELVIS_POSITION MAKE_SQLSTATE('E', 'L', '0', '1', '0')
#define ERRCODE_ELVIS_MUST_ASK MAKE_SQLSTATE('E', 'L', '0', '1', '1')
#define ERRCODE_ELVIS_ROUTE MAKE_SQLSTATE('E', 'L', '0', '1', '2')

/* What has one name for ever; its number is remembered by the session. */
enum catalog_object {
	CATALOG_NODE,
	CATALOG_ATTACHMENT,
	CATALOG_ATTACHMENT_PKEY,
	CATALOG_RELATION,
	CATALOG_RELATION_NUMBER,
	CATALOG_RELATION_NEWEST,
	CATALOG_RELATION_ID,
	CATALOG_SEGMENT,
	CATALOG_SEGMENT_CURRENT,
	CATALOG_LOG_SEQ,
	CATALOG_RESOLUTION,
	CATALOG_RESOLUTION_ID,
	CATALOG_OBJECTS
};

void catalog_init(void);

/* Number of the schema; an error when the extension is not there. */
Oid catalog_schema(void);

/* Number of the object; an error when it is not there. */
Oid catalog_oid(enum catalog_object object);

/* Number of a relation of the schema by name; InvalidOid when there is none. */
Oid catalog_find(const char *name);

/* A new row, with its index entries, in the current subtransaction. */
void catalog_insert(Relation relation, Datum *values, bool *nulls);

/*
 * A scan by equality on the first columns of an index, or of the whole table when `index`
 * is invalid, under a snapshot of its own taken now.  Rows live until the next one is
 * asked for.
 */
struct catalog_scan {
	Relation relation;
	SysScanDesc scan;
	Snapshot snapshot;
};

void catalog_scan_begin(struct catalog_scan *scan, Oid relation, Oid index, int n_keys,
			ScanKey keys);
HeapTuple catalog_scan_next(struct catalog_scan *scan);
void catalog_scan_end(struct catalog_scan *scan);

/*
 * The last number given out, 0 when none was; read as it is now, outside of any snapshot.
 */
int64 catalog_sequence_last(enum catalog_object sequence);

/*
 * The first of the next `n` numbers; also in a transaction that has been set READ ONLY
 * after it wrote.
 */
int64 catalog_sequence_next(enum catalog_object sequence, uint32 n);

#endif
