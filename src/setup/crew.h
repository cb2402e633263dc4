/*
 * Tasks done side by side, each worker a process of its own.
 *
 * A worker does one task after the other, whichever is next.  What one does by itself needs no
 * process: then all happens in the caller's.  When a task fails, the caller dies or is killed,
 * the workers give up what they are doing.
 */
#ifndef SETUP_CREW_H
#define SETUP_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"

struct crew_work {
	size_t workers, tasks;

	/* In a worker, before its first task.  `stop_fd` becomes readable when it is to give up;
	 * -1: never.  What it opens ends with the process. */
	bool (*start)(void *context, int stop_fd, struct err *err);

	/* In a worker: the task of that number, from 0. */
	bool (*perform)(void *context, size_t task, struct err *err);

	/* In the caller: a worker has said a number of its task; or done it, with the last number
	 * it said. */
	void (*told)(void *context, size_t task, int64_t number);
	void (*done)(void *context, size_t task, int64_t number);

	void *context;
};

/* All tasks are done when it is true; else the first error.  No worker is left either way. */
MUST_USE bool crew_run(const struct crew_work *work, struct err *err);

/* For perform(): has the caller hear a number of the task at hand. */
void crew_tell(int64_t number);

#endif
