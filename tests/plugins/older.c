/* Nothing wrong with it: compiled when the structure ended with decide. */
#include <elvis/policy.h>

struct policy_of_old {
	struct elvis_abi abi;
	const char *name;
	const char *version;
	const char *summary;
	const struct elvis_option *options;
	uint64_t kinds;
	uint32_t needs;
	uint32_t converges;
	bool ordered;
	bool (*open)(const struct elvis_host *, const struct elvis_settings *, void **);
	bool (*decide)(void *, const struct elvis_conflict *, struct elvis_verdict *);
};

_Static_assert(sizeof(struct policy_of_old) == offsetof(struct elvis_policy, close),
	       "a copy of the beginning");

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	(void) state;
	(void) conflict;
	verdict->action = ELVIS_KEEP_LOCAL;
	return true;
}

extern const struct policy_of_old elvis_plugin;
ELVIS_EXPORT const struct policy_of_old elvis_plugin = {
	.abi = { ELVIS_PLUGIN_POLICY, ELVIS_ABI_MAJOR, sizeof(struct policy_of_old), 0 },
	.name = "older",
	.version = "0.9",
	.summary = "for a test",
	.decide = decide,
};
