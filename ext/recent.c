/*
 * recent.c - a ring of snapshots.
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/memutils.h"

#include "inval.h"
#include "recent.h"

#define KEPT 4	/* both ends of the batch, and those of another one */

static struct {
	Oid table;
	struct snapshot_row row;	/* id 0: none */
} ring[KEPT];
static int next;

static void
forget_all(void)
{
	for (int i = 0; i < KEPT; i++) {
		if (ring[i].row.id != 0)
			pfree(ring[i].row.image);
		ring[i].row.id = 0;
	}
}

static void
table_changed(Datum arg, Oid relid)
{
	for (int i = 0; i < KEPT; i++)
		if (ring[i].row.id != 0 && (!OidIsValid(relid) || ring[i].table == relid)) {
			forget_all();
			return;
		}
}

static void
xact_event(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		forget_all();
}

static void
subxact_event(SubXactEvent event, SubTransactionId self, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		forget_all();
}

void
recent_init(void)
{
	inval_relation(table_changed);
	RegisterXactCallback(xact_event, NULL);
	RegisterSubXactCallback(subxact_event, NULL);
}

static struct snapshot_image *
copy_image(MemoryContext context, const struct snapshot_image *image)
{
	Size size = offsetof(struct snapshot_image, running) +
		    sizeof(uint64) * image->n_running;

	return memcpy(MemoryContextAlloc(context, size), image, size);
}

static bool
is_there(const struct snapshot_row *row)
{
	for (int i = 0; i < KEPT; i++)
		if (ring[i].row.id == row->id && ring[i].row.token == row->token)
			return true;
	return false;
}

void
recent_add(Oid table, const struct snapshot_row *row)
{
	struct snapshot_image *image;

	if (is_there(row))
		return;
	image = copy_image(TopMemoryContext, row->image);
	if (ring[next].row.id != 0)
		pfree(ring[next].row.image);
	ring[next].table = table;
	ring[next].row = *row;
	ring[next].row.image = image;
	next = (next + 1) % KEPT;
}

bool
recent_find(int64 id, struct snapshot_row *row)
{
	const struct snapshot_row *found = NULL;

	for (int i = 0; i < KEPT; i++)
		if (ring[i].row.id != 0 && (id == 0 || ring[i].row.id == id) &&
		    (found == NULL || ring[i].row.id > found->id))
			found = &ring[i].row;
	if (found == NULL)
		return false;
	*row = *found;
	row->image = copy_image(CurrentMemoryContext, found->image);
	return true;
}
