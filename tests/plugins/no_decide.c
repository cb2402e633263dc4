/* Has nothing to say. */
#include <elvis/policy.h>

ELVIS_POLICY("no_decide", .version = "1", .summary = "for a test");
