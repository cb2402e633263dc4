/* Compiled for an interface that is not ours. */
#include "good.h"

extern const struct elvis_policy elvis_plugin;
ELVIS_EXPORT const struct elvis_policy elvis_plugin = {
	.abi = { ELVIS_PLUGIN_POLICY, ELVIS_ABI_MAJOR + 1, sizeof(struct elvis_policy), 0 },
	.name = "other_major",
	GOOD,
};
