/*
 * conn.c - sessions: connecting, pinning, sending, waiting.
 */
#include "pg/conn.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "pg/sqlstate.h"

/* How long a server may take to let us in */
#define CONNECT_MS 20000

/* Statements longer than this are not ours */
#define SQL_MAX (1 << 20)

/* What a local server may not have taken yet, by twice its own measure: two target transactions as
 * they are when catching up.  So each is sent by one call, and nobody has to be woken for the rest
 * of it.  Where the kernel's limit is lower (Linux's default) it is one and a part of the next. */
#define LOCAL_SEND_BYTES (512 << 10)

struct conn {
	PGconn *pg;
	PostgresPollingStatusType connecting;	/* OK: it is connected */
	int stop_fd;
	unsigned under_way;	/* statements sent and not collected; of a queued transaction only
				 * the last counts */
	int connect_ms;
	int64_t connect_until;	/* monotonic ms */
	bool abandoned;		/* in the middle of a statement: it can only be closed */
	char sqlstate[6];
	char application[64];	/* the subject of what the server has to say */
	struct hash *statements;	/* SQL text -> the name it is prepared under */
	unsigned n_statements;
};

/* Settings that hold whatever the role or the database has: reading and applying rightly depends
 * on the first group, text that is equal everywhere on the second.  What the extension sets for
 * its calls (ext/pins.c) has the same value here, so that it need not. */
static const char *const pinned[][2] = {
	{ "default_transaction_isolation", "read committed" },
	{ "default_transaction_read_only", "off" },
	{ "default_transaction_deferrable", "off" },
	{ "statement_timeout", "0" },
	{ "lock_timeout", "0" },
	{ "idle_in_transaction_session_timeout", "60s" },
	{ "idle_session_timeout", "0" },
	{ "client_connection_check_interval", "2s" },
	{ "tcp_keepalives_idle", "15" },
	{ "tcp_keepalives_interval", "5" },
	{ "tcp_keepalives_count", "3" },
	{ "search_path", "pg_catalog, pg_temp" },
	{ "row_security", "off" },
	{ "jit", "off" },

	{ "DateStyle", "ISO, YMD" },
	{ "IntervalStyle", "postgres" },
	{ "TimeZone", "GMT" },
	{ "extra_float_digits", "1" },
	{ "bytea_output", "hex" },
	{ "xmloption", "content" },
	{ "lc_monetary", "C" },
};

const char *
conn_sqlstate(const struct conn *conn)
{
	return conn->sqlstate;
}

PGconn *
conn_libpq(struct conn *conn)
{
	return conn->pg;
}

bool
conn_alive(const struct conn *conn)
{
	return PQstatus(conn->pg) == CONNECTION_OK && !conn->abandoned;
}

static bool
is_piped(const struct conn *conn)
{
	return PQpipelineStatus(conn->pg) != PQ_PIPELINE_OFF;
}

bool
conn_busy(const struct conn *conn)
{
	return conn->under_way > 0 || is_piped(conn);
}

/* libpq's messages end in newlines and may have several lines; a sentence has one. */
static bool
fail_text(struct err *err, enum err_class class, const char *text)
{
	size_t length = strcspn(text, "\n");

	return err_set(err, class, "%.*s", (int) length, length > 0 ? text : "connection lost");
}

bool
conn_lost(struct conn *conn, struct err *err)
{
	conn->under_way = 0;
	conn->sqlstate[0] = '\0';
	return fail_text(err, ERR_RETRY, PQerrorMessage(conn->pg));
}

/* What an error result means, with the class of its SQLSTATE; false */
static bool
fail_result(struct conn *conn, const PGresult *result, struct err *err)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);

	if (state == NULL || text == NULL)
		return conn_lost(conn, err);
	snprintf(conn->sqlstate, sizeof(conn->sqlstate), "%s", state);
	fail_text(err, sqlstate_class(state), text);

	/* only our own details are known to hold nothing of a row */
	if (detail != NULL && strncmp(state, "EL", 2) == 0)
		err_set(err, err->class, "%s (%s)", err->text, detail);
	return false;
}

/* Server messages below an error are for whoever looks for them. */
static void
notice_seen(void *context, const PGresult *result)
{
	const struct conn *conn = context;
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

	if (text != NULL)
		log_debug(conn->application, "server says: %s", text);
}

