/* Calls what nobody has. */
#include <elvis/policy.h>

bool nowhere_to_be_found(void);

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	(void) state;
	(void) conflict;
	(void) verdict;
	return nowhere_to_be_found();
}

ELVIS_POLICY("unlinked", .version = "1", .summary = "for a test", .decide = decide);
