/* Says that two nodes end alike, and lets the incoming row win: they change places. */
#include <elvis/policy.h>

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	(void) state;
	if (conflict->kind == ELVIS_UPDATE_DIFFERS)
		verdict->action = ELVIS_APPLY_REMOTE;
	return true;
}

ELVIS_POLICY("biased", .version = "1", .summary = "for a test",
	     .converges = ELVIS_CONVERGES_TWO_NODES, .decide = decide);
