#include "config.h"

#include "ctl/ctl.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/word.h"
#include "ctl/cmd.h"
#include "setup/site.h"

#define DEFAULT_CONFIG SYSCONFDIR "/elvis/elvis.conf"

#define STRINGS_MAX 1000

struct option_text {
	const char *name, *argument, *help;
};

static const struct option_text command_options[] = {
#define X(bit, word, value, text) { word, value, text },
	CTL_OPTIONS(X)
#undef X
};

/* What every command takes; val of the long option */
enum {
	GLOBAL_FROM = 1000, GLOBAL_TO, GLOBAL_TABLES, GLOBAL_POLICY, GLOBAL_POLICY_DIR,
	GLOBAL_SINK_DIR, GLOBAL_JSON,
};

static const struct option_text global_options[] = {
	{ "-c, --config FILE", NULL, "the configuration [" DEFAULT_CONFIG "]" },
	{ "--from CONNINFO", NULL, "without a file: one link, from here" },
	{ "--to CONNINFO", NULL, "and to there" },
	{ "--tables PATTERN", NULL, "its tables [*.*]; may be repeated" },
	{ "--policy NAME", NULL, "its chain of policies [strict]; may be repeated" },
	{ "--policy-dir DIR", NULL, "where to look for policies first; may be repeated" },
	{ "--sink-dir DIR", NULL, "and for sinks" },
	{ "--json", NULL, "answer in JSON" },
	{ "-h, --help", NULL, "this, or a command's own options" },
	{ "-V, --version", NULL, "the version" },
};

enum ctl_exit
exit_of(const struct err *err)
{
	switch (err->class) {
	case ERR_CONFIG:
		return CTL_CONFIG;
	case ERR_RETRY:
		return CTL_UNREACHABLE;
	case ERR_NONE:
	case ERR_CONFLICT:
	case ERR_REFUSED:
	case ERR_BUG:
		return CTL_FAILED;
	}
	return CTL_FAILED;
}

/* Two columns; what is too long for the first has a line of its own. */
static void
help_line(const char *left, const char *help)
{
	if (strlen(left) > 26)
		printf("  %s\n  %-26s %s\n", left, "", help);
	else
		printf("  %-26s %s\n", left, help);
}

static void
print_help(void)
{
	printf("usage: elvisctl [OPTION...] COMMAND [WORD...]\n\ncommands:\n");
	for (size_t i = 0; ctl_commands[i] != NULL; i++) {
		char left[64];

		snprintf(left, sizeof(left), "%s %s", ctl_commands[i]->name,
			 ctl_commands[i]->words);
		help_line(left, ctl_commands[i]->help);
	}
	printf("\noptions:\n");
	for (size_t i = 0; i < ARRAY_LEN(global_options); i++)
		help_line(global_options[i].name, global_options[i].help);
	printf("\nexit status:\n");
#define X(name, number, text) printf("  %d  %s\n", number, text);
	CTL_EXITS(X)
#undef X
}

static void
print_command_help(const struct cmd *cmd)
{
	printf("usage: elvisctl [OPTION...] %s %s\n\n%s\n", cmd->name, cmd->words, cmd->help);
	if (cmd->options != 0)
		printf("\noptions:\n");
	for (int i = 0; i < CTL_OPTION_COUNT; i++) {
		char left[64];

		if ((cmd->options & 1u << i) == 0)
			continue;
		snprintf(left, sizeof(left), "--%s%s%s", command_options[i].name,
			 command_options[i].argument ? " " : "",
			 command_options[i].argument ? command_options[i].argument : "");
		help_line(left, command_options[i].help);
	}
}

/* Says what is wrong with the command line. */
static enum ctl_exit usage_error(const char *format, ...) PRINTF_LIKE(1, 2);

static enum ctl_exit
usage_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("elvisctl: ", stderr);
	vfprintf(stderr, format, args);
	fputs("; elvisctl --help tells what there is\n", stderr);
	va_end(args);
	return CTL_USAGE;
}

static void
add_string(struct ctl *ctl, struct conf_strings *strings, const char *value)
{
	const char **items = arena_alloc(ctl->arena, (strings->count + 1) * sizeof(*items));

	for (size_t i = 0; i < strings->count; i++)
		items[i] = strings->items[i];
	items[strings->count] = value;
	*strings = (struct conf_strings){ .items = items, .count = strings->count + 1 };
}

static bool
read_number(const char *text, int *number)
{
	char *end;
	long value;

	errno = 0;
	value = strtol(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || value < 0 || value > 1000000000)
		return false;
	*number = (int) value;
	return true;
}

