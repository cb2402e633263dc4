/*
 * node.c - which node this database is, and whether it is still the same database.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xlog.h"
#include "catalog/pg_control.h"
#include "fmgr.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/inval.h"

#include <elvis/record.h>

#include "catalog.h"
#include "inval.h"
#include "node.h"

PG_FUNCTION_INFO_V1(elvis_system_identifier);
PG_FUNCTION_INFO_V1(elvis_database_id);
PG_FUNCTION_INFO_V1(elvis_random_number);
PG_FUNCTION_INFO_V1(elvis_node_changed);
PG_FUNCTION_INFO_V1(elvis_signature);

enum {
	NODE_ID = 1,
	NODE_INCARNATION = 4,
	NODE_SYSTEM,
	NODE_DATABASE,
};

static struct node node;
static bool known;		/* found genuine by this session */
static Oid node_table;		/* where it was found */

static void
forget(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == node_table)
		known = false;
}

void
node_init(void)
{
	inval_relation(forget);
}

static Datum
column(HeapTuple row, struct catalog_scan *scan, int number)
{
	bool is_null;

	return heap_getattr(row, number, RelationGetDescr(scan->relation), &is_null);
}

static void
refuse_copy(int32 id)
{
	ereport(ERROR, (errcode(ERRCODE_ELVIS_NODE),
			errmsg("this database is a copy of node %d", id),
			errdetail("The system identifier or the database is not the one "
				  "recorded in elvis.node."),
			errhint("Use elvis.same_node() if it takes that node's place "
				"(failover, restore), or elvis.adopt_node() to make it a "
				"node of its own.")));
}

const struct node *
node_genuine(void)
{
	struct catalog_scan scan;
	HeapTuple row;

	if (likely(known))
		return &node;
	node_table = catalog_oid(CATALOG_NODE);
	catalog_scan_begin(&scan, node_table, InvalidOid, 0, NULL);
	row = catalog_scan_next(&scan);
	if (row == NULL)
		ereport(ERROR,
			(errcode(ERRCODE_ELVIS_NODE),
			 errmsg("this database is not a node"),
			 errhint("Use elvis.setup_node().")));
	node.id = DatumGetInt32(column(row, &scan, NODE_ID));
	node.incarnation = DatumGetInt64(column(row, &scan, NODE_INCARNATION));
	if ((uint64) DatumGetInt64(column(row, &scan, NODE_SYSTEM)) !=
		    GetSystemIdentifier() ||
	    DatumGetObjectId(column(row, &scan, NODE_DATABASE)) != MyDatabaseId)
		refuse_copy(node.id);
	catalog_scan_end(&scan);
	known = true;
	return &node;
}

Datum
elvis_system_identifier(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) GetSystemIdentifier());
}

Datum
elvis_database_id(PG_FUNCTION_ARGS)
{
	PG_RETURN_OID(MyDatabaseId);
}

Datum
elvis_random_number(PG_FUNCTION_ARGS)
{
	int64 number;

	if (!pg_strong_random(&number, sizeof(number)))
		ereport(ERROR,
			(errcode(ERRCODE_INTERNAL_ERROR),
			 errmsg("could not get a random number")));
	PG_RETURN_INT64(number);
}

Datum
elvis_node_changed(PG_FUNCTION_ARGS)
{
	CacheInvalidateRelcacheByRelid(catalog_oid(CATALOG_NODE));
	PG_RETURN_VOID();
}

Datum
elvis_signature(PG_FUNCTION_ARGS)
{
#ifdef WORDS_BIGENDIAN
	const char *order = "big";
#else
	const char *order = "little";
#endif

	PG_RETURN_TEXT_P(cstring_to_text(
		psprintf("record %d, PostgreSQL %s, %s endian, %s, IEEE floats",
			 ELVIS_RECORD_FORMAT, PG_MAJORVERSION, order,
			 GetDatabaseEncodingName())));
}