/* `until`: monotonic milliseconds, 0 for no end */
static bool
wait_until(struct conn *conn, int what, int64_t until, struct err *err)
{
	struct pollfd fds[2] = {
		{ .fd = PQsocket(conn->pg) },
		{ .fd = conn->stop_fd, .events = POLLIN },	/* -1: poll passes it over */
	};

	if (fds[0].fd < 0)
		return conn_lost(conn, err);
	fds[0].events = (short) ((what & CONN_READABLE ? POLLIN : 0) |
				 (what & CONN_WRITABLE ? POLLOUT : 0));
	for (;;) {
		int64_t left = until > 0 ? until - clock_mono_ms() : -1;
		int n = poll(fds, 2, until > 0 && left < 0 ? 0 : (int) left);

		if (n < 0 && errno != EINTR)
			return err_set(err, ERR_RETRY, "poll: %s", strerror(errno));
		if (n == 0 && left <= 0)
			return err_set(err, ERR_RETRY, "no answer from the server for %d s",
				       conn->connect_ms / 1000);
		if (n <= 0)
			continue;
		if (fds[1].revents != 0)
			return err_set(err, ERR_RETRY, "asked to stop");
		return true;
	}
}

bool
conn_wait(struct conn *conn, int what, struct err *err)
{
	if (wait_until(conn, what, 0, err))
		return true;
	conn->abandoned = true;
	conn->sqlstate[0] = '\0';
	return false;
}

static bool
connect_finish(struct conn *conn, struct err *err)
{
	while (conn->connecting != PGRES_POLLING_OK) {
		int what = conn->connecting == PGRES_POLLING_READING ? CONN_READABLE :
			CONN_WRITABLE;

		if (conn->connecting == PGRES_POLLING_FAILED ||
		    PQstatus(conn->pg) == CONNECTION_BAD)
			return conn_lost(conn, err);
		if (!wait_until(conn, what, conn->connect_until, err))
			return false;
		conn->connecting = PQconnectPoll(conn->pg);
	}
	return true;
}

/* What a local server lets us say at once is said, and it works while others are seen to. */
static void
greet(struct conn *conn)
{
	struct pollfd fd = { .fd = PQsocket(conn->pg), .events = POLLOUT };

	if (fd.fd >= 0 && poll(&fd, 1, 0) > 0)
		conn->connecting = PQconnectPoll(conn->pg);
}

static bool
connect_start(struct conn *conn, const struct conn_options *options, struct err *err)
{
	/* before dbname: defaults that the conninfo may change; after it: ours */
	const char *const keywords[] = {
		"keepalives_idle", "keepalives_interval", "keepalives_count",
		"tcp_user_timeout", "dbname", "application_name", "client_encoding", NULL,
	};
	const char *const values[] = {
		"15", "5", "3",
		"30000", options->conninfo, options->application, "UTF8", NULL,
	};
	char *complaint = NULL;
	PQconninfoOption *parsed = PQconninfoParse(options->conninfo, &complaint);

	if (parsed == NULL) {
		fail_text(err, ERR_CONFIG, complaint != NULL ? complaint : "out of memory");
		PQfreemem(complaint);
		return err_wrap(err, "conninfo");
	}
	PQconninfoFree(parsed);
	conn->pg = PQconnectStartParams(keywords, values, 1);
	if (conn->pg == NULL)
		return err_set(err, ERR_RETRY, "out of memory");
	conn->connecting = PGRES_POLLING_WRITING;
	conn->connect_until = clock_mono_ms() + conn->connect_ms;
	greet(conn);
	return true;
}

