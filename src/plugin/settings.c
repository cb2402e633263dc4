#include "plugin/settings.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <elvis/conflict.h>

#include "base/mem.h"
#include "base/strbuf.h"
#include "base/word.h"

#define LIST_TEXT_MAX 512

/* What the functions below are about: who is set, and where the user wrote it. */
struct reading {
	const char *who;
	const struct setting *setting; /* NULL: it is the default that is being read */
	const struct elvis_option *option;
	struct arena *arena;
	struct err *err;
};

const char *
option_type_name(enum elvis_option_type type)
{
	switch (type) {
	case ELVIS_OPTION_BOOL:
		return "true or false";
	case ELVIS_OPTION_INT:
		return "integer";
	case ELVIS_OPTION_FLOAT:
		return "number";
	case ELVIS_OPTION_STRING:
		return "string";
	case ELVIS_OPTION_STRINGS:
		return "list of strings";
	case ELVIS_OPTION_COLUMN:
		return "name of a column";
	case ELVIS_OPTION_COLUMNS:
		return "list of names of columns";
	}
	return "value of a type that this program does not know";
}

static const char *
setting_type_name(enum setting_type type)
{
	switch (type) {
	case SETTING_BOOL:
		return "true or false";
	case SETTING_INT:
		return "an integer";
	case SETTING_FLOAT:
		return "a number";
	case SETTING_STRING:
		return "a string";
	case SETTING_STRINGS:
		return "a list of strings";
	}
	return "something else";
}

static bool
is_list(enum elvis_option_type type)
{
	return type == ELVIS_OPTION_STRINGS || type == ELVIS_OPTION_COLUMNS;
}

static bool
is_column(enum elvis_option_type type)
{
	return type == ELVIS_OPTION_COLUMN || type == ELVIS_OPTION_COLUMNS;
}

/* Puts "elvis.conf:12: " in front, where there is a place to name. */
static bool
at_place(const struct setting *setting, struct err *err)
{
	if (setting == NULL || setting->file == NULL)
		return false;
	if (setting->line > 0)
		return err_wrap(err, "%s:%d", setting->file, setting->line);
	return err_wrap(err, "%s", setting->file);
}

/* Refuses the value of the option with `want`, which ends "option "x" ...". */
static bool PRINTF_LIKE(2, 3) refuse(const struct reading *r, const char *format, ...)
{
	char want[LIST_TEXT_MAX + 128];
	va_list args;

	va_start(args, format);
	vsnprintf(want, sizeof(want), format, args);
	va_end(args);
	err_set(r->err, ERR_CONFIG, "%s: option \"%s\" %s", r->who, r->option->name,
		want);
	return at_place(r->setting, r->err);
}

static bool
refuse_type(const struct reading *r, const char *found)
{
	const char *type = option_type_name(r->option->type);

	if (r->option->type == ELVIS_OPTION_BOOL)
		return refuse(r, "must be true or false, not %s", found);
	return refuse(r, "must be %s %s, not %s", type[0] == 'i' ? "an" : "a", type,
		      found);
}

/* "newest", "oldest" or "none" */
static void
list_words(char *out, size_t size, const char *const *words, size_t count)
{
	AUTO_STRBUF struct strbuf text;

	strbuf_init(&text, LIST_TEXT_MAX);
	for (size_t i = 0; i < count; i++)
		strbuf_printf(&text, "%s\"%s\"",
			      i == 0           ? ""
			      : i + 1 == count ? " or "
					       : ", ",
			      words[i]);
	snprintf(out, size, "%s", text.data);
}

static size_t
count_words(const char *const *words)
{
	size_t n = 0;

	while (words[n] != NULL)
		n++;
	return n;
}

static bool
check_choice(const struct reading *r, const char *word)
{
	char choices[LIST_TEXT_MAX];
	const char *const *allowed = r->option->choices;
	size_t n;

	if (allowed == NULL)
		return true;
	n = count_words(allowed);
	for (size_t i = 0; i < n; i++)
		if (strcmp(allowed[i], word) == 0)
			return true;
	list_words(choices, sizeof(choices), allowed, n);
	return refuse(r, "must be %s, not \"%s\"", choices, word);
}

