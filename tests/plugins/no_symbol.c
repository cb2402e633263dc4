/* A shared object like any other. */
#include <elvis/abi.h>

ELVIS_EXPORT int something_else(void);

int
something_else(void)
{
	return 1;
}
