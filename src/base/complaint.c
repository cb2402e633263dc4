#include "base/complaint.h"

#include "base/clock.h"

#define FIRST_INTERVAL (60 * CLOCK_S)
#define LONGEST_INTERVAL (3600 * CLOCK_S)

bool
complaint_raise(struct complaint *c, int64_t now_us)
{
	if (!c->open) {
		c->open = true;
		c->since_us = now_us;
		c->interval_us = FIRST_INTERVAL;
	} else if (now_us < c->due_us) {
		return false;
	}

	c->due_us = now_us + c->interval_us;
	c->interval_us *= 2;
	if (c->interval_us > LONGEST_INTERVAL)
		c->interval_us = LONGEST_INTERVAL;
	return true;
}

int64_t
complaint_end(struct complaint *c, int64_t now_us)
{
	int64_t lasted = c->open ? now_us - c->since_us : -1;

	c->open = false;
	return lasted;
}
