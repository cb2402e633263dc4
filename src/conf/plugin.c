/* Policies and sinks as the configuration names them: a word, or a group with `use`. */
#include "conf/plugin.h"

#include <string.h>

static bool
setting_strings(struct reader *r, const config_setting_t *from, struct setting *to)
{
	struct conf_strings strings;

	if (!read_strings(r, from, &strings))
		return false;
	to->type = SETTING_STRINGS;
	to->strings = strings.items;
	to->n_strings = strings.count;
	return true;
}

static bool
read_setting(struct reader *r, const config_setting_t *from, struct setting *to)
{
	struct conf_place place = read_place(r, from);

	*to = (struct setting){
		.name = arena_strdup(r->arena, config_setting_name(from)),
		.file = place.file,
		.line = place.line,
	};
	switch (config_setting_type(from)) {
	case CONFIG_TYPE_BOOL:
		to->type = SETTING_BOOL;
		to->boolean = config_setting_get_bool(from) == CONFIG_TRUE;
		return true;
	case CONFIG_TYPE_INT:
	case CONFIG_TYPE_INT64:
		to->type = SETTING_INT;
		to->integer = config_setting_get_int64(from);
		return true;
	case CONFIG_TYPE_FLOAT:
		to->type = SETTING_FLOAT;
		to->real = config_setting_get_float(from);
		return true;
	case CONFIG_TYPE_STRING:
		to->type = SETTING_STRING;
		to->string = arena_strdup(r->arena, config_setting_get_string(from));
		return true;
	case CONFIG_TYPE_ARRAY:
	case CONFIG_TYPE_LIST:
		return setting_strings(r, from, to);
	default:
		return read_fail(r, from, "'%s' is a group; plugins take single values and "
				 "lists of strings", to->name);
	}
}

static bool
read_plugin_group(struct reader *r, const config_setting_t *group, const char *what,
		  struct conf_plugin *plugin)
{
	const config_setting_t *use = config_setting_get_member(group, "use");
	size_t length = (size_t) config_setting_length(group);
	struct setting *items = arena_zalloc(r->arena, (length + 1) * sizeof(*items));

	if (use == NULL)
		return read_fail(r, group, "%s needs the setting 'use' with its name", what);
	if (!read_string(r, use, &plugin->use))
		return false;
	for (size_t i = 0; i < length; i++) {
		const config_setting_t *item = config_setting_get_elem(group, (unsigned int) i);

		if (item != use &&
		    !read_setting(r, item, &items[plugin->settings.count++]))
			return false;
	}
	plugin->settings.items = items;
	return true;
}

bool
read_plugin(struct reader *r, const config_setting_t *setting, const char *what,
	    struct conf_plugin *plugin)
{
	struct conf_place place = read_place(r, setting);

	*plugin = (struct conf_plugin){ .file = place.file, .line = place.line };
	if (config_setting_is_group(setting))
		return read_plugin_group(r, setting, what, plugin);
	if (config_setting_type(setting) == CONFIG_TYPE_STRING)
		return read_string(r, setting, &plugin->use);
	return read_fail(r, setting, "%s is a name in quotes or a group { use = \"name\"; ... }",
			 what);
}

static bool
read_policy(struct reader *r, const config_setting_t *setting, void *item)
{
	return read_plugin(r, setting, "a policy", item);
}

bool
read_chain(struct reader *r, const config_setting_t *setting, struct conf_chain *chain)
{
	if (!read_each(r, setting, sizeof(struct conf_plugin), read_policy, &chain->policies,
		       &chain->n_policies))
		return false;
	if (chain->n_policies == 0)
		return read_fail(r, setting, "the chain of policies is empty; leave it out to "
				 "get \"strict\"");
	return true;
}

struct conf_chain
chain_strict(struct arena *arena, const char *file, int line)
{
	struct conf_plugin *strict = arena_zalloc(arena, sizeof(*strict));

	*strict = (struct conf_plugin){ .use = "strict", .file = file, .line = line };
	return (struct conf_chain){ .policies = strict, .n_policies = 1 };
}
