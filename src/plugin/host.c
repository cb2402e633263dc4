#include "plugin/host.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/mem.h"

/* The plugin has it const; the host behind it is ours. */
static struct host *
behind(const struct elvis_host *lent)
{
	return lent->context;
}

static void PRINTF_LIKE(3, 4)
	lend_log(const struct elvis_host *lent, enum elvis_log_level level,
		 const char *format, ...)
{
	static const enum log_level levels[] = {
		[ELVIS_LOG_ERROR] = LEVEL_ERROR,
		[ELVIS_LOG_WARNING] = LEVEL_WARNING,
		[ELVIS_LOG_INFO] = LEVEL_INFO,
		[ELVIS_LOG_DEBUG] = LEVEL_DEBUG,
	};
	const struct host *host = behind(lent);
	char text[LOG_LINE_MAX];
	va_list args;

	/* what a plugin says at a level that we do not know wakes nobody */
	if ((unsigned) level >= ARRAY_LEN(levels))
		level = ELVIS_LOG_DEBUG;
	if (!log_wants(levels[level]))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	log_at(levels[level], host->subject, "%s: %s", host->who, text);
}

static void *
lend_memory(const struct elvis_host *lent, size_t size)
{
	return arena_zalloc(behind(lent)->arena, size);
}

static void PRINTF_LIKE(2, 3)
	take_failure(const struct elvis_host *lent, const char *format, ...)
{
	struct host *host = behind(lent);
	va_list args;

	va_start(args, format);
	vsnprintf(host->failure, sizeof(host->failure), format, args);
	va_end(args);
}

void
host_init(struct host *host, const char *link, const char *kind, const char *name)
{
	*host = (struct host){
		.lent = { .size = sizeof(host->lent),
			  .context = host,
			  .log = lend_log,
			  .alloc = lend_memory,
			  .fail = take_failure },
		.arena = arena_new(),
		.subject = mem_printf("link %s", link),
		.who = mem_printf("%s \"%s\"", kind, name),
	};
}

void
host_done(struct host *host)
{
	arena_free(host->arena);
	free(host->subject);
	free(host->who);
}

void
host_forget(struct host *host)
{
	arena_reset(host->arena);
	host->failure[0] = '\0';
}

const char *
host_failure(const struct host *host)
{
	return host->failure[0] != '\0' ? host->failure : "it did not say why";
}
