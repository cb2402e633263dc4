/*
 * route.c - which link brings the changes of an origin.
 *
 * Two ways for the same changes would apply them twice, and no link can see it by itself: each
 * is exact on its own.  So the target keeps who came first.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"

#include "catalog.h"
#include "route.h"

/* Columns of elvis.route. */
enum { ROUTE_ORIGIN = 1, ROUTE_LINK, ROUTE_COLUMNS = ROUTE_LINK };

uint32
route_node(void)
{
	struct catalog_scan scan;
	HeapTuple tuple;
	uint32 node = 0;

	catalog_scan_begin(&scan, catalog_oid(CATALOG_NODE), InvalidOid, 0, NULL);
	tuple = catalog_scan_next(&scan);
	if (tuple != NULL) {
		bool isnull;

		node = (uint32) DatumGetInt32(heap_getattr(tuple, 1,
							   RelationGetDescr(scan.relation),
							   &isnull));
	}
	catalog_scan_end(&scan);
	return node;
}

static bool
route_find(uint32 origin, pg_uuid_t *link)
{
	struct catalog_scan scan;
	ScanKeyData key;
	HeapTuple tuple;

	ScanKeyInit(&key, ROUTE_ORIGIN, BTEqualStrategyNumber, F_INT4EQ, Int32GetDatum(origin));
	catalog_scan_begin(&scan, catalog_find("route"), catalog_find("route_pkey"), 1, &key);
	tuple = catalog_scan_next(&scan);
	if (tuple != NULL) {
		bool isnull;

		*link = *DatumGetUUIDP(heap_getattr(tuple, ROUTE_LINK,
						    RelationGetDescr(scan.relation), &isnull));
	}
	catalog_scan_end(&scan);
	return tuple != NULL;
}

/* The first that comes owns it; who comes second waits here and then finds the first. */
static void
route_enter(const Position *position, uint32 origin, pg_uuid_t *owner)
{
	Relation relation = table_open(catalog_find("route"), ShareRowExclusiveLock);

	if (!route_find(origin, owner)) {
		Datum values[ROUTE_COLUMNS] = { Int32GetDatum(origin),
						UUIDPGetDatum(&position->link) };
		bool nulls[ROUTE_COLUMNS] = { false };

		catalog_insert(relation, values, nulls);
		CommandCounterIncrement();
		*owner = position->link;
	}
	table_close(relation, NoLock);
}

void
route_claim(const Position *position, uint32 origin)
{
	pg_uuid_t owner;

	if (!route_find(origin, &owner))
		route_enter(position, origin, &owner);
	if (memcmp(&owner, &position->link, sizeof(owner)) != 0)
		ereport(ERROR,
			(errcode(ERRCODE_ELVIS_ROUTE),
			 errmsg("changes of node %u come here by two links", origin),
			 errdetail("Link %s brought them first.",
				   DatumGetCString(DirectFunctionCall1(uuid_out,
								       UUIDPGetDatum(&owner)))),
			 errhint("Links of a mesh forward local changes only. To move an "
				 "origin to another link, bring both to the same position "
				 "and change elvis.route.")));
}