static bool
check_range(const struct reading *r, int64_t value)
{
	const struct elvis_option *option = r->option;

	if (option->min >= option->max || (value >= option->min && value <= option->max))
		return true;
	return refuse(r, "must be between %" PRId64 " and %" PRId64 ", not %" PRId64,
		      option->min, option->max, value);
}

static bool
set_strings(const struct reading *r, struct elvis_setting *value,
	    const char *const *strings, size_t count)
{
	const char **copy = arena_alloc(r->arena, sizeof(*copy) * (count + 1));

	for (size_t i = 0; i < count; i++) {
		if (strings[i][0] == '\0')
			return refuse(r, "must not hold an empty string");
		copy[i] = arena_strdup(r->arena, strings[i]);
	}
	copy[count] = NULL;
	value->strings = copy;
	value->n_strings = count;
	return true;
}

/* "a, b" as a default is the list of a and b. */
static bool
set_listed(const struct reading *r, struct elvis_setting *value, const char *text)
{
	char *rest = arena_strdup(r->arena, text);
	const char **strings =
		arena_alloc(r->arena, sizeof(*strings) * (strlen(text) + 1));
	size_t count = 0;

	for (char *item = strsep(&rest, ","); item != NULL; item = strsep(&rest, ",")) {
		item += strspn(item, " ");
		item[strcspn(item, " ")] = '\0';
		strings[count++] = item;
	}
	return set_strings(r, value, strings, count);
}

static bool
set_integer(const struct reading *r, struct elvis_setting *value, const char *text)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(text, &end, 10);
	if (end == text || *end != '\0' || errno != 0)
		return refuse(r, "must be an integer, not \"%s\"", text);
	value->integer = number;
	return check_range(r, number);
}

static bool
set_real(const struct reading *r, struct elvis_setting *value, const char *text)
{
	char *end;

	value->real = strtod(text, &end);
	if (end == text || *end != '\0')
		return refuse(r, "must be a number, not \"%s\"", text);
	return true;
}

static bool
set_from_default(const struct reading *r, struct elvis_setting *value, const char *text)
{
	switch (r->option->type) {
	case ELVIS_OPTION_BOOL:
		value->boolean = strcmp(text, "true") == 0;
		if (!value->boolean && strcmp(text, "false") != 0)
			return refuse(r, "must be true or false, not \"%s\"", text);
		return true;
	case ELVIS_OPTION_INT:
		return set_integer(r, value, text);
	case ELVIS_OPTION_FLOAT:
		return set_real(r, value, text);
	case ELVIS_OPTION_STRING:
	case ELVIS_OPTION_COLUMN:
		value->string = arena_strdup(r->arena, text);
		return check_choice(r, text);
	case ELVIS_OPTION_STRINGS:
	case ELVIS_OPTION_COLUMNS:
		return set_listed(r, value, text);
	}
	return refuse(r, "has a type that this program does not know");
}

/* From a file, where values have types: only an integer may stand for another type. */
static bool
set_from_file(const struct reading *r, struct elvis_setting *value)
{
	const struct setting *given = r->setting;
	enum elvis_option_type type = r->option->type;

	switch (given->type) {
	case SETTING_BOOL:
		value->boolean = given->boolean;
		return type == ELVIS_OPTION_BOOL || refuse_type(r, "true or false");
	case SETTING_INT:
		value->integer = given->integer;
		value->real = (double) given->integer;
		if (type == ELVIS_OPTION_FLOAT)
			return true;
		return type == ELVIS_OPTION_INT ? check_range(r, given->integer)
						: refuse_type(r, "an integer");
	case SETTING_FLOAT:
		value->real = given->real;
		return type == ELVIS_OPTION_FLOAT || refuse_type(r, "a number");
	case SETTING_STRING:
		if (is_list(type))
			return set_strings(r, value, &given->string, 1);
		value->string = arena_strdup(r->arena, given->string);
		return type == ELVIS_OPTION_STRING || type == ELVIS_OPTION_COLUMN
			       ? check_choice(r, given->string)
			       : refuse_type(r, setting_type_name(given->type));
	case SETTING_STRINGS:
		return is_list(type)
			       ? set_strings(r, value, given->strings, given->n_strings)
			       : refuse_type(r, setting_type_name(given->type));
	}
	return refuse_type(r, setting_type_name(given->type));
}