static bool
take_command_option(struct ctl *ctl, enum ctl_option_number number, const char *value)
{
	ctl->given |= 1u << number;
	switch (number) {
	case NUMBER_OPTION_TABLE:
		add_string(ctl, &ctl->tables, value);
		return true;
	case NUMBER_OPTION_LINK:
		ctl->link = value;
		return true;
	case NUMBER_OPTION_REASON:
		ctl->reason = value;
		return true;
	case NUMBER_OPTION_TIMEOUT:
		return read_number(value, &ctl->timeout);
	case NUMBER_OPTION_LIMIT:
		return read_number(value, &ctl->limit);
	case NUMBER_OPTION_JOBS:
		return read_number(value, &ctl->jobs);
	case NUMBER_OPTION_ADOPT:
	case NUMBER_OPTION_PRUNE:
	case NUMBER_OPTION_TRUNCATE:
	case NUMBER_OPTION_ACCEPT:
	case CTL_OPTION_COUNT:
		return true;
	}
	return false;
}

static const struct option *
long_options(void)
{
	static const struct option globals[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "from", required_argument, NULL, GLOBAL_FROM },
		{ "to", required_argument, NULL, GLOBAL_TO },
		{ "tables", required_argument, NULL, GLOBAL_TABLES },
		{ "policy", required_argument, NULL, GLOBAL_POLICY },
		{ "policy-dir", required_argument, NULL, GLOBAL_POLICY_DIR },
		{ "sink-dir", required_argument, NULL, GLOBAL_SINK_DIR },
		{ "json", no_argument, NULL, GLOBAL_JSON },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
	};
	static struct option all[ARRAY_LEN(globals) + CTL_OPTION_COUNT + 1];

	memcpy(all, globals, sizeof(globals));
	for (int i = 0; i < CTL_OPTION_COUNT; i++)
		all[ARRAY_LEN(globals) + (size_t) i] = (struct option){
			.name = command_options[i].name,
			.has_arg = command_options[i].argument ? required_argument : no_argument,
			.val = 2000 + i,
		};
	return all;
}

/* Takes one option; false when its argument makes no sense. */
static bool
take_option(struct ctl *ctl, int option, char *value)
{
	switch (option) {
	case 'c':
		ctl->config = value;
		return true;
	case GLOBAL_FROM:
		ctl->arguments.from = value;
		return true;
	case GLOBAL_TO:
		ctl->arguments.to = value;
		return true;
	case GLOBAL_TABLES:
		add_string(ctl, &ctl->arguments.tables, value);
		return true;
	case GLOBAL_POLICY:
		add_string(ctl, &ctl->arguments.policies, value);
		return true;
	case GLOBAL_POLICY_DIR:
		add_string(ctl, &ctl->arguments.policy_dirs, value);
		return true;
	case GLOBAL_SINK_DIR:
		add_string(ctl, &ctl->arguments.sink_dirs, value);
		return true;
	case GLOBAL_JSON:
		ctl->json = true;
		return true;
	default:
		return take_command_option(ctl, (enum ctl_option_number) (option - 2000), value);
	}
}

static const struct cmd *
find_command(const char *name)
{
	for (size_t i = 0; ctl_commands[i] != NULL; i++)
		if (strcmp(ctl_commands[i]->name, name) == 0)
			return ctl_commands[i];
	return NULL;
}

static enum ctl_exit
unknown_command(const char *name)
{
	const char *names[64];
	const char *nearest;
	size_t n = 0;

	for (; ctl_commands[n] != NULL && n < ARRAY_LEN(names); n++)
		names[n] = ctl_commands[n]->name;
	nearest = word_nearest(name, names, n);
	return usage_error("there is no command '%s'%s%s%s", name,
			   nearest ? ", did you mean '" : "", nearest ? nearest : "",
			   nearest ? "'?" : "");
}

static bool
has_arguments(const struct ctl *ctl)
{
	return ctl->arguments.from != NULL || ctl->arguments.to != NULL;
}

/* --policy-dir and --sink-dir come before those of the file. */
static bool
load_conf(struct ctl *ctl, enum cmd_conf need, struct err *err)
{
	const char *path = ctl->config ? ctl->config : DEFAULT_CONFIG;

	if (has_arguments(ctl)) {
		if (!site_identify(&ctl->arguments, ctl->arena, "elvisctl", err))
			return false;
		ctl->conf = conf_from_arguments(&ctl->arguments, err);
		return ctl->conf != NULL;
	}
	if (need == CONF_OPTIONAL && ctl->config == NULL && access(path, R_OK) != 0)
		return true;
	ctl->conf = conf_load(path, err);
	return ctl->conf != NULL;
}

