/*
 * What an SQLSTATE means to somebody who may try again.
 */
#ifndef PG_SQLSTATE_H
#define PG_SQLSTATE_H

#include "base/err.h"

/* The states of elvis' own, raised by the extension */
#define SQLSTATE_SNAPSHOT_UNKNOWN "EL001"	/* source set back or replaced */
#define SQLSTATE_SNAPSHOT_TOO_OLD "EL002"	/* the log does not reach back to it */
#define SQLSTATE_NODE_NOT_GENUINE "EL003"	/* not set up, or a copy of another node */
#define SQLSTATE_RECORD_DAMAGED "EL004"
#define SQLSTATE_POSITION_MOVED "EL010"	/* read the position again */
#define SQLSTATE_MUST_ASK "EL011"	/* conflict in an ALONE frame */
#define SQLSTATE_ORIGIN_ROUTED "EL012"	/* the origin's changes of the table come by another link */

/* And of the server's */
#define SQLSTATE_UNDEFINED_OBJECT "42704"

/* The class of an error with this state; NULL or "": libpq's own, that is, the connection's. */
enum err_class sqlstate_class(const char *state);

#endif
