/* Says that its description ends before what it must have. */
#include "good.h"

extern const struct elvis_policy elvis_plugin;
ELVIS_EXPORT const struct elvis_policy elvis_plugin = {
	.abi = { ELVIS_PLUGIN_POLICY, ELVIS_ABI_MAJOR, sizeof(struct elvis_abi), 0 },
	.name = "short_size",
	GOOD,
};
