/* Says that its description is longer than it is: what lies behind is somebody else's. */
#include "good.h"

extern const struct elvis_policy elvis_plugin;
ELVIS_EXPORT const struct elvis_policy elvis_plugin = {
	.abi = { ELVIS_PLUGIN_POLICY, ELVIS_ABI_MAJOR, sizeof(struct elvis_policy) + 64, 0 },
	.name = "long_size",
	GOOD,
};
