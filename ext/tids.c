/*
 * tids.c - where this transaction has put the newest version of a row, by key.
 *
 * A row that one target transaction updates ten thousand times leaves ten thousand versions behind
 * one index entry; going through them each time would be quadratic.  A hint only: whoever recalls
 * a place looks whether the row is there.  Emptied whenever a subtransaction is rolled back,
 * because what it wrote may then be overwritten, and when a table has changed its file.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "walk.h"

/* More rows than this are not hot, and would not stay in the processor's cache. */
#define TIDS_MAX 8192

struct tid_entry {
	uint64 key;
	ItemPointerData tid;
	char status;
};

#define SH_PREFIX tid
#define SH_ELEMENT_TYPE struct tid_entry
#define SH_KEY_TYPE uint64
#define SH_KEY key
#define SH_HASH_KEY(table, key) ((uint32) ((key) ^ (key) >> 32))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

void
tids_remember(Walk *walk, uint64 key, ItemPointer tid)
{
	struct tid_entry *entry;
	bool known;

	if (walk->tids == NULL)
		walk->tids = tid_create(walk->context, 256, NULL);
	else if (walk->tids->members >= TIDS_MAX)
		tid_reset(walk->tids);
	entry = tid_insert(walk->tids, key, &known);
	entry->tid = *tid;
}

bool
tids_recall(Walk *walk, uint64 key, ItemPointer tid)
{
	struct tid_entry *entry = walk->tids == NULL ? NULL : tid_lookup(walk->tids, key);

	if (entry == NULL)
		return false;
	*tid = entry->tid;
	return true;
}

void
tids_forget(Walk *walk)
{
	if (walk->tids != NULL)
		tid_reset(walk->tids);
}