static const struct setting *
find_given(const struct setting_list *given, const char *name)
{
	for (size_t i = 0; i < given->count; i++)
		if (strcmp(given->items[i].name, name) == 0)
			return &given->items[i];
	return NULL;
}

static size_t
count_options(const struct elvis_option *options)
{
	size_t n = 0;

	while (options[n].name != NULL)
		n++;
	return n;
}

static bool
refuse_unknown(const struct setting *setting, const struct elvis_option *options,
	       const char *who, struct err *err)
{
	char all[LIST_TEXT_MAX];
	size_t n = count_options(options);
	AUTO_FREE const char **names = mem_alloc(sizeof(*names) * (n + 1));
	const char *nearest;

	for (size_t i = 0; i < n; i++)
		names[i] = options[i].name;
	nearest = word_nearest(setting->name, names, n);
	list_words(all, sizeof(all), names, n);

	if (n == 0)
		err_set(err, ERR_CONFIG, "%s takes no options; \"%s\" was given", who,
			setting->name);
	else if (nearest != NULL)
		err_set(err, ERR_CONFIG, "%s has no option \"%s\"; did you mean \"%s\"?",
			who, setting->name, nearest);
	else
		err_set(err, ERR_CONFIG, "%s has no option \"%s\"; it has %s", who,
			setting->name, all);
	return at_place(setting, err);
}

static bool
know_all(const struct setting_list *given, const struct elvis_option *options,
	 const char *who, struct err *err)
{
	for (size_t i = 0; i < given->count; i++) {
		const struct elvis_option *option = options;

		while (option->name != NULL &&
		       strcmp(option->name, given->items[i].name) != 0)
			option++;
		if (option->name == NULL)
			return refuse_unknown(&given->items[i], options, who, err);
	}
	return true;
}

static bool
read_one(const struct reading *r, struct elvis_setting *value)
{
	const struct elvis_option *option = r->option;

	value->given = r->setting != NULL || option->fallback != NULL;
	if (r->setting != NULL)
		return set_from_file(r, value);
	if (option->fallback != NULL)
		return set_from_default(r, value, option->fallback);
	if (option->required)
		return err_set(r->err, ERR_CONFIG,
			       "%s needs the option \"%s\" (%s), which is not set",
			       r->who, option->name, option->help);
	return true;
}

bool
settings_read(struct elvis_settings *settings, const struct elvis_option *options,
	      const struct setting_list *given, const char *who, struct arena *arena,
	      struct err *err)
{
	size_t n = count_options(options);
	struct elvis_setting *values;

	*settings = (struct elvis_settings){ .count = 0 };
	if (!know_all(given, options, who, err))
		return false;
	/* there is an instance for each table: most have no options and need no memory */
	if (n == 0)
		return true;
	values = arena_zalloc(arena, sizeof(*values) * n);
	for (size_t i = 0; i < n; i++) {
		const struct reading r = { .who = who,
					   .setting = find_given(given, options[i].name),
					   .option = &options[i],
					   .arena = arena,
					   .err = err };

		if (!read_one(&r, &values[i]))
			return false;
	}
	settings->values = values;
	settings->count = n;
	return true;
}

static bool
refuse_column(const struct reading *r, const char *column,
	      const struct elvis_table *table)
{
	AUTO_FREE const char **names = mem_alloc(sizeof(*names) * (table->n_columns + 1));
	const char *nearest;

	for (size_t i = 0; i < table->n_columns; i++)
		names[i] = table->columns[i]->name;
	nearest = word_nearest(column, names, table->n_columns);
	if (nearest != NULL)
		return refuse(r,
			      "names \"%s\", which is not a column of %s.%s; did you "
			      "mean \"%s\"?",
			      column, table->schema, table->name, nearest);
	return refuse(r, "names \"%s\", which is not a column of %s.%s", column,
		      table->schema, table->name);
}

