#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base/clock.h"

static const struct {
	const char *name;
	int syslog;
} levels[] = {
	[LEVEL_ERROR] = { "error", LOG_ERR },
	[LEVEL_WARNING] = { "warning", LOG_WARNING },
	[LEVEL_INFO] = { "info", LOG_INFO },
	[LEVEL_DEBUG] = { "debug", LOG_DEBUG },
};

static atomic_int threshold = LEVEL_INFO;
static log_sink *current_sink = log_to_stderr;

/* Messages of the server and of libraries come in several lines; ours is one. */
static void
make_one_line(char *line)
{
	size_t length = strlen(line);

	while (length > 0 && line[length - 1] == '\n')
		line[--length] = '\0';
	for (char *c = line; *c != '\0'; c++)
		if ((unsigned char) *c < ' ')
			*c = ' ';
}

static void PRINTF_LIKE(3, 0)
emit(enum log_level level, const char *subject, const char *format, va_list args)
{
	char line[LOG_LINE_MAX];
	int head;

	head = snprintf(line, sizeof(line), "%-7s %s: ", levels[level].name, subject);
	if (head > 0 && (size_t) head < sizeof(line))
		vsnprintf(line + head, sizeof(line) - (size_t) head, format, args);
	make_one_line(line);
	current_sink(level, line);
}

#define EMIT_IF_WANTED(level, subject, format)           \
	do {                                             \
		va_list args;                            \
                                                         \
		if (!log_wants(level))                   \
			return;                          \
		va_start(args, format);                  \
		emit(level, subject, format, args);      \
		va_end(args);                            \
	} while (0)

void
log_error(const char *subject, const char *format, ...)
{
	EMIT_IF_WANTED(LEVEL_ERROR, subject, format);
}

void
log_warning(const char *subject, const char *format, ...)
{
	EMIT_IF_WANTED(LEVEL_WARNING, subject, format);
}

void
log_info(const char *subject, const char *format, ...)
{
	EMIT_IF_WANTED(LEVEL_INFO, subject, format);
}

void
log_debug(const char *subject, const char *format, ...)
{
	EMIT_IF_WANTED(LEVEL_DEBUG, subject, format);
}

void
log_at(enum log_level level, const char *subject, const char *format, ...)
{
	EMIT_IF_WANTED(level, subject, format);
}

void
complain(struct complaint *c, const char *subject, const char *format, ...)
{
	if (complaint_raise(c, clock_mono_us()))
		EMIT_IF_WANTED(LEVEL_WARNING, subject, format);
}

void
relent(struct complaint *c, const char *subject, const char *what)
{
	int64_t lasted = complaint_end(c, clock_mono_us());
	char span[CLOCK_TEXT_SIZE];

	if (lasted >= 0)
		log_info(subject, "%s is back after %s", what, clock_span_text(span, lasted));
}

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&threshold, (int) level, memory_order_relaxed);
}

bool
log_wants(enum log_level level)
{
	return (int) level <= atomic_load_explicit(&threshold, memory_order_relaxed);
}

const char *
log_level_name(enum log_level level)
{
	return levels[level].name;
}

bool
log_level_parse(const char *name, enum log_level *level)
{
	for (size_t i = 0; i < ARRAY_LEN(levels); i++) {
		if (strcmp(name, levels[i].name) == 0) {
			*level = (enum log_level) i;
			return true;
		}
	}
	return false;
}

void
log_set_sink(log_sink *sink)
{
	current_sink = sink;
}

/* One write() for the whole line, so that lines of several threads do not mix. */
void
log_to_stderr(enum log_level level, const char *line)
{
	char stamped[CLOCK_TEXT_SIZE + LOG_LINE_MAX + 2];
	char now[CLOCK_TEXT_SIZE];
	int length;
	ssize_t written;

	(void) level;

	length = snprintf(stamped, sizeof(stamped), "%s %s\n",
			  clock_wall_text(now, clock_wall_us()), line);
	/* there is nobody to tell that telling failed */
	written = write(STDERR_FILENO, stamped, (size_t) length);
	(void) written;
}

void
log_to_syslog(enum log_level level, const char *line)
{
	syslog(levels[level].syslog, "%s", line);
}
