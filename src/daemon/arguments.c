/*
 * arguments.c - options.
 */
#include "daemon/arguments.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* letter (0: none), long name, name of its value (NULL: has none), member, how it is taken, help */
#define ARGUMENTS(X) \
	X('c', "config", "FILE", config, TEXT, \
	  "what to replicate, see elvis.conf(5)") \
	X(0, "from", "CONNINFO", from, TEXT, \
	  "without a file: the source") \
	X(0, "to", "CONNINFO", to, TEXT, \
	  "without a file: the target") \
	X(0, "tables", "PATTERN", tables, WORD, \
	  "without a file: tables to carry; repeatable [all]") \
	X(0, "policy", "NAME", policies, WORD, \
	  "without a file: conflict policy; repeatable, asked in order [strict]") \
	X(0, "policy-dir", "DIR", policy_dirs, WORD, \
	  "look for policies here first; repeatable") \
	X(0, "sink-dir", "DIR", sink_dirs, WORD, \
	  "look for sinks here first; repeatable") \
	X('v', "verbose", NULL, verbose, MORE, \
	  "log more") \
	X('q', "quiet", NULL, verbose, LESS, \
	  "log warnings and errors only") \
	X(0, "syslog", NULL, syslog, FLAG, \
	  "log to syslog instead of standard error") \
	X('V', "version", NULL, version, FLAG, \
	  "print the version and exit") \
	X('h', "help", NULL, help, FLAG, \
	  "print this and exit")

#define N_ARGUMENTS 12

static void
words_add(struct words *words, const char *word)
{
	words->items = mem_resize((void *) words->items, words->count + 2,
				  sizeof(*words->items));
	words->items[words->count++] = word;
	words->items[words->count] = NULL;
}

#define TEXT(member) arguments->member = optarg
#define WORD(member) words_add(&arguments->member, optarg)
#define MORE(member) arguments->member++
#define LESS(member) arguments->member--
#define FLAG(member) arguments->member = true

/* Options are told apart by their place in the list. */
static void
take(struct arguments *arguments, int place)
{
	int i = 0;

#define X(letter, name, value, member, how, text) \
	if (place == i++) \
		how(member);
	ARGUMENTS(X)
#undef X
}

#define FIRST_PLACE 256

static int
place_of(int option)
{
	int i = 0;

	if (option >= FIRST_PLACE)
		return option - FIRST_PLACE;
#define X(letter, name, value, member, how, text) \
	if (letter != 0 && option == letter) \
		return i; \
	i++;
	ARGUMENTS(X)
#undef X
	return -1;
}

static bool
check(const struct arguments *arguments, struct err *err)
{
	bool direct = arguments->from != NULL || arguments->to != NULL ||
		arguments->tables.count > 0 || arguments->policies.count > 0;

	if (arguments->help || arguments->version)
		return true;
	if (arguments->config != NULL && direct)
		return err_set(err, ERR_CONFIG, "--config goes with none of --from, --to, "
			       "--tables and --policy: say it in the file");
	if (arguments->config == NULL && (arguments->from == NULL || arguments->to == NULL))
		return err_set(err, ERR_CONFIG, "what to replicate? Give --config FILE, or "
			       "--from CONNINFO and --to CONNINFO");
	return true;
}

bool
arguments_parse(struct arguments *arguments, int argc, char **argv, struct err *err)
{
	static const struct option options[] = {
#define X(letter, name, value, member, how, text) \
		{ name, (value) != NULL ? required_argument : no_argument, NULL, \
		  letter },
		ARGUMENTS(X)
#undef X
		{ NULL, 0, NULL, 0 },
	};
	struct option places[N_ARGUMENTS + 1];
	int option, place;

	_Static_assert(sizeof(options) == sizeof(places), "N_ARGUMENTS counts the list");
	memcpy(places, options, sizeof(options));
	for (int i = 0; i < N_ARGUMENTS; i++)
		places[i].val = FIRST_PLACE + i;
	*arguments = (struct arguments){ .config = NULL };
	opterr = 0;
	while ((option = getopt_long(argc, argv, ":c:vqVh", places, NULL)) != -1) {
		place = place_of(option);
		if (option == ':')
			return err_set(err, ERR_CONFIG, "%s needs a value", argv[optind - 1]);
		if (place < 0)
			return err_set(err, ERR_CONFIG, "unknown option %s; see --help",
				       argv[optind - 1]);
		take(arguments, place);
	}
	if (optind < argc)
		return err_set(err, ERR_CONFIG, "what is \"%s\"? elvisd takes options only",
			       argv[optind]);
	return check(arguments, err);
}

void
arguments_free(struct arguments *arguments)
{
	free(arguments->tables.items);
	free(arguments->policies.items);
	free(arguments->policy_dirs.items);
	free(arguments->sink_dirs.items);
}

static void
help_line(FILE *out, char letter, const char *name, const char *value, const char *text)
{
	char left[64];

	snprintf(left, sizeof(left), "--%s%s%s", name, value != NULL ? " " : "",
		 value != NULL ? value : "");
	if (letter != 0)
		fprintf(out, "  -%c, %-20s %s\n", letter, left, text);
	else
		fprintf(out, "      %-20s %s\n", left, text);
}

void
arguments_help(FILE *out)
{
	fprintf(out, "usage: elvisd --config FILE\n"
		"       elvisd --from CONNINFO --to CONNINFO [--tables PATTERN] [--policy NAME]\n"
		"\nCarries changes of PostgreSQL tables to other databases and sinks.\n\n");
#define X(letter, name, value, member, how, text) help_line(out, letter, name, value, text);
	ARGUMENTS(X)
#undef X
	fprintf(out, "\nSIGHUP reads the configuration again, SIGTERM ends at the next boundary "
		"between\ntransactions.\n");
}
