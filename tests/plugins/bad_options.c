/* Has a default that its own range forbids. */
#include "good.h"

static const struct elvis_option options[] = {
	{ .name = "limit", .type = ELVIS_OPTION_INT, .min = 1, .max = 5, .fallback = "6",
	  .help = "h" },
	{ .name = NULL },
};

ELVIS_POLICY("bad_options", GOOD, .options = options);
