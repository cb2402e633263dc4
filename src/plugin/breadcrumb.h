/*
 * What a link leaves behind before it enters a policy, so that a policy that crashes or
 * never returns can be named afterwards.
 *
 * A thread cannot be killed and a segmentation fault takes every link; so the best that can
 * be had in one process is that it happens once.  Each link has a slot in a mapped file,
 * written before a policy is called and wiped after.  The handler of a deadly signal marks
 * the slot of its own thread, the watchdog the slot of one that has been in a policy too
 * long; a marked slot found at start is a link to be stopped with policy_error, while the
 * others run.  A slot found written but not marked may only mean that elvisd was killed
 * just then, so it counts when the same question to the same policy was found so twice in
 * a row.
 *
 * Without a file the slots are plain memory: the watchdog works, a crash leaves nothing.
 */
#ifndef PLUGIN_BREADCRUMB_H
#define PLUGIN_BREADCRUMB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

#define BREADCRUMB_NAME_MAX 128 /* longer names are cut off */

struct breadcrumbs;
struct breadcrumb_slot;

/* A copy of one slot. */
struct breadcrumb {
	char link[BREADCRUMB_NAME_MAX];   /* name of the link */
	char policy[BREADCRUMB_NAME_MAX]; /* name of the policy */
	int64_t seq;                      /* address of the change; 0: it was not deciding */
	uint64_t ordinal;                 /* but being opened or asked for its answers */
	int64_t running_us;               /* how long; of one found at start: 0 */
};

/*
 * Opens the file, making it where there is none; `file` NULL: memory only.  False: it is
 * not ours, damaged, or held by another process (ERR_CONFIG).
 */
MUST_USE bool breadcrumbs_open(struct breadcrumbs **crumbs, const char *file, struct err *err);

/* After every slot was given back.  NULL is fine. */
void breadcrumbs_close(struct breadcrumbs *crumbs);

/*
 * What an earlier run left for this link.  It stays in the file until
 * breadcrumbs_forget(), so that being stopped can be recorded first.  Any thread.
 */
MUST_USE bool breadcrumbs_found(struct breadcrumbs *crumbs, const char *link,
				struct breadcrumb *crumb);
void breadcrumbs_forget(struct breadcrumbs *crumbs, const char *link);

/*
 * The slot of one running link; any thread may take and give back, the link's own thread
 * writes it.  NULL when all BREADCRUMB_SLOTS are taken: its policies then run unwatched.
 */
#define BREADCRUMB_SLOTS 1024

MUST_USE struct breadcrumb_slot *breadcrumb_take(struct breadcrumbs *crumbs, const char *link);
void breadcrumb_give_back(struct breadcrumb_slot *slot); /* NULL is fine */

/* Around each call of a policy; the slot may be NULL. */
void breadcrumb_drop(struct breadcrumb_slot *slot, const char *policy, int64_t seq,
		     uint64_t ordinal);
void breadcrumb_wipe(struct breadcrumb_slot *slot);

/*
 * Has a policy been running for longer than that?  The longest is copied, and marked: what
 * the caller does next ends the process.  Any thread.
 */
MUST_USE bool breadcrumbs_overdue(struct breadcrumbs *crumbs, int64_t limit_us,
				  struct breadcrumb *crumb);

/*
 * The process is about to end because of what this thread did: marks the thread's slot if
 * it is inside a policy, and says the policy's name, else NULL.  For handlers of SIGSEGV
 * and its kind; async-signal-safe.
 */
const char *breadcrumb_crashed(void);

#endif
