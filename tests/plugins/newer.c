/* Nothing wrong with it either: compiled with members that we do not know. */
#include "good.h"

struct policy_to_come {
	struct elvis_policy known;
	void (*unknown)(void);
	uint64_t more[8];
};

extern const struct policy_to_come elvis_plugin;
ELVIS_EXPORT const struct policy_to_come elvis_plugin = {
	.known = { .abi = { ELVIS_PLUGIN_POLICY, ELVIS_ABI_MAJOR, sizeof(struct policy_to_come), 0 },
		   .name = "newer",
		   GOOD },
	.more = { 1, 2, 3 },
};
