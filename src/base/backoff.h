/*
 * How long to wait before trying again.
 *
 * Doubles from `first` to `longest` milliseconds, each answer drawn from the upper half
 * of its span: many who lost the same server do not come back at the same moment.
 * A structure for one thread, in whatever retries.
 */
#ifndef BASE_BACKOFF_H
#define BASE_BACKOFF_H

struct backoff {
	int first, longest, next;
	unsigned int seed;
};

void backoff_init(struct backoff *b, int first_ms, int longest_ms);
int backoff_next(struct backoff *b);   /* milliseconds to wait now */
void backoff_reset(struct backoff *b); /* it worked: start small the next time */

#endif
