/*
 * The module's face to the server.
 */
#include "postgres.h"

#include "fmgr.h"

#include "capture.h"
#include "catalog.h"
#include "node.h"
#include "pending.h"
#include "read.h"
#include "recent.h"
#include "position.h"
#include "relation.h"
#include "route.h"
#include "segment.h"
#include "settings.h"
#include "target.h"
#include "version.h"
#include "wait.h"
#include "walk.h"

PG_MODULE_MAGIC;

void _PG_init(void);

/*
 * Callbacks at the end of a transaction run in the reverse of this order: capture's pending
 * changes are written after whoever registers later has captured his last ones.
 */
void
_PG_init(void)
{
	settings_init();
	catalog_init();
	node_init();
	segment_init();
	snapshot_init();
	relation_init();
	version_init();
	read_init();
	recent_init();
	wait_init();
	capture_init();
	pending_init();
	map_init();
	position_init();
	route_init();
	walk_init();
}
