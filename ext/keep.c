/*
 * keep.c - memory that a session does not give back between two calls.
 *
 * A piece of the stream is copied several times on its way through the server: into the
 * function's result, the executor's, the type's send function's and the message.  That
 * is more than the C library keeps by itself, so that it would be given back after each
 * call, to be taken again by the next, a cleared page at a time: half of what it costs
 * to read large rows.
 */
#include "postgres.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#include "keep.h"

#define KEPT (8 * 1024 * 1024)		/* more than what a piece or a frame takes */
#define BY_ITSELF (4 * 1024 * 1024)	/* what is larger is given back at once */

void
keep_memory(void)
{
#ifdef __GLIBC__
	static bool done;

	if (done)
		return;
	done = true;
	mallopt(M_MMAP_THRESHOLD, BY_ITSELF);
	mallopt(M_TRIM_THRESHOLD, KEPT);
#endif
}
