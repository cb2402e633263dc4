/* What every policy here has, so that each file shows only what is wrong with it. */
#ifndef GOOD_H
#define GOOD_H

#include <elvis/policy.h>

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	(void) state;
	(void) conflict;
	verdict->action = ELVIS_KEEP_LOCAL;
	return true;
}

#define GOOD .version = "1", .summary = "for a test", .decide = decide

#endif
