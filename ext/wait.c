/*
 * wait.c - the area of shared memory through which committers wake those who wait.
 *
 * No lock is taken by a committer.  It counts first and then looks at the slots; a waiter
 * enters its slot first and then looks at the counter: one of the two sees the other.  A
 * slot belongs to a process; one whose process has gone is used again, and a latch set
 * for somebody who reuses the PGPROC is a spurious wake-up.
 */
#include "postgres.h"

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "port/atomics.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "storage/shmem.h"
#include "utils/resowner.h"
#include "utils/wait_event.h"

#include "compat.h"
#include "wait.h"

PG_FUNCTION_INFO_V1(elvis_wake);

#if COMPAT_HAS_NAMED_DSM
#include "storage/dsm_registry.h"
#endif

#define SLOTS 32
#define COUNTERS 61
#define BLIND_STEP_MS 20	/* between looks when nobody can wake us */

struct slot {
	pg_atomic_uint32 pid;	/* 0: free */
	uint32 database;
	uint32 procno;
};

struct area {
	pg_atomic_uint64 counters[COUNTERS];	/* by database; sharing one only costs a look */
	pg_atomic_uint32 waiting;	/* slots in use, so that a commit need not look at all */
	struct slot slots[SLOTS];
};

StaticAssertDecl(sizeof(struct area) <= 1024,
		 "must fit what the server leaves unplanned");

static struct area *area;
static bool due;	/* this transaction's commit is to wake the others */

static void
area_init(void *memory)
{
	struct area *fresh = memory;

	memset(fresh, 0, sizeof(*fresh));
	for (int i = 0; i < COUNTERS; i++)
		pg_atomic_init_u64(&fresh->counters[i], 0);
	pg_atomic_init_u32(&fresh->waiting, 0);
	for (int i = 0; i < SLOTS; i++)
		pg_atomic_init_u32(&fresh->slots[i].pid, 0);
}

static struct area *
named_area(void)
{
	const char *name = "elvis waiters";
	struct area *found;
	bool is_there;

#if COMPAT_HAS_NAMED_DSM
	found = GetNamedDSMSegment(name, sizeof(*found), area_init, &is_there);
#else
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	found = ShmemInitStruct(name, sizeof(*found), &is_there);
	if (!is_there)
		area_init(found);
	LWLockRelease(AddinShmemInitLock);
#endif
	return found;
}

/*
 * What the server has left unplanned may be used up, or what has the name be something
 * else: then everybody polls.  The subtransaction gives back the locks that an error
 * leaves.
 */
static void
find_area(void)
{
	MemoryContext context = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	struct area *volatile found = NULL;

	BeginInternalSubTransaction(NULL);
	PG_TRY();
	{
		found = named_area();
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		found = NULL;
		MemoryContextSwitchTo(context);
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(context);
	CurrentResourceOwner = owner;
	area = found;
}

/* Finds the area or makes it; false when there is no room for it. */
static bool
attach(void)
{
	static bool tried;

	if (likely(area != NULL))
		return true;
	if (!tried) {
		tried = true;
		find_area();
	}
	return area != NULL;
}

void
wait_attach(void)
{
	(void) attach();
}

static pg_atomic_uint64 *
counter(void)
{
	return &area->counters[MyDatabaseId % COUNTERS];
}

uint64
wait_counter(void)
{
	return attach() ? pg_atomic_read_u64(counter()) : 0;
}

static void
wake(void)
{
	uint32 self = (uint32) MyProcPid;

	pg_atomic_fetch_add_u64(counter(), 1);	/* a full barrier */
	if (pg_atomic_read_u32(&area->waiting) == 0)
		return;
	for (int i = 0; i < SLOTS; i++) {
		struct slot *slot = &area->slots[i];
		uint32 pid = pg_atomic_read_u32(&slot->pid);

		if (pid != 0 && pid != self && slot->database == MyDatabaseId)
			SetLatch(&ProcGlobal->allProcs[slot->procno].procLatch);
	}
}

void
wait_wake_at_commit(void)
{
	due = attach();
}

static void
xact_event(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT && due)
		wake();
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
	    event == XACT_EVENT_PREPARE)
		due = false;
}

void
wait_init(void)
{
	RegisterXactCallback(xact_event, NULL);
}

/* ---- slots ---- */

static struct slot *
claim(struct slot *slot, uint32 was)
{
	if (!pg_atomic_compare_exchange_u32(&slot->pid, &was, (uint32) MyProcPid))
		return NULL;
	slot->database = MyDatabaseId;
	slot->procno = compat_my_procno();
	return slot;
}

static struct slot *
enter(void)
{
	for (int i = 0; i < SLOTS; i++) {
		struct slot *mine = NULL;

		if (pg_atomic_read_u32(&area->slots[i].pid) == 0)
			mine = claim(&area->slots[i], 0);
		if (mine != NULL) {
			pg_atomic_fetch_add_u32(&area->waiting, 1);
			return mine;
		}
	}
	/* none is free: one may have been left by a process that was killed */
	for (int i = 0; i < SLOTS; i++) {
		uint32 pid = pg_atomic_read_u32(&area->slots[i].pid);

		if (pid != 0 && BackendPidGetProc((int) pid) == NULL) {
			struct slot *mine = claim(&area->slots[i], pid);

			if (mine != NULL)
				return mine;
		}
	}
	return NULL;
}

static void
leave(int code, Datum slot)
{
	struct slot *mine = (struct slot *) DatumGetPointer(slot);

	pg_atomic_fetch_sub_u32(&area->waiting, 1);
	pg_atomic_write_u32(&mine->pid, 0);
}

void
wait_nap(long timeout_ms)
{
	(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH,
			 timeout_ms, PG_WAIT_EXTENSION);
	ResetLatch(MyLatch);
	CHECK_FOR_INTERRUPTS();
}

static void
sleep_in(struct slot *mine, uint64 seen, const long timeout_ms)
{
	PG_ENSURE_ERROR_CLEANUP(leave, PointerGetDatum(mine));
	{
		pg_memory_barrier();
		if (pg_atomic_read_u64(counter()) == seen)
			wait_nap(timeout_ms);
	}
	PG_END_ENSURE_ERROR_CLEANUP(leave, PointerGetDatum(mine));
	leave(0, PointerGetDatum(mine));
}

void
wait_sleep(uint64 seen, long timeout_ms)
{
	struct slot *mine = attach() ? enter() : NULL;

	if (mine == NULL)
		wait_nap(Min(timeout_ms, BLIND_STEP_MS));
	else
		sleep_in(mine, seen, Min(timeout_ms, 1000));
}

Datum
elvis_wake(PG_FUNCTION_ARGS)
{
	wait_wake_at_commit();
	PG_RETURN_VOID();
}
