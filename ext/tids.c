/*
 * tids.c - where this session has put the newest version of a row, by key.
 *
 * A row that is updated ten thousand times leaves ten thousand versions behind one index entry or
 * a few, as long as the transaction that did it lasts, or an older snapshot; going through them
 * each time would be quadratic.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "tids.h"

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

static tid_hash *places;

void
tids_remember(uint64 key, ItemPointer tid)
{
	struct tid_entry *entry;
	bool known;

	if (places == NULL)
		places = tid_create(CacheMemoryContext, 256, NULL);
	else if (places->members >= TIDS_MAX)
		tid_reset(places);
	entry = tid_insert(places, key, &known);
	entry->tid = *tid;
}

bool
tids_recall(uint64 key, ItemPointer tid)
{
	struct tid_entry *entry = places == NULL ? NULL : tid_lookup(places, key);

	if (entry == NULL)
		return false;
	*tid = entry->tid;
	return true;
}
