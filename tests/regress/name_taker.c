/*
 * name_taker.c - a module that takes the name of elvis' shared memory for something else, as
 * others might who ran out of memory halfway: whoever asks for the area gets an error.
 *
 *	LOAD 'name_taker';
 */
#include "postgres.h"

#include "fmgr.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#if PG_VERSION_NUM >= 170000
#include "storage/dsm_registry.h"
#endif

PG_MODULE_MAGIC;

void _PG_init(void);

#define TAKEN "elvis waiters"
#define TAKEN_SIZE 8

#if PG_VERSION_NUM >= 170000
static void
fill(void *memory)
{
	memset(memory, 0, TAKEN_SIZE);
}
#endif

void
_PG_init(void)
{
	bool found;

#if PG_VERSION_NUM >= 170000
	(void) GetNamedDSMSegment(TAKEN, TAKEN_SIZE, fill, &found);
#else
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	(void) ShmemInitStruct(TAKEN, TAKEN_SIZE, &found);
	LWLockRelease(AddinShmemInitLock);
#endif
	if (found)
		elog(ERROR, "elvis was here before");
}