/* TCP finds the size that the way needs, and is best left to it. */
static void
widen_local(struct conn *conn)
{
	struct sockaddr_storage address = { .ss_family = AF_UNSPEC };
	socklen_t length = sizeof(address);
	int fd = PQsocket(conn->pg), size = LOCAL_SEND_BYTES;

	if (getsockname(fd, (struct sockaddr *) &address, &length) == 0 &&
	    address.ss_family == AF_UNIX)
		(void) !setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

static bool
pin_settings(struct conn *conn, const char *synchronous_commit, struct err *err)
{
	AUTO_STRBUF struct strbuf sql;

	strbuf_init(&sql, SQL_MAX);
	strbuf_puts(&sql, "SELECT ");
	for (size_t i = 0; i < ARRAY_LEN(pinned); i++)
		strbuf_printf(&sql, "%spg_catalog.set_config('%s', '%s', false)",
			      i > 0 ? ", " : "", pinned[i][0], pinned[i][1]);
	if (PQserverVersion(conn->pg) >= 170000)
		strbuf_puts(&sql, ", pg_catalog.set_config('transaction_timeout', '0', false)");
	if (synchronous_commit != NULL)
		strbuf_printf(&sql, ", pg_catalog.set_config('synchronous_commit', '%s', false)",
			      synchronous_commit);
	return conn_command(conn, sql.data, err);
}

bool
conn_begin(struct conn **conn, const struct conn_options *options, struct err *err)
{
	struct conn *c = mem_zalloc(sizeof(*c));

	c->stop_fd = options->stop_fd;
	c->connect_ms = options->connect_ms > 0 ? options->connect_ms : CONNECT_MS;
	c->statements = hash_new();
	snprintf(c->application, sizeof(c->application), "%s", options->application);
	if (!connect_start(c, options, err)) {
		conn_close(c);
		return false;
	}
	*conn = c;
	return true;
}

bool
conn_finish(struct conn *conn, const struct conn_options *options, struct err *err)
{
	if (conn->connecting == PGRES_POLLING_OK)
		return true;
	if (!connect_finish(conn, err))
		return false;
	PQsetNoticeReceiver(conn->pg, notice_seen, conn);
	widen_local(conn);
	return (PQsetnonblocking(conn->pg, 1) == 0 || conn_lost(conn, err)) &&
	       pin_settings(conn, options->synchronous_commit, err);
}

bool
conn_open(struct conn **conn, const struct conn_options *options, struct err *err)
{
	if (!conn_begin(conn, options, err))
		return false;
	if (conn_finish(*conn, options, err))
		return true;
	conn_close_at(conn);
	return false;
}

void
conn_close(struct conn *conn)
{
	struct hash_cursor at = { 0 };
	char *name;

	if (conn == NULL)
		return;
	PQfinish(conn->pg);
	while ((name = hash_next(conn->statements, &at)) != NULL)
		free(name);
	hash_free(conn->statements);
	free(conn);
}

void
conn_close_at(struct conn **conn)
{
	conn_close(*conn);
	*conn = NULL;
}

/* Pushes out what was sent, reading meanwhile: a server that is full of answers reads nothing. */
static bool
flush(struct conn *conn, struct err *err)
{
	int left;

	while ((left = PQflush(conn->pg)) > 0) {
		if (!conn_wait(conn, CONN_READABLE | CONN_WRITABLE, err))
			return false;
		if (!PQconsumeInput(conn->pg))
			return conn_lost(conn, err);
	}
	return left == 0 || conn_lost(conn, err);
}

/* The next result, NULL in *result when there are no more */
static bool
next_result(struct conn *conn, PGresult **result, struct err *err)
{
	while (PQisBusy(conn->pg)) {
		if (!conn_wait(conn, CONN_READABLE, err))
			return false;
		if (!PQconsumeInput(conn->pg))
			return conn_lost(conn, err);
	}
	*result = PQgetResult(conn->pg);
	return true;
}

/* What follows a COPY is not for us but for whoever began it. */
static bool
is_copy(const PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

/*
 * Behind the result of a queued transaction's first statement come those of the others, or that
 * they were not done, and the end of the transaction; before that an error when COMMIT failed.
 * Behind the last transaction the session is as others are.
 */
static bool
collect_end(struct conn *conn, PGresult **result, struct err *err)
{
	/* two ends of results in a row: more is not to come */
	for (int ends = 1; ends < 2; ) {
		PGresult *next;

		if (!next_result(conn, &next, err))
			return false;
		if (next == NULL) {
			ends++;
			continue;
		}
		ends = 0;
		if (PQresultStatus(next) == PGRES_PIPELINE_SYNC) {
			PQclear(next);
			return conn->under_way > 0 || PQexitPipelineMode(conn->pg) ||
			       conn_lost(conn, err);
		}
		if (PQresultStatus(next) != PGRES_PIPELINE_ABORTED) {
			PQclear(*result);
			*result = next;
		} else {
			PQclear(next);
		}
	}
	return conn_lost(conn, err);
}

bool
conn_collect(struct conn *conn, PGresult **result, struct err *err)
{
	PGresult *last = NULL, *next = NULL;
	bool done;

	/* several results: the last counts, an error always is the last */
	while ((done = next_result(conn, &next, err)) && next != NULL) {
		PQclear(last);
		last = next;
		if (is_copy(last))
			break;
	}
	if (conn->under_way > 0)
		conn->under_way--;
	if (done && last == NULL)
		done = conn_lost(conn, err);
	if (done && is_piped(conn))
		done = collect_end(conn, &last, err);
	if (done && PQresultStatus(last) == PGRES_FATAL_ERROR)
		done = fail_result(conn, last, err);
	if (done && result != NULL)
		*result = last;
	else
		PQclear(last);
	return done;
}

static bool
prepare(struct conn *conn, const char *sql, const struct params *params, const char **name,
	struct err *err)
{
	char *made;

	*name = hash_get_text(conn->statements, sql);
	if (*name != NULL)
		return true;
	made = mem_printf("elvis_%u", conn->n_statements++);
	if (!PQsendPrepare(conn->pg, made, sql, params->count, params->types)) {
		free(made);
		return conn_lost(conn, err);
	}
	if (!flush(conn, err) || !conn_collect(conn, NULL, err)) {
		free(made);
		return false;
	}
	hash_put_text(conn->statements, sql, made);
	*name = made;
	return true;
}

/* One more is under way, as soon as libpq has it; with `more` only when what follows is. */
static bool
put_statement(struct conn *conn, const char *name, const struct params *params, bool more,
	      struct err *err)
{
	if (!PQsendQueryPrepared(conn->pg, name, params->count, params->values, params->lengths,
				 params->formats, 1) ||
	    (!more && is_piped(conn) && !PQpipelineSync(conn->pg))) {
		/* what comes after would go on with what is torn */
		conn->abandoned = true;
		return conn_lost(conn, err);
	}
	if (!more)
		conn->under_way++;
	return flush(conn, err);
}

bool
conn_send(struct conn *conn, const char *sql, const struct params *params, struct err *err)
{
	static const struct params none = PARAMS_NONE;
	const char *name;

	if (conn_busy(conn))
		return err_set(err, ERR_BUG, "a statement is still under way");
	if (params == NULL)
		params = &none;
	return prepare(conn, sql, params, &name, err) &&
	       put_statement(conn, name, params, false, err);
}

bool
conn_ask(struct conn *conn, const char *sql, struct err *err)
{
	if (conn_busy(conn))
		return err_set(err, ERR_BUG, "a statement is still under way");
	if (!PQsendQueryParams(conn->pg, sql, 0, NULL, NULL, NULL, NULL, 1))
		return conn_lost(conn, err);
	conn->under_way++;
	return flush(conn, err);
}

bool
conn_queue(struct conn *conn, const char *sql, const struct params *params, bool more,
	   struct err *err)
{
	const char *name = hash_get_text(conn->statements, sql);

	if (is_piped(conn) ? name == NULL : conn_busy(conn))
		return err_set(err, ERR_BUG, "a statement is still under way");
	if (!is_piped(conn)) {
		if (!prepare(conn, sql, params, &name, err))
			return false;
		if (!PQenterPipelineMode(conn->pg))
			return conn_lost(conn, err);
	}
	return put_statement(conn, name, params, more, err);
}

bool
conn_run(struct conn *conn, const char *sql, const struct params *params, PGresult **result,
	 struct err *err)
{
	return conn_send(conn, sql, params, err) && conn_collect(conn, result, err);
}

bool
conn_command(struct conn *conn, const char *sql, struct err *err)
{
	if (conn_busy(conn))
		return err_set(err, ERR_BUG, "a statement is still under way");
	if (!PQsendQuery(conn->pg, sql))
		return conn_lost(conn, err);
	conn->under_way++;
	return flush(conn, err) && conn_collect(conn, NULL, err);
}
