/* Counts in a variable of its own how often it was asked, and says this and that in turn. */
#include <elvis/policy.h>

static unsigned calls;

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	(void) state;
	(void) conflict;
	verdict->action = calls++ % 2 == 0 ? ELVIS_KEEP_LOCAL : ELVIS_STOP;
	return true;
}

ELVIS_POLICY("counts", .version = "1", .summary = "for a test", .decide = decide);
