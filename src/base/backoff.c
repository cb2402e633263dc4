#include "base/backoff.h"

#include <stdlib.h>
#include <sys/random.h>

void
backoff_init(struct backoff *b, int first_ms, int longest_ms)
{
	b->first = first_ms;
	b->longest = longest_ms;
	b->next = first_ms;
	/* any seed will do, should the kernel have none yet */
	if (getrandom(&b->seed, sizeof(b->seed), GRND_NONBLOCK) != sizeof(b->seed))
		b->seed = 1;
}

int
backoff_next(struct backoff *b)
{
	int span = b->next;

	b->next = span > b->longest / 2 ? b->longest : span * 2;
	return span - rand_r(&b->seed) % (span / 2 + 1);
}

void
backoff_reset(struct backoff *b)
{
	b->next = b->first;
}
