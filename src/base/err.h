/*
 * How a failure travels.
 *
 * A function that can fail returns bool, true for done, and takes a `struct err *` last.
 * The structure is on the stack of whoever decides what to do about it; it owns a fixed
 * buffer, so reporting neither allocates nor shares.  Its class says what to do, its text
 * is one sentence, built from the outside in:
 *
 *	if (!conn_query(conn, sql, err))
 *		return err_wrap(err, "reading from %s", node);
 *
 * gives "reading from paris: server closed the connection".  Who decides, logs; nobody
 * else does.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stdbool.h>

#include "base/attr.h"

enum err_class {
	ERR_NONE,
	ERR_RETRY,    /* the world was not ready: connection lost, deadlock; try again */
	ERR_CONFLICT, /* a change does not fit: a policy's matter */
	ERR_REFUSED,  /* somebody said no: a policy, an operator, a privilege; stop and say so */
	ERR_CONFIG,   /* what was asked for cannot be: refuse to start or to reload */
	ERR_BUG,      /* must not happen; stop what met it */
};

struct err {
	enum err_class class;
	char text[1024]; /* always terminated; cut off when too long */
};

/* How to begin: no error and no text */
#define ERR_INIT { .class = ERR_NONE, .text = "" }

/* Both return false, so that failing is one line.  An argument may be err->text itself. */
bool err_set(struct err *err, enum err_class class, const char *format, ...) PRINTF_LIKE(3, 4);

/* Puts "format: " before what is there; the class stays. */
bool err_wrap(struct err *err, const char *format, ...) PRINTF_LIKE(2, 3);

/* Back to the beginning, for a structure used again in a loop */
void err_clear(struct err *err);

#endif
