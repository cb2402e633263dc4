/*
 * The daemon's own options: one list from which the structure, the parser, the defaults, the
 * question what a reload may change, `elvisctl options` and a test of the manual are made.
 *
 * Adding one is adding a line here, one to etc/elvis.conf and a paragraph to elvis.conf(5).
 */
#ifndef CONF_OPTION_H
#define CONF_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

/* A list of strings that nobody changes */
struct conf_strings {
	const char *const *items;
	size_t count;
};

enum conf_option_type {
	CONF_BOOL,
	CONF_COUNT,
	CONF_SIZE,     /* bytes; 64 or "64 kB", "64 MB", "1 GB" */
	CONF_DURATION, /* milliseconds; 200 or "200 ms", "1 s", "5 min", "6 h", "7 d" */
	CONF_LEVEL,    /* "error", "warning", "info", "debug" */
	CONF_STRING,
	CONF_STRINGS,  /* one string or a list of them */
};

/* The C type of a member, by the option's type */
typedef bool conf_type_BOOL;
typedef int64_t conf_type_COUNT;
typedef int64_t conf_type_SIZE;
typedef int64_t conf_type_DURATION;
typedef enum log_level conf_type_LEVEL;
typedef const char *conf_type_STRING;
typedef struct conf_strings conf_type_STRINGS;

/* type, name, default as it would be written, least, greatest, reloadable, help */
#define CONF_OPTIONS(X) \
	X(SIZE, cache_size, "64 MB", 1 << 20, INT64_C(1) << 40, true, \
	  "memory for batches read once and shared by the links of a source") \
	X(DURATION, snapshot_interval, "1 s", 10, 60000, true, \
	  "longest time between two looks for new changes at a source that tells of none") \
	X(DURATION, snapshot_floor, "0 ms", 0, 60000, true, \
	  "shortest time between two snapshots of a source; under load at least 5 ms") \
	X(DURATION, upkeep_interval, "10 s", 1000, 3600000, true, \
	  "time between two rounds of upkeep of a source's log") \
	X(SIZE, target_bytes, "256 kB", 1 << 10, INT64_C(1) << 30, true, \
	  "most changes, in bytes, that a target transaction holds while catching up") \
	X(DURATION, confirm_interval, "1 s", 100, 600000, true, \
	  "time between two confirmations of what is durable at a target to its source") \
	X(DURATION, retry_max, "30 s", 100, 3600000, true, \
	  "longest wait before something that failed is tried again") \
	X(DURATION, decide_timeout, "10 s", 100, 3600000, true, \
	  "a policy that thinks longer has hung: elvisd ends, and its link stays stopped") \
	X(LEVEL, log_level, "info", 0, 0, true, \
	  "least important lines logged: error, warning, info or debug") \
	X(BOOL, syslog, "false", 0, 0, false, \
	  "log to syslog instead of standard error") \
	X(STRING, run_dir, "/run/elvis", 0, 0, false, \
	  "directory for what must outlive a crash of elvisd but not of the machine") \
	X(STRINGS, policy_dirs, "", 0, 0, true, \
	  "directories searched for policies before the installed one") \
	X(STRINGS, sink_dirs, "", 0, 0, true, \
	  "directories searched for sinks before the installed one")

struct conf_settings {
#define X(type, name, fallback, least, greatest, reloadable, help) conf_type_##type name;
	CONF_OPTIONS(X)
#undef X
};

struct conf_option {
	const char *name;
	enum conf_option_type type;
	size_t offset;		/* in struct conf_settings */
	const char *fallback;	/* "": not set */
	int64_t least, greatest;	/* for numbers */
	bool reloadable;	/* else it takes a restart */
	const char *help;
};

extern const struct conf_option conf_options[];
extern const size_t conf_n_options;

/* NULL: there is none of that name. */
const struct conf_option *option_find(const char *name);

#endif
