/* Nothing wrong with it: a variable of its own, to see that loads do not share it. */
#include <elvis/policy.h>

static unsigned calls;

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	(void) state;
	(void) conflict;
	verdict->action = ++calls > 1 ? ELVIS_STOP : ELVIS_KEEP_LOCAL;
	return true;
}

ELVIS_POLICY("counts", .version = "1", .summary = "for a test", .decide = decide);
