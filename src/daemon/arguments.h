/*
 * The command line of elvisd: one list from which the parser and the help are made.
 */
#ifndef DAEMON_ARGUMENTS_H
#define DAEMON_ARGUMENTS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/attr.h"
#include "base/err.h"

/* A list of words, each as often as its option was given; ended by NULL */
struct words {
	const char **items;
	size_t count;
};

struct arguments {
	const char *config;	/* a file; NULL: see `from` */
	const char *from, *to;	/* a link without a file: the two connection strings */
	struct words tables, policies;
	struct words policy_dirs, sink_dirs;
	int verbose;		/* -v less -q */
	bool syslog, help, version;
};

/* What is listed points into argv.  ERR_CONFIG says what is wrong. */
MUST_USE bool arguments_parse(struct arguments *arguments, int argc, char **argv,
			      struct err *err);
void arguments_free(struct arguments *arguments);

void arguments_help(FILE *out);

#endif
