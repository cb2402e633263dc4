/*
 * route.c - which link brings an origin's changes to a table.
 *
 * Two ways for the same changes would apply them twice, and no link can see it by itself: each
 * is exact on its own.  So the target keeps who came first, for each table and origin: links that
 * bring the same origin's changes to different tables have nothing to do with one another.
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
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#include "catalog.h"
#include "inval.h"
#include "route.h"

PG_FUNCTION_INFO_V1(elvis_route_changed);

/* Columns of elvis.route. */
enum { ROUTE_RELID = 1, ROUTE_ORIGIN, ROUTE_LINK, ROUTE_COLUMNS = ROUTE_LINK };

/* The table, and how often we were told that it has changed.  What was read before the last time
 * is not believed any more. */
static Oid routes;
static uint64 changes;

static void
forget(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == routes)
		changes++;
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

/* ---- what the session remembers, with the table: its link owns these origins ---- */

static bool
is_owned(TargetRoutes *known, uint32 origin)
{
	if (known->seen != changes)
		known->n = 0;
	for (int i = 0; i < known->n; i++)
		if (known->origins[i] == origin)
			return true;
	return false;
}

/* Of more than there is room for, the table is asked each time. */
static void
note_owned(TargetRoutes *known, uint32 origin)
{
	if (known->n < ROUTES_MAX)
		known->origins[known->n++] = origin;
}

/* ---- elvis.route ---- */

static void
route_keys(ScanKey keys, Oid relid, uint32 origin)
{
	ScanKeyInit(&keys[0], ROUTE_RELID, BTEqualStrategyNumber, F_OIDEQ,
		    ObjectIdGetDatum(relid));
	ScanKeyInit(&keys[1], ROUTE_ORIGIN, BTEqualStrategyNumber, F_INT4EQ,
		    Int32GetDatum(origin));
}

static pg_uuid_t
link_of(HeapTuple tuple, Relation relation)
{
	bool isnull;

	return *DatumGetUUIDP(heap_getattr(tuple, ROUTE_LINK, RelationGetDescr(relation),
					   &isnull));
}

/* Who owns them; *settled: that cannot be rolled back, as what we have entered can. */
static bool
route_find(Oid relid, uint32 origin, pg_uuid_t *owner, bool *settled)
{
	struct catalog_scan scan;
	ScanKeyData keys[2];
	HeapTuple tuple;

	route_keys(keys, relid, origin);
	catalog_scan_begin(&scan, routes, catalog_find("route_pkey"), 2, keys);
	tuple = catalog_scan_next(&scan);
	if (tuple != NULL) {
		*owner = link_of(tuple, scan.relation);
		*settled = !TransactionIdIsCurrentTransactionId(
			HeapTupleHeaderGetXmin(tuple->t_data));
	}
	catalog_scan_end(&scan);
	return tuple != NULL;
}

/* Likewise, and what others are about to enter; *entering: their transaction. */
static bool
route_find_entered(Relation relation, Oid relid, uint32 origin, pg_uuid_t *owner,
		   TransactionId *entering)
{
	SnapshotData dirty;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple tuple;

	route_keys(keys, relid, origin);
	InitDirtySnapshot(dirty);
	scan = systable_beginscan(relation, catalog_find("route_pkey"), true, &dirty, 2, keys);
	tuple = systable_getnext(scan);
	if (tuple != NULL) {
		*owner = link_of(tuple, relation);
		*entering = dirty.xmin;
	}
	systable_endscan(scan);
	return tuple != NULL;
}

static void
route_insert(Relation relation, Oid relid, uint32 origin, const pg_uuid_t *link)
{
	Datum values[ROUTE_COLUMNS] = { ObjectIdGetDatum(relid), Int32GetDatum(origin),
					UUIDPGetDatum(link) };
	bool nulls[ROUTE_COLUMNS] = { false };

	catalog_insert(relation, values, nulls);
}

/*
 * Enters us unless somebody is there.  The lock, of this one table and origin, is held only while
 * we look and enter: a target transaction may be long, and claim thousands.
 */
static TransactionId
route_try_enter(const Position *position, Oid relid, uint32 origin, pg_uuid_t *owner)
{
	Relation relation = table_open(routes, RowExclusiveLock);
	TransactionId entering = InvalidTransactionId;

	LockDatabaseObject(routes, relid, (uint16) origin, ExclusiveLock);
	if (!route_find_entered(relation, relid, origin, owner, &entering)) {
		route_insert(relation, relid, origin, &position->link);
		*owner = position->link;
	}
	UnlockDatabaseObject(routes, relid, (uint16) origin, ExclusiveLock);
	table_close(relation, NoLock);
	return entering;
}

/* The first that comes owns them; who comes second waits for its end and then finds the first. */
static void
route_enter(const Position *position, Oid relid, uint32 origin, pg_uuid_t *owner)
{
	TransactionId entering;

	while (TransactionIdIsValid(entering = route_try_enter(position, relid, origin, owner)))
		XactLockTableWait(entering, NULL, NULL, XLTW_None);
}

static void
refuse(Oid relid, uint32 origin, const pg_uuid_t *owner)
{
	char *name = position_name(owner);

	ereport(ERROR,
		(errcode(ERRCODE_ELVIS_ROUTE),
		 errmsg("changes of table \"%s.%s\" made at node %u come here by two links",
			get_namespace_name(get_rel_namespace(relid)), get_rel_name(relid),
			origin),
		 errdetail("Link \"%s\" (%s) brought them first; elvisctl plan says how a table "
			   "moves to another.", name != NULL ? name : "",
			   DatumGetCString(DirectFunctionCall1(uuid_out, UUIDPGetDatum(owner)))),
		 errhint("Take the table out of one of the links. Links of a mesh forward local "
			 "changes only.")));
}

void
route_claim(const Position *position, TargetMap *map, uint32 origin)
{
	TargetRoutes *known = &map->routes;
	bool settled = false;
	pg_uuid_t owner;

	if (is_owned(known, origin))
		return;
	routes = catalog_find("route");
	known->seen = changes;
	if (!route_find(map->relid, origin, &owner, &settled))
		route_enter(position, map->relid, origin, &owner);
	if (memcmp(&owner, &position->link, sizeof(owner)) != 0)
		refuse(map->relid, origin, &owner);
	if (settled && known->seen == changes)
		note_owned(known, origin);
}
