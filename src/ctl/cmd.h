/*
 * A command of elvisctl is a record; the help is printed from the records.
 */
#ifndef CTL_CMD_H
#define CTL_CMD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "conf/conf.h"

/* What an exit status tells a script.  elvisctl(1) has the same list; a test compares. */
#define CTL_EXITS(X) \
	X(CTL_OK, 0, "done") \
	X(CTL_FAILED, 1, "failed: a server or elvis refused") \
	X(CTL_USAGE, 2, "the command line makes no sense") \
	X(CTL_CONFIG, 3, "the configuration, or what it meets in the databases, is wrong") \
	X(CTL_UNREACHABLE, 4, "a database cannot be reached; it may help to try again") \
	X(CTL_LATE, 5, "not caught up in time") \
	X(CTL_WAITING, 6, "all is set up, but a link waits for elvisctl copy")

enum ctl_exit {
#define X(name, number, text) name = number,
	CTL_EXITS(X)
#undef X
};

/* Options of commands, by bit; those of every command are not among them.
 * bit, name, word for its argument or NULL, help */
#define CTL_OPTIONS(X) \
	X(OPTION_ADOPT, "adopt", NULL, \
	  "start new links from now: both sides are known to hold the same") \
	X(OPTION_PRUNE, "prune", NULL, \
	  "also undo what the configuration does not name: attached tables, links") \
	X(OPTION_TABLE, "table", "PATTERN", "only tables that match; may be repeated") \
	X(OPTION_TRUNCATE, "truncate", NULL, "empty tables of the target that hold rows first") \
	X(OPTION_LINK, "link", "LINK", "only this link") \
	X(OPTION_TIMEOUT, "timeout", "SECONDS", "give up after so long [60]") \
	X(OPTION_JOBS, "jobs", "N", "processes that fill tables [4]") \
	X(OPTION_LIMIT, "limit", "N", "at most so many, newest first [50]") \
	X(OPTION_ACCEPT, "accept", NULL, \
	  "go on although the copy of the link's tables is not finished") \
	X(OPTION_REASON, "reason", "WORDS", "why, for elvisctl status")

enum ctl_option_number {
#define X(bit, name, argument, help) NUMBER_##bit,
	CTL_OPTIONS(X)
#undef X
	CTL_OPTION_COUNT
};

enum ctl_option_bits {
#define X(bit, name, argument, help) bit = 1 << NUMBER_##bit,
	CTL_OPTIONS(X)
#undef X
};

/* The command line, understood */
struct ctl {
	struct arena *arena;
	const char *config;		/* -c; NULL: the default place */
	struct conf_arguments arguments;	/* --from, --to ... */
	bool json;
	unsigned given;			/* bits of the options given */
	struct conf_strings tables;	/* --table */
	const char *link;
	const char *reason;
	int timeout, limit, jobs;
	int argc;			/* the words behind the command */
	char **argv;
	const struct conf *conf;	/* loaded before `run`, where the command needs it */
};

/* Whether a command reads the configuration */
enum cmd_conf {
	CONF_NEEDED,
	CONF_OPTIONAL,	/* used where there is one; conf stays NULL otherwise */
};

struct cmd {
	const char *name;
	const char *words;	/* what follows the name, for the help; "" for nothing */
	int least_words, most_words;
	unsigned options;	/* bits it takes */
	enum cmd_conf conf;
	const char *help;	/* one line */
	enum ctl_exit (*run)(struct ctl *ctl, struct err *err);	/* on failure err is set */
};

/* In the order of the help; ends with a NULL */
extern const struct cmd *const ctl_commands[];

/* What to exit with after this error */
MUST_USE enum ctl_exit exit_of(const struct err *err);

/* The link that a word on the command line names; CTL_CONFIG and what there is otherwise. */
MUST_USE const struct conf_link *ctl_link(const struct ctl *ctl, const char *name,
					  struct err *err);
MUST_USE const struct conf_node *ctl_node(const struct ctl *ctl, const char *name,
					  struct err *err);

#endif