bool
settings_fit_table(const struct elvis_settings *settings,
		   const struct elvis_option *options, const struct setting_list *given,
		   const char *who, const struct elvis_table *table, struct err *err)
{
	for (size_t i = 0; i < settings->count; i++) {
		const struct elvis_setting *value = &settings->values[i];
		const struct reading r = { .who = who,
					   .setting = find_given(given, options[i].name),
					   .option = &options[i],
					   .err = err };

		if (!is_column(options[i].type))
			continue;
		if (value->string != NULL &&
		    elvis_column_number(table, value->string) < 0)
			return refuse_column(&r, value->string, table);
		for (size_t j = 0; j < value->n_strings; j++)
			if (elvis_column_number(table, value->strings[j]) < 0)
				return refuse_column(&r, value->strings[j], table);
	}
	return true;
}

static const char *
copy_text(struct arena *arena, const char *text)
{
	return text != NULL ? arena_strdup(arena, text) : NULL;
}

struct setting_list
settings_copy(const struct setting_list *given, struct arena *arena)
{
	struct setting *items;

	if (given->count == 0)
		return (struct setting_list){ .count = 0 };
	items = arena_alloc(arena, sizeof(*items) * given->count);
	for (size_t i = 0; i < given->count; i++) {
		const struct setting *from = &given->items[i];
		const char **strings =
			arena_alloc(arena, sizeof(*strings) * (from->n_strings + 1));

		for (size_t j = 0; j < from->n_strings; j++)
			strings[j] = arena_strdup(arena, from->strings[j]);
		items[i] = *from;
		items[i].name = arena_strdup(arena, from->name);
		items[i].string = copy_text(arena, from->string);
		items[i].strings = strings;
		items[i].file = copy_text(arena, from->file);
	}
	return (struct setting_list){ .items = items, .count = given->count };
}

/* Names are those that libconfig can write: a letter, then letters, digits and underscores. */
static bool
is_name(const char *name)
{
	if (!isalpha((unsigned char) name[0]))
		return false;
	for (const char *c = name; *c != '\0'; c++)
		if (!isalnum((unsigned char) *c) && *c != '_')
			return false;
	return true;
}

static bool
check_option(const struct elvis_option *option, enum elvis_plugin_kind kind,
	     struct arena *arena, struct err *err)
{
	const struct reading r = {
		.who = "its list of options", .option = option, .arena = arena, .err = err
	};
	struct elvis_setting value = { .given = true };

	if (!is_name(option->name) || strcmp(option->name, "use") == 0)
		return refuse(
			&r,
			"has a name that a configuration cannot write: wanted letters, "
			"digits and underscores, and not \"use\"");
	if ((unsigned) option->type > ELVIS_OPTION_COLUMNS)
		return refuse(&r, "has type %d; this program knows 0 to %d",
			      (int) option->type, ELVIS_OPTION_COLUMNS);
	if (option->help == NULL)
		return refuse(&r, "has no help text");
	if (is_column(option->type) && kind != ELVIS_PLUGIN_POLICY)
		return refuse(&r, "names a column, which only policies can have");
	if (option->choices != NULL && option->type != ELVIS_OPTION_STRING)
		return refuse(&r, "has choices, which only a string can have");
	if (option->required && option->fallback != NULL)
		return refuse(&r, "is required and has a default: one of them is meant");
	return option->fallback == NULL || set_from_default(&r, &value, option->fallback);
}

bool
options_check(const struct elvis_option *options, enum elvis_plugin_kind kind,
	      struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new();

	for (const struct elvis_option *option = options; option->name != NULL;
	     option++) {
		if (!check_option(option, kind, arena, err))
			return false;
		for (const struct elvis_option *other = options; other != option; other++)
			if (strcmp(other->name, option->name) == 0)
				return err_set(err, ERR_CONFIG,
					       "its list of options has \"%s\" twice",
					       option->name);
	}
	return true;
}
