/* elvisctl options: the daemon's own settings, from the list that also reads them. */
#include <inttypes.h>

#include "conf/quantity.h"
#include "ctl/commands.h"
#include "ctl/report.h"

/* As it would be written */
static const char *
value_text(struct arena *arena, const struct conf_option *option,
	   const struct conf_settings *settings)
{
	const void *at = (const char *) settings + option->offset;
	char text[QUANTITY_TEXT_SIZE];
	const char *list = NULL;

	switch (option->type) {
	case CONF_BOOL:
		return *(const bool *) at ? "true" : "false";
	case CONF_COUNT:
		return arena_printf(arena, "%" PRId64, *(const int64_t *) at);
	case CONF_SIZE:
		return arena_strdup(arena, quantity_size_text(text, *(const int64_t *) at));
	case CONF_DURATION:
		return arena_strdup(arena, quantity_duration_text(text, *(const int64_t *) at));
	case CONF_LEVEL:
		return log_level_name(*(const enum log_level *) at);
	case CONF_STRING:
		return *(const char *const *) at;
	case CONF_STRINGS:
		for (size_t i = 0; i < ((const struct conf_strings *) at)->count; i++)
			list = arena_printf(arena, "%s%s%s", list ? list : "", list ? ", " : "",
					    ((const struct conf_strings *) at)->items[i]);
		return list;
	}
	return NULL;
}

static enum ctl_exit
run_options(struct ctl *ctl, struct err *err)
{
	AUTO_REPORT struct report *r = report_new();

	(void) err;
	report_column(r, "name", "NAME");
	report_column(r, "default", "DEFAULT");
	if (ctl->conf != NULL)
		report_column(r, "value", "VALUE");
	report_column(r, "reloadable", "RELOAD");
	report_column(r, "help", "MEANING");
	for (size_t i = 0; i < conf_n_options; i++) {
		const struct conf_option *option = &conf_options[i];

		report_row(r);
		report_text(r, option->name);
		report_text(r, option->fallback[0] != '\0' ? option->fallback : NULL);
		if (ctl->conf != NULL)
			report_text(r, value_text(ctl->arena, option, &ctl->conf->settings));
		report_bool(r, option->reloadable);
		report_text(r, option->help);
	}
	report_print(r, ctl->json, "there are none");
	return CTL_OK;
}

const struct cmd cmd_options = {
	.name = "options",
	.words = "",
	.conf = CONF_OPTIONAL,
	.help = "the settings of elvisd: default, value in force, meaning",
	.run = run_options,
};
