/*
 * A session with a PostgreSQL server, its settings pinned.
 *
 * Whatever the role, the database or the service file sets, a session of elvis runs READ
 * COMMITTED, without statement or lock timeouts, in UTF-8, with pg_catalog before anything and
 * with values written in one form; so the same statement means the same everywhere.
 *
 * Nothing here blocks for good: every wait is a poll on the socket and on `stop_fd`, and
 * a peer that vanishes is noticed by TCP within half a minute.  A session that is closed
 * while the server works for it is given up by the server within two seconds.
 *
 * A session belongs to one thread at a time.  After a failure with conn_alive() false it
 * can only be closed.  Classes of errors: ERR_RETRY for what time may heal (connection
 * lost, server stopping or starting, serialization, deadlock, too many connections, no
 * space), ERR_CONFIG for a missing extension, privilege or database, ERR_REFUSED for what
 * elvis itself refuses at the other end, ERR_BUG for the rest.
 */
#ifndef PG_CONN_H
#define PG_CONN_H

#include <stdbool.h>

#include <libpq-fe.h>

#include "base/attr.h"
#include "base/err.h"
#include "pg/query.h"

struct conn;

struct conn_options {
	const char *conninfo;		/* as libpq takes it, or a URI */
	const char *application;	/* application_name, such as "elvisd paris" */
	const char *synchronous_commit;	/* NULL: as the server has it */
	int stop_fd;			/* readable: give up what is being waited for; -1: none */
	int connect_ms;			/* how long connecting may take; 0: 20 s */
};

/*
 * Connects and pins the settings.  The strings are not kept.  Any failure to reach the
 * server is ERR_RETRY; a conninfo that cannot be understood is ERR_CONFIG.
 */
MUST_USE bool conn_open(struct conn **conn, const struct conn_options *options, struct err *err);

/*
 * The same in two halves: conn_begin() does not wait for the server (only a host's name may have to
 * be looked up), conn_finish() does, with the same options, and has nothing to do when it is
 * called again.  Between the two a session can only be finished or closed, and when conn_finish()
 * fails it can only be closed.
 */
MUST_USE bool conn_begin(struct conn **conn, const struct conn_options *options, struct err *err);
MUST_USE bool conn_finish(struct conn *conn, const struct conn_options *options, struct err *err);

/* Ends the session without waiting for the server; NULL is fine. */
void conn_close(struct conn *conn);

/* The session can still be used. */
bool conn_alive(const struct conn *conn);

/*
 * One statement and its result, prepared at its first use in this session.  `params` may
 * be NULL.  Results come in binary form (query.h).  The result is the caller's to
 * PQclear(); `result` may be NULL when it is of no interest.
 */
MUST_USE bool conn_run(struct conn *conn, const char *sql, const struct params *params,
		       PGresult **result, struct err *err);

/*
 * The same in two halves: conn_send() returns when the statement is on its way, its
 * parameters copied; conn_collect() waits for its result.  One at a time; a conn_send()
 * that failed has nothing to collect.
 */
MUST_USE bool conn_send(struct conn *conn, const char *sql, const struct params *params,
			struct err *err);
MUST_USE bool conn_collect(struct conn *conn, PGresult **result, struct err *err);

/*
 * Sends a statement although others sent by conn_queue() are not collected yet: the server comes
 * to it without waiting for us.  Each is a transaction of its own, not undone when one before it
 * fails; conn_collect() gives their results in the order they were sent.  Beside others only what
 * this session has prepared already, by having run it; nothing else until all are collected.
 * Blocks while the server has not taken what was sent.
 *
 * With `more` the transaction goes on with the next statement that is queued, which has to come
 * before anything is collected: it has one result, the last statement's, or the error that ended
 * it.
 */
MUST_USE bool conn_queue(struct conn *conn, const char *sql, const struct params *params,
			 bool more, struct err *err);

/* conn_send() for what has no parameters and is asked once in a session: it is not prepared. */
MUST_USE bool conn_ask(struct conn *conn, const char *sql, struct err *err);

/* A statement sent is not yet collected. */
bool conn_busy(const struct conn *conn);

/* What has no parameters and no rows to return and is not worth preparing: BEGIN, SET ... */
MUST_USE bool conn_command(struct conn *conn, const char *sql, struct err *err);

/* SQLSTATE of the last failure, "" when it was none of the server's.  Lives until the next. */
const char *conn_sqlstate(const struct conn *conn);

/* What a lost or disturbed connection means; returns false. */
bool conn_lost(struct conn *conn, struct err *err);

/*
 * For what libpq does itself, such as COPY (pg/copy.c).  The connection is in nonblocking
 * mode: wait with conn_wait().
 */
PGconn *conn_libpq(struct conn *conn);

enum conn_wait {
	CONN_READABLE = 1,
	CONN_WRITABLE = 2,
};

/* Waits until the socket is ready for one of `what` (bits); fails when stop_fd asks for it. */
MUST_USE bool conn_wait(struct conn *conn, int what, struct err *err);

void conn_close_at(struct conn **conn);

#define AUTO_CONN CLEANUP(conn_close_at)

#endif
