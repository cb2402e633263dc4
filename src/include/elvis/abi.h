/*
 * abi.h - what every elvis plugin and the daemon agree on.
 *
 * A plugin is a shared object with ONE exported symbol, `elvis_plugin`, whose first member is a
 * struct elvis_abi.  The daemon reads that first: kind and major must match, size tells how much
 * of the structure the plugin was compiled with.  Members are only ever added at the end; what an
 * older plugin does not have reads as zero, and zero is always the harmless value.
 *
 * A plugin includes <elvis/policy.h> or <elvis/sink.h> and links nothing of elvis.
 */
#ifndef ELVIS_ABI_H
#define ELVIS_ABI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ELVIS_ABI_MAJOR 1

#if defined(__GNUC__)
#define ELVIS_EXPORT __attribute__((visibility("default")))
#define ELVIS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define ELVIS_EXPORT
#define ELVIS_PRINTF(fmt, args)
#endif

enum elvis_plugin_kind {
	ELVIS_PLUGIN_POLICY = 1,
	ELVIS_PLUGIN_SINK = 2,
};

/* The first bytes of every plugin.  Frozen. */
struct elvis_abi {
	uint32_t kind;		/* enum elvis_plugin_kind */
	uint32_t major;		/* ELVIS_ABI_MAJOR it was compiled with */
	uint32_t size;		/* sizeof the whole plugin structure it was compiled with */
	uint32_t reserved;	/* 0 */
};

enum elvis_log_level {
	ELVIS_LOG_ERROR,	/* someone must act */
	ELVIS_LOG_WARNING,	/* someone may act */
	ELVIS_LOG_INFO,		/* the state changed */
	ELVIS_LOG_DEBUG,	/* the only level that may show row contents */
};

/*
 * What the daemon lends to one plugin instance, valid from open to close.  The functions may be
 * called only from within a call of the plugin, on that call's thread.
 */
struct elvis_host {
	uint32_t size;		/* sizeof(struct elvis_host) of the running daemon */
	void *context;		/* the daemon's own */

	/* One line to the daemon's log; link and plugin name are added. */
	void (*log)(const struct elvis_host *, enum elvis_log_level, const char *fmt, ...)
		ELVIS_PRINTF(3, 4);

	/*
	 * Zeroed memory that lives until the decision (policy) or the target transaction (sink) is
	 * over, and is never freed by the plugin.  Never NULL: out of memory ends the daemon.
	 */
	void *(*alloc)(const struct elvis_host *, size_t size);

	/*
	 * Say why the call now failing fails: one sentence, no row contents.  Used when the call
	 * returns false or a result other than ELVIS_SINK_OK.
	 */
	void (*fail)(const struct elvis_host *, const char *fmt, ...) ELVIS_PRINTF(2, 3);
};

/* Options: declared by the plugin, parsed, checked and documented by the daemon. */

enum elvis_option_type {
	ELVIS_OPTION_BOOL,
	ELVIS_OPTION_INT,
	ELVIS_OPTION_FLOAT,
	ELVIS_OPTION_STRING,
	ELVIS_OPTION_STRINGS,	/* a list of strings; a single string is a list of one */
	ELVIS_OPTION_COLUMN,	/* a string that must name a column of the table (policies only) */
	ELVIS_OPTION_COLUMNS,	/* a list of them */
};

/* One option.  Frozen.  A plugin's list ends with one whose name is NULL. */
struct elvis_option {
	const char *name;
	enum elvis_option_type type;
	bool required;
	const char *fallback;	/* the default as it would be written, lists as "a, b"; NULL: not
				 * set */
	int64_t min, max;	/* for INT, in force when min < max */
	const char *const *choices;	/* for STRING: the words allowed, NULL-ended; NULL: any */
	const char *help;	/* MUST: one line, shown by elvisctl and when it is missing */
};

/* The value of one option.  Frozen.  Which member counts is said by the option's type. */
struct elvis_setting {
	bool given;		/* by the user or by the default */
	bool boolean;
	int64_t integer;
	double real;
	const char *string;	/* STRING, COLUMN */
	const char *const *strings;	/* STRINGS, COLUMNS */
	size_t n_strings;
};

/* Values in the order of the plugin's own list of options; lives as long as the instance. */
struct elvis_settings {
	const struct elvis_setting *values;
	size_t count;
};

/* The value of option number `i` of the plugin's list. */
static inline const struct elvis_setting *
elvis_setting(const struct elvis_settings *settings, size_t i)
{
	static const struct elvis_setting none;

	return i < settings->count ? &settings->values[i] : &none;
}

#endif
