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
#include "fmgr.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/inval.h"

#include "catalog.h"
#include "inval.h"
#include "route.h"

PG_FUNCTION_INFO_V1(elvis_route_changed);

/* Columns of elvis.route. */
enum { ROUTE_ORIGIN = 1, ROUTE_LINK, ROUTE_COLUMNS = ROUTE_LINK };

/* What this session has seen in the table: that link owns these origins.  Of more than there is
 * room for, the table is asked each time. */
static struct {
	Oid table;
	bool changed;		/* since somebody began to look */
	pg_uuid_t link;
	uint32 origins[16];
	size_t n;
} owned;

static void
forget(Datum arg, Oid relid)
{
	if (OidIsValid(relid) && relid != owned.table)
		return;
	owned.n = 0;
	owned.changed = true;
}

void
route_init(void)
{
	inval_relation(forget);
}

/* The table has changed otherwise than by a link that claims what nobody owns. */
Datum
elvis_route_changed(PG_FUNCTION_ARGS)
{
	CacheInvalidateRelcacheByRelid(catalog_find("route"));
	PG_RETURN_POINTER(NULL);
}

static bool
is_owned(const pg_uuid_t *link, uint32 origin)
{
	if (memcmp(link, &owned.link, sizeof(*link)) != 0)
		owned.n = 0;
	for (size_t i = 0; i < owned.n; i++)
		if (owned.origins[i] == origin)
			return true;
	return false;
}

static void
note_owned(const pg_uuid_t *link, uint32 origin)
{
	owned.link = *link;
	if (owned.n < lengthof(owned.origins))
		owned.origins[owned.n++] = origin;
}

/* Who owns the origin; *settled: that cannot be rolled back, as what we have entered can. */
static bool
route_find(uint32 origin, pg_uuid_t *link, bool *settled)
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
		*settled = !TransactionIdIsCurrentTransactionId(
			HeapTupleHeaderGetXmin(tuple->t_data));
	}
	catalog_scan_end(&scan);
	return tuple != NULL;
}

/* The first that comes owns it; who comes second waits here and then finds the first. */
static void
route_enter(const Position *position, uint32 origin, pg_uuid_t *owner)
{
	Relation relation = table_open(catalog_find("route"), ShareRowExclusiveLock);
	bool settled;

	if (!route_find(origin, owner, &settled)) {
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
	bool settled = false;
	pg_uuid_t owner;

	if (is_owned(&position->link, origin))
		return;
	owned.table = catalog_find("route");
	owned.changed = false;
	if (!route_find(origin, &owner, &settled))
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
	if (settled && !owned.changed)
		note_owned(&position->link, origin);
}
