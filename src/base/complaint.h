/*
 * Saying the same thing less and less often.
 *
 * A trouble that lasts is told when it begins, then after one minute, two, four and so
 * on up to an hour, and its end is told.  This is the counting; complain() and relent()
 * of log.h do the telling.
 *
 * A zeroed structure is one without trouble.  It sits in the object that has the trouble
 * and belongs to that object's thread.
 */
#ifndef BASE_COMPLAINT_H
#define BASE_COMPLAINT_H

#include <stdbool.h>
#include <stdint.h>

struct complaint {
	bool open;
	int64_t since_us;    /* monotonic, when it began */
	int64_t due_us;      /* when to speak again */
	int64_t interval_us; /* how long to be silent after that */
};

/* The trouble is there at `now_us`.  Is it to be told? */
bool complaint_raise(struct complaint *c, int64_t now_us);

/* It is over.  How long it lasted, or -1 if there was none. */
int64_t complaint_end(struct complaint *c, int64_t now_us);

#endif
