#include "conf/option.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "conf/quantity.h"
#include "conf/reader.h"

const struct conf_option conf_options[] = {
#define X(kind, field, text, low, high, live, words) \
	{ .name = #field, .type = CONF_##kind, .offset = offsetof(struct conf_settings, field), \
	  .fallback = text, .least = low, .greatest = high, .reloadable = live, .help = words },
	CONF_OPTIONS(X)
#undef X
};

const size_t conf_n_options = ARRAY_LEN(conf_options);

const struct conf_option *
option_find(const char *name)
{
	for (size_t i = 0; i < conf_n_options; i++)
		if (strcmp(conf_options[i].name, name) == 0)
			return &conf_options[i];
	return NULL;
}

static void *
member(struct conf_settings *settings, const struct conf_option *option)
{
	return (char *) settings + option->offset;
}

/* A number from its text, within the option's range. */
static bool
parse_quantity(const struct conf_option *option, const char *text, int64_t *value)
{
	bool ok = option->type == CONF_SIZE ? quantity_size(text, value)
					    : quantity_duration(text, value);

	return ok && *value >= option->least && *value <= option->greatest;
}

/* What the list above says is right, so a default that does not parse is a bug. */
static void
option_default(struct conf_settings *settings, const struct conf_option *option)
{
	void *into = member(settings, option);
	bool ok = true;

	switch (option->type) {
	case CONF_BOOL:
		*(bool *) into = strcmp(option->fallback, "true") == 0;
		break;
	case CONF_COUNT:
		*(int64_t *) into = strtoll(option->fallback, NULL, 10);
		break;
	case CONF_SIZE:
	case CONF_DURATION:
		ok = parse_quantity(option, option->fallback, into);
		break;
	case CONF_LEVEL:
		ok = log_level_parse(option->fallback, into);
		break;
	case CONF_STRING:
		*(const char **) into = option->fallback[0] != '\0' ? option->fallback : NULL;
		break;
	case CONF_STRINGS:
		*(struct conf_strings *) into = (struct conf_strings){ 0 };
		break;
	}
	if (!ok)
		abort();
}

void
options_default(struct conf_settings *settings)
{
	for (size_t i = 0; i < conf_n_options; i++)
		option_default(settings, &conf_options[i]);
}

static bool
read_duration(struct reader *r, const config_setting_t *setting,
	      const struct conf_option *option, int64_t *value)
{
	char low[QUANTITY_TEXT_SIZE], high[QUANTITY_TEXT_SIZE];
	const char *text = config_setting_get_string(setting);

	if (text == NULL || !quantity_duration(text, value))
		return read_fail(r, setting, "'%s' takes a time with its unit, as in "
				 "\"200 ms\", \"5 s\" or \"10 min\"", option->name);
	if (*value < option->least || *value > option->greatest)
		return read_fail(r, setting, "'%s' is %s; it goes from %s to %s", option->name,
				 text, quantity_duration_text(low, option->least),
				 quantity_duration_text(high, option->greatest));
	return true;
}

static bool
read_level(struct reader *r, const config_setting_t *setting, enum log_level *level)
{
	static const char *const words[] = { "error", "warning", "info", "debug" };
	size_t number;

	return read_word(r, setting, "a log level", words, ARRAY_LEN(words), &number) &&
	       log_level_parse(words[number], level);
}

bool
read_option(struct reader *r, const config_setting_t *setting,
	    const struct conf_option *option)
{
	void *into = member(&r->conf->settings, option);

	switch (option->type) {
	case CONF_BOOL:
		return read_bool(r, setting, into);
	case CONF_COUNT:
		return read_int(r, setting, option->least, option->greatest, into);
	case CONF_SIZE:
		return read_size(r, setting, option->least, option->greatest, into);
	case CONF_DURATION:
		return read_duration(r, setting, option, into);
	case CONF_LEVEL:
		return read_level(r, setting, into);
	case CONF_STRING:
		return read_string(r, setting, into);
	case CONF_STRINGS:
		return read_strings(r, setting, into);
	}
	return false;
}

static bool
text_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
strings_equal(const struct conf_strings *a, const struct conf_strings *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!text_equal(a->items[i], b->items[i]))
			return false;
	return true;
}

bool
option_equal(const struct conf_option *option, const struct conf_settings *a,
	     const struct conf_settings *b)
{
	const void *left = (const char *) a + option->offset;
	const void *right = (const char *) b + option->offset;

	switch (option->type) {
	case CONF_BOOL:
		return *(const bool *) left == *(const bool *) right;
	case CONF_COUNT:
	case CONF_SIZE:
	case CONF_DURATION:
		return *(const int64_t *) left == *(const int64_t *) right;
	case CONF_LEVEL:
		return *(const enum log_level *) left == *(const enum log_level *) right;
	case CONF_STRING:
		return text_equal(*(const char *const *) left, *(const char *const *) right);
	case CONF_STRINGS:
		return strings_equal(left, right);
	}
	return false;
}
