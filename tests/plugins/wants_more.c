/* Needs something that only a later elvis knows. */
#include "good.h"

ELVIS_POLICY("wants_more", GOOD, .needs = 1u << 30);
