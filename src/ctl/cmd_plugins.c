/* elvisctl policies and sinks: what is installed and what can be set. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/plugins.h"
#include "ctl/report.h"
#include "plugin/settings.h"

/* Names of plugins, each once, in order */
struct names {
	const char **items;
	size_t count;
};

static int
compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void
add_name(const struct ctl *ctl, struct names *names, const char *name)
{
	const char **items = arena_alloc(ctl->arena, (names->count + 1) * sizeof(*items));

	for (size_t i = 0; i < names->count; i++) {
		if (strcmp(names->items[i], name) == 0)
			return;
		items[i] = names->items[i];
	}
	items[names->count] = name;
	*names = (struct names){ .items = items, .count = names->count + 1 };
}

/* A directory that is not there holds none. */
static void
add_directory(const struct ctl *ctl, struct names *names, const char *path)
{
	DIR *directory = opendir(path);
	const struct dirent *entry;

	if (directory == NULL)
		return;
	while ((entry = readdir(directory)) != NULL) {
		size_t length = strlen(entry->d_name);

		if (length > 3 && strcmp(entry->d_name + length - 3, ".so") == 0)
			add_name(ctl, names,
				 arena_strndup(ctl->arena, entry->d_name, length - 3));
	}
	closedir(directory);
}

static struct names
find_names(const struct ctl *ctl, enum elvis_plugin_kind kind)
{
	struct conf_strings dirs = ctl_plugin_dirs(ctl, kind);
	struct names names = { .count = 0 };

	for (size_t i = 0; i < dirs.count; i++)
		add_directory(ctl, &names, dirs.items[i]);
	if (names.count > 0)
		qsort(names.items, names.count, sizeof(*names.items), compare_texts);
	return names;
}

static const char *
convergence_text(enum elvis_plugin_kind kind, const struct plugin *plugin)
{
	static const char *const words[] = {
		[ELVIS_CONVERGES_ONE_WAY] = "one way",
		[ELVIS_CONVERGES_TWO_NODES] = "two nodes",
		[ELVIS_CONVERGES_ALWAYS] = "always",
	};
	uint32_t converges;

	if (kind != ELVIS_PLUGIN_POLICY)
		return NULL;
	converges = plugin_policy(plugin)->converges;
	return converges < ARRAY_LEN(words) ? words[converges] : NULL;
}

static const char *
option_names(const struct ctl *ctl, const struct plugin *plugin)
{
	const char *text = NULL;

	for (const struct elvis_option *o = plugin_options(plugin); o->name != NULL; o++)
		text = text ? arena_printf(ctl->arena, "%s, %s", text, o->name) : o->name;
	return text;
}

static void
report_plugin(const struct ctl *ctl, struct report *r, enum elvis_plugin_kind kind,
	      const char *name, const struct plugin *plugin, const struct err *err)
{
	report_row(r);
	report_text(r, name);
	report_text(r, plugin ? plugin_version(plugin) : NULL);
	if (kind == ELVIS_PLUGIN_POLICY)
		report_text(r, plugin ? convergence_text(kind, plugin) : NULL);
	report_text(r, plugin ? plugin_summary(plugin) : err->text);
	report_text(r, plugin ? option_names(ctl, plugin) : NULL);
	report_text(r, plugin ? plugin_file(plugin) : NULL);
	report_text(r, plugin ? plugin_hash(plugin) : NULL);
}

static void
print_all(const struct ctl *ctl, enum elvis_plugin_kind kind, struct plugin_set *plugins)
{
	AUTO_REPORT struct report *r = report_new();
	struct names names = find_names(ctl, kind);

	report_column(r, "name", "NAME");
	report_column(r, "version", "VERSION");
	if (kind == ELVIS_PLUGIN_POLICY)
		report_column(r, "converges", "CONVERGES");
	report_column(r, "summary", "SUMMARY");
	report_column(r, "options", "OPTIONS");
	report_column(r, "file", NULL);
	report_column(r, "hash", NULL);
	for (size_t i = 0; i < names.count; i++) {
		const struct plugin *plugin = NULL;
		struct err err = ERR_INIT;

		if (!plugin_set_find(plugins, kind, names.items[i], &plugin, &err))
			plugin = NULL;
		report_plugin(ctl, r, kind, names.items[i], plugin, &err);
	}
	report_print(r, ctl->json, "none is installed");
}

static void
print_one(const struct ctl *ctl, const struct plugin *plugin)
{
	AUTO_REPORT struct report *r = report_new();

	if (!ctl->json)
		printf("%s %s: %s\n%s, sha256 %s\n\n", plugin_name(plugin),
		       plugin_version(plugin), plugin_summary(plugin), plugin_file(plugin),
		       plugin_hash(plugin));
	report_column(r, "option", "OPTION");
	report_column(r, "type", "TYPE");
	report_column(r, "required", "REQUIRED");
	report_column(r, "default", "DEFAULT");
	report_column(r, "help", "MEANING");
	for (const struct elvis_option *o = plugin_options(plugin); o->name != NULL; o++) {
		report_row(r);
		report_text(r, o->name);
		report_text(r, option_type_name(o->type));
		report_bool(r, o->required);
		report_text(r, o->fallback);
		report_text(r, o->help);
	}
	report_print(r, ctl->json, "it has no options");
}

static enum ctl_exit
run(struct ctl *ctl, enum elvis_plugin_kind kind, struct err *err)
{
	struct plugin_set *plugins = ctl_plugins(ctl);
	const struct plugin *plugin;
	enum ctl_exit status = CTL_OK;

	if (ctl->argc == 0)
		print_all(ctl, kind, plugins);
	else if (plugin_set_find(plugins, kind, ctl->argv[0], &plugin, err))
		print_one(ctl, plugin);
	else
		status = exit_of(err);
	plugin_set_free(plugins);
	return status;
}

static enum ctl_exit
run_policies(struct ctl *ctl, struct err *err)
{
	return run(ctl, ELVIS_PLUGIN_POLICY, err);
}

static enum ctl_exit
run_sinks(struct ctl *ctl, struct err *err)
{
	return run(ctl, ELVIS_PLUGIN_SINK, err);
}

const struct cmd cmd_policies = {
	.name = "policies",
	.words = "[NAME]",
	.most_words = 1,
	.conf = CONF_OPTIONAL,
	.help = "the policies installed, or one with its options; NAME may be a path",
	.run = run_policies,
};

const struct cmd cmd_sinks = {
	.name = "sinks",
	.words = "[NAME]",
	.most_words = 1,
	.conf = CONF_OPTIONAL,
	.help = "the sinks installed, or one with its options",
	.run = run_sinks,
};
