/* Orders versions and does not say by what. */
#include "good.h"

ELVIS_POLICY("ordered", GOOD, .ordered = true);
