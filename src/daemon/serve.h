/*
 * The daemon from its start to its end.
 */
#ifndef DAEMON_SERVE_H
#define DAEMON_SERVE_H

#include "base/attr.h"
#include "daemon/arguments.h"

/*
 * Does what the arguments say until a signal ends it.  Returns the process' exit status.  On the
 * main thread, before there are others.
 */
MUST_USE int serve(const struct arguments *arguments);

#endif