static enum ctl_exit
run_command(struct ctl *ctl, const struct cmd *cmd)
{
	struct err err = ERR_INIT;
	enum ctl_exit status;

	if (load_conf(ctl, cmd->conf, &err))
		status = cmd->run(ctl, &err);
	else
		status = exit_of(&err);
	fflush(stdout);
	if (err.class != ERR_NONE)
		fprintf(stderr, "elvisctl: %s\n", err.text);
	conf_unref(ctl->conf);
	return status;
}

static enum ctl_exit
check_words(const struct ctl *ctl, const struct cmd *cmd)
{
	for (int i = 0; i < CTL_OPTION_COUNT; i++)
		if ((ctl->given & ~cmd->options & 1u << i) != 0)
			return usage_error("'%s' takes no --%s", cmd->name,
					   command_options[i].name);
	if (ctl->argc < cmd->least_words)
		return usage_error("'%s' needs %s", cmd->name, cmd->words);
	if (ctl->argc > cmd->most_words)
		return usage_error("'%s' is one word too many for '%s'",
				   ctl->argv[cmd->most_words], cmd->name);
	if (ctl->config != NULL && has_arguments(ctl))
		return usage_error("--config and --from/--to are two ways to say the same");
	return CTL_OK;
}

static enum ctl_exit
dispatch(struct ctl *ctl, bool help, int argc, char **argv)
{
	const struct cmd *cmd;
	enum ctl_exit status;

	if (argc == 0 && !help)
		return usage_error("a command is missing");
	if (argc == 0) {
		print_help();
		return CTL_OK;
	}
	cmd = find_command(argv[0]);
	if (cmd == NULL)
		return unknown_command(argv[0]);
	if (help) {
		print_command_help(cmd);
		return CTL_OK;
	}
	ctl->argc = argc - 1;
	ctl->argv = argv + 1;
	status = check_words(ctl, cmd);
	return status == CTL_OK ? run_command(ctl, cmd) : status;
}

int
ctl_main(int argc, char **argv)
{
	AUTO_ARENA struct arena *arena = arena_new();
	struct ctl ctl = { .arena = arena, .timeout = 60, .limit = 50, .jobs = 4 };
	const struct option *options = long_options();
	bool help = false;
	int option;

	log_set_level(LEVEL_WARNING);
	while ((option = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		if (option == '?')
			return CTL_USAGE;
		if (option == 'V') {
			printf("elvisctl %s\n", PACKAGE_VERSION);
			return CTL_OK;
		}
		if (option == 'h')
			help = true;
		else if (!take_option(&ctl, option, optarg))
			return (int) usage_error("'%s' is not a number that makes sense here",
						 optarg);
	}
	return (int) dispatch(&ctl, help, argc - optind, argv + optind);
}

const struct conf_link *
ctl_link(const struct ctl *ctl, const char *name, struct err *err)
{
	const struct conf_link *link = conf_link(ctl->conf, name);
	const char **names = arena_alloc(ctl->arena, (ctl->conf->n_links + 1) * sizeof(*names));
	const char *nearest;

	if (link != NULL)
		return link;
	for (size_t i = 0; i < ctl->conf->n_links; i++)
		names[i] = ctl->conf->links[i].name;
	nearest = word_nearest(name, names, ctl->conf->n_links);
	err_set(err, ERR_CONFIG, "%s has no link '%s'; did you mean '%s'?", ctl->conf->origin,
		name, nearest ? nearest : names[0]);
	return NULL;
}

const struct conf_node *
ctl_node(const struct ctl *ctl, const char *name, struct err *err)
{
	const struct conf_node *node = conf_node(ctl->conf, name);
	const char **names = arena_alloc(ctl->arena, (ctl->conf->n_nodes + 1) * sizeof(*names));
	const char *nearest;

	if (node != NULL)
		return node;
	for (size_t i = 0; i < ctl->conf->n_nodes; i++)
		names[i] = ctl->conf->nodes[i].name;
	nearest = word_nearest(name, names, ctl->conf->n_nodes);
	err_set(err, ERR_CONFIG, "%s has no node '%s'; did you mean '%s'?", ctl->conf->origin,
		name, nearest ? nearest : names[0]);
	return NULL;
}
