/* Is not called as its file is. */
#include "good.h"

ELVIS_POLICY("renamed", GOOD);
