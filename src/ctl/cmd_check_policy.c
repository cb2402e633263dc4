/* elvisctl check-policy: does a policy keep the promises of the interface? */
#include <stdlib.h>
#include <string.h>

#include "ctl/commands.h"
#include "ctl/plugins.h"
#include "ctl/report.h"
#include "plugin/contract.h"

/* "a,b": two strings */
static void
split(const struct ctl *ctl, struct setting *setting, const char *text)
{
	char *rest = arena_strdup(ctl->arena, text);
	const char **strings = arena_alloc(ctl->arena, sizeof(*strings) * (strlen(text) + 1));

	for (char *word = strsep(&rest, ","); word != NULL; word = strsep(&rest, ","))
		strings[setting->n_strings++] = word;
	setting->type = SETTING_STRINGS;
	setting->strings = strings;
}

/* What is not of the option's type stays a string, for the check of settings to refuse. */
static void
set_value(const struct ctl *ctl, struct setting *setting, enum elvis_option_type type,
	  const char *text)
{
	char *end;

	setting->type = SETTING_STRING;
	setting->string = text;
	switch (type) {
	case ELVIS_OPTION_BOOL:
		setting->boolean = strcmp(text, "true") == 0;
		if (setting->boolean || strcmp(text, "false") == 0)
			setting->type = SETTING_BOOL;
		break;
	case ELVIS_OPTION_INT:
		setting->integer = strtoll(text, &end, 10);
		if (*text != '\0' && *end == '\0')
			setting->type = SETTING_INT;
		break;
	case ELVIS_OPTION_FLOAT:
		setting->real = strtod(text, &end);
		if (*text != '\0' && *end == '\0')
			setting->type = SETTING_FLOAT;
		break;
	case ELVIS_OPTION_STRINGS:
	case ELVIS_OPTION_COLUMNS:
		split(ctl, setting, text);
		break;
	case ELVIS_OPTION_STRING:
	case ELVIS_OPTION_COLUMN:
		break;
	}
}

/* "limit=3" */
static bool
parse_setting(const struct ctl *ctl, const struct plugin *plugin, const char *word,
	      struct setting *setting, struct err *err)
{
	const char *sign = strchr(word, '=');
	const struct elvis_option *option = plugin_options(plugin);

	if (sign == NULL)
		return err_set(err, ERR_CONFIG, "'%s' is no OPTION=VALUE", word);
	*setting = (struct setting){
		.name = arena_strndup(ctl->arena, word, (size_t) (sign - word)),
		.file = "command line",
	};
	while (option->name != NULL && strcmp(option->name, setting->name) != 0)
		option++;
	set_value(ctl, setting, option->name != NULL ? option->type : ELVIS_OPTION_STRING,
		  sign + 1);
	return true;
}

static void
add_promise(void *context, bool kept, const char *promise, const char *detail)
{
	struct report *report = context;

	report_row(report);
	report_bool(report, kept);
	report_text(report, promise);
	report_text(report, kept ? NULL : detail);
}

static enum ctl_exit
check(const struct ctl *ctl, const struct plugin *plugin, struct err *err)
{
	AUTO_REPORT struct report *report = report_new();
	struct setting *items = arena_alloc(ctl->arena, sizeof(*items) * (size_t) ctl->argc);
	struct setting_list settings = { .items = items };
	bool kept;

	for (int i = 1; i < ctl->argc; i++)
		if (!parse_setting(ctl, plugin, ctl->argv[i], &items[settings.count++], err))
			return CTL_USAGE;
	report_column(report, "kept", "KEPT");
	report_column(report, "promise", "PROMISE");
	report_column(report, "seen", "SEEN");
	kept = contract_check(plugin, &settings, add_promise, report);
	report_print(report, ctl->json, "nothing was tried");
	if (!kept)
		err_set(err, ERR_REFUSED, "%s breaks a promise of <elvis/policy.h>",
			plugin_file(plugin));
	return kept ? CTL_OK : CTL_FAILED;
}

static enum ctl_exit
run(struct ctl *ctl, struct err *err)
{
	struct plugin_set *plugins = ctl_plugins(ctl);
	const struct plugin *plugin;
	enum ctl_exit status;

	if (plugin_set_find(plugins, ELVIS_PLUGIN_POLICY, ctl->argv[0], &plugin, err))
		status = check(ctl, plugin, err);
	else
		status = exit_of(err);
	plugin_set_free(plugins);
	return status;
}

const struct cmd cmd_check_policy = {
	.name = "check-policy",
	.words = "NAME [OPTION=VALUE...]",
	.least_words = 1,
	.most_words = 64,
	.conf = CONF_OPTIONAL,
	.help = "try a policy on sample conflicts; NAME may be a path",
	.run = run,
};
