/*
 * One line per event: "level subject: sentence".
 *
 * The subject is who it happened to ("link paris_lyon"), kept ready by that object and not
 * put together at each call.  The sentence is for the person woken by it: fact, then
 * consequence or next step; no function names.  What a row contains is never told at
 * info or above.
 *
 * Any thread may log at any time; a line goes out whole.  Newlines in a message become
 * spaces, and a line longer than LOG_LINE_MAX is cut.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

#include "base/attr.h"
#include "base/complaint.h"

#define LOG_LINE_MAX 2048

enum log_level {
	LEVEL_ERROR,   /* someone must act */
	LEVEL_WARNING, /* someone may */
	LEVEL_INFO,    /* a state has changed */
	LEVEL_DEBUG,
};

void log_error(const char *subject, const char *format, ...) PRINTF_LIKE(2, 3);
void log_warning(const char *subject, const char *format, ...) PRINTF_LIKE(2, 3);
void log_info(const char *subject, const char *format, ...) PRINTF_LIKE(2, 3);
void log_debug(const char *subject, const char *format, ...) PRINTF_LIKE(2, 3);
void log_at(enum log_level level, const char *subject, const char *format, ...) PRINTF_LIKE(3, 4);

/*
 * For what may fail a thousand times in a row: a warning when it begins and ever more
 * rarely while it lasts; then, once, an info "<what> is back after 4 min".
 */
void complain(struct complaint *c, const char *subject, const char *format, ...) PRINTF_LIKE(3, 4);
void relent(struct complaint *c, const char *subject, const char *what);

/* Lines below this level are dropped; LEVEL_INFO to begin with. */
void log_set_level(enum log_level level);
bool log_wants(enum log_level level); /* worth asking before costly debug output */

/* "error", "warning", "info", "debug".  Parsing says false to any other word. */
const char *log_level_name(enum log_level level);
MUST_USE bool log_level_parse(const char *name, enum log_level *level);

/*
 * Where lines go: log_to_stderr to begin with.  A sink is called from any thread, perhaps
 * several at once.  Set it before there are threads.
 */
typedef void log_sink(enum log_level level, const char *line);

void log_set_sink(log_sink *sink);
log_sink log_to_stderr; /* with the time in front */
log_sink log_to_syslog; /* after openlog() */

#endif
