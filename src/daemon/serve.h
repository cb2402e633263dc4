/*
 * The daemon from its start to its end.
 */
#ifndef DAEMON_SERVE_H
#define DAEMON_SERVE_H

#include "base/attr.h"
#include "daemon/arguments.h"

/* Exit statuses beside EXIT_SUCCESS and EXIT_FAILURE; elvisctl has the same. */
enum {
	SERVE_EXIT_USAGE = 2,	/* the command line makes no sense */
	SERVE_EXIT_CONFIG = 3,	/* the configuration is wrong: starting again would not help */
};

/*
 * Does what the arguments say until a signal ends it.  Returns the process' exit status.  On the
 * main thread, before there are others.
 */
MUST_USE int serve(const struct arguments *arguments);

#endif
