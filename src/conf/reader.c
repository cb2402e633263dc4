#include "conf/reader.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "base/word.h"
#include "conf/quantity.h"

#define NAME_MAX_BYTES 63

struct conf_place
read_place(const struct reader *r, const config_setting_t *at)
{
	return conf_text_place(r->text, (int) config_setting_source_line(at));
}

bool
read_fail(struct reader *r, const config_setting_t *at, const char *format, ...)
{
	struct conf_place place = read_place(r, at);
	char text[sizeof(r->err->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return err_set(r->err, ERR_CONFIG, "%s:%d: %s", place.file, place.line, text);
}

const char *
read_suggestion(struct reader *r, const char *word, const char *const *words, size_t n_words)
{
	const char *nearest = word_nearest(word, words, n_words);
	AUTO_STRBUF struct strbuf list;

	strbuf_init(&list, 512);
	if (nearest != NULL)
		return arena_printf(r->arena, "did you mean '%s'?", nearest);
	for (size_t i = 0; i < n_words; i++)
		strbuf_printf(&list, "%s%s", i == 0 ? "" : ", ", words[i]);
	return arena_printf(r->arena, "there are: %s", list.data);
}

static const struct key *
key_find(const struct key *keys, size_t n_keys, const char *name)
{
	for (size_t i = 0; i < n_keys; i++)
		if (strcmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

static bool
unknown_setting(struct reader *r, const config_setting_t *member, const char *what,
		const struct key *keys, size_t n_keys)
{
	const char **names = arena_alloc(r->arena, n_keys * sizeof(*names));
	const char *name = config_setting_name(member);

	for (size_t i = 0; i < n_keys; i++)
		names[i] = keys[i].name;
	return read_fail(r, member, "%s has no setting '%s'; %s", what, name,
			 read_suggestion(r, name, names, n_keys));
}

bool
read_group(struct reader *r, const config_setting_t *group, const char *what,
	   const struct key *keys, size_t n_keys, void *into)
{
	if (!config_setting_is_group(group))
		return read_fail(r, group, "%s is written in braces: { %s = ...; }", what,
				 keys[0].name);
	for (int i = 0; i < config_setting_length(group); i++) {
		const config_setting_t *member =
			config_setting_get_elem(group, (unsigned int) i);
		const struct key *key = key_find(keys, n_keys, config_setting_name(member));

		if (key == NULL)
			return unknown_setting(r, member, what, keys, n_keys);
		if (!key->read(r, member, into))
			return false;
	}
	for (size_t i = 0; i < n_keys; i++)
		if (keys[i].required && config_setting_get_member(group, keys[i].name) == NULL)
			return read_fail(r, group, "%s needs the setting '%s'", what,
					 keys[i].name);
	return true;
}

static bool
is_list(const config_setting_t *setting)
{
	return config_setting_type(setting) == CONFIG_TYPE_LIST ||
	       config_setting_type(setting) == CONFIG_TYPE_ARRAY;
}

bool
read_each(struct reader *r, const config_setting_t *setting, size_t size,
	  bool (*read)(struct reader *, const config_setting_t *, void *), void *items,
	  size_t *count)
{
	size_t n = is_list(setting) ? (size_t) config_setting_length(setting) : 1;
	char *array = arena_zalloc(r->arena, n * size + 1);

	for (size_t i = 0; i < n; i++)
		if (!read(r, is_list(setting)
				     ? config_setting_get_elem(setting, (unsigned int) i)
				     : setting,
			  array + i * size))
			return false;
	memcpy(items, &array, sizeof(array));
	*count = n;
	return true;
}

/* What a setting is called in an error; elements of lists have no name of their own. */
static const char *
setting_label(const config_setting_t *setting)
{
	while (config_setting_name(setting) == NULL && config_setting_parent(setting) != NULL)
		setting = config_setting_parent(setting);
	return config_setting_name(setting) ? config_setting_name(setting) : "it";
}

bool
read_string(struct reader *r, const config_setting_t *setting, const char **value)
{
	if (config_setting_type(setting) != CONFIG_TYPE_STRING)
		return read_fail(r, setting, "'%s' takes a string in double quotes",
				 setting_label(setting));
	*value = arena_strdup(r->arena, config_setting_get_string(setting));
	if (**value == '\0')
		return read_fail(r, setting, "'%s' is empty; leave it out or give it a value",
				 setting_label(setting));
	return true;
}

static bool
read_string_item(struct reader *r, const config_setting_t *setting, void *item)
{
	return read_string(r, setting, item);
}

bool
read_strings(struct reader *r, const config_setting_t *setting, struct conf_strings *value)
{
	return read_each(r, setting, sizeof(const char *), read_string_item, &value->items,
			 &value->count);
}

bool
read_bool(struct reader *r, const config_setting_t *setting, bool *value)
{
	if (config_setting_type(setting) != CONFIG_TYPE_BOOL)
		return read_fail(r, setting, "'%s' is true or false, without quotes",
				 setting_label(setting));
	*value = config_setting_get_bool(setting) == CONFIG_TRUE;
	return true;
}

bool
read_int(struct reader *r, const config_setting_t *setting, int64_t least, int64_t greatest,
	 int64_t *value)
{
	if (config_setting_type(setting) != CONFIG_TYPE_INT &&
	    config_setting_type(setting) != CONFIG_TYPE_INT64)
		return read_fail(r, setting, "'%s' takes a whole number",
				 setting_label(setting));
	*value = config_setting_get_int64(setting);
	if (*value < least || *value > greatest)
		return read_fail(r, setting, "'%s' is %" PRId64 "; it goes from %" PRId64
				 " to %" PRId64, setting_label(setting), *value, least,
				 greatest);
	return true;
}

bool
read_size(struct reader *r, const config_setting_t *setting, int64_t least, int64_t greatest,
	  int64_t *value)
{
	char low[QUANTITY_TEXT_SIZE], high[QUANTITY_TEXT_SIZE];
	const char *text = config_setting_get_string(setting);

	if (text == NULL || !quantity_size(text, value))
		return read_fail(r, setting, "'%s' takes a size with its unit, as in "
				 "\"64 MB\"", setting_label(setting));
	if (*value < least || *value > greatest)
		return read_fail(r, setting, "'%s' is %s; it goes from %s to %s",
				 setting_label(setting), text, quantity_size_text(low, least),
				 quantity_size_text(high, greatest));
	return true;
}

bool
read_word(struct reader *r, const config_setting_t *setting, const char *what,
	  const char *const *words, size_t n_words, size_t *value)
{
	const char *word;

	if (!read_string(r, setting, &word))
		return false;
	for (size_t i = 0; i < n_words; i++) {
		if (strcmp(word, words[i]) == 0) {
			*value = i;
			return true;
		}
	}
	return read_fail(r, setting, "'%s' is not %s; %s", word, what,
			 read_suggestion(r, word, words, n_words));
}

bool
read_name(struct reader *r, const config_setting_t *setting, const char **value)
{
	if (!read_string(r, setting, value))
		return false;
	if (strlen(*value) > NAME_MAX_BYTES)
		return read_fail(r, setting, "the name '%.20s...' is longer than %d bytes",
				 *value, NAME_MAX_BYTES);
	for (const char *c = *value; *c != '\0'; c++)
		if (strchr(" \t\r\n/\\\"'", *c) != NULL || (unsigned char) *c < 0x20)
			return read_fail(r, setting, "the name '%s' has a space, a quote or a "
					 "slash in it; use letters, digits, '_', '-' and '.'",
					 *value);
	return true;
}
