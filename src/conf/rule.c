/* One element of a link's `tables`. */
#include "conf/rule.h"

#include <string.h>

#include "conf/plugin.h"

static bool
read_pattern(struct reader *r, const config_setting_t *setting, void *item)
{
	const char *text;

	if (!read_string(r, setting, &text))
		return false;
	if (!pattern_parse(item, text, r->arena, r->err))
		return read_fail(r, setting, "%s", r->err->text);
	return true;
}

static bool
read_match(struct reader *r, const config_setting_t *setting, void *into)
{
	struct conf_rule *rule = into;

	if (!read_each(r, setting, sizeof(struct pattern), read_pattern, &rule->patterns,
		       &rule->n_patterns))
		return false;
	if (rule->n_patterns == 0)
		return read_fail(r, setting, "'match' is empty; to match everything write "
				 "\"*.*\"");
	return true;
}

static bool
read_rule_policy(struct reader *r, const config_setting_t *setting, void *into)
{
	return read_chain(r, setting, &((struct conf_rule *) into)->chain);
}

/* The kinds that can be put to a policy, by number - 1 */
static const char *const kinds[] = {
#define X(id, name, text) name,
	ELVIS_CONFLICT_KINDS(X)
#undef X
};

static bool
read_kind(struct reader *r, const config_setting_t *setting, struct conf_rule *rule)
{
	const char *name = config_setting_name(setting);
	size_t i = 0;

	while (i < ARRAY_LEN(kinds) && strcmp(kinds[i], name) != 0)
		i++;
	if (i == ARRAY_LEN(kinds))
		return read_fail(r, setting, "'%s' is not a kind of conflict; %s", name,
				 read_suggestion(r, name, kinds, ARRAY_LEN(kinds)));
	if (i + 1 == ELVIS_POLICY_ERROR)
		return read_fail(r, setting, "no policy is asked about policy_error; it always "
				 "stops the link");
	if (i + 1 == ELVIS_GAP)
		return read_fail(r, setting, "no policy is asked about a gap; the rule's own "
				 "setting gap = \"ignore\" passes it");
	return read_chain(r, setting, &rule->on[i + 1]);
}

static bool
read_on(struct reader *r, const config_setting_t *setting, void *into)
{
	if (!config_setting_is_group(setting))
		return read_fail(r, setting, "'on' is a group of kinds of conflict: "
				 "{ delete_missing = \"skip\"; }");
	for (int i = 0; i < config_setting_length(setting); i++)
		if (!read_kind(r, config_setting_get_elem(setting, (unsigned int) i), into))
			return false;
	return true;
}

static bool
read_detect(struct reader *r, const config_setting_t *setting, void *into)
{
	static const char *const words[] = {
		[CONF_DETECT_BEFORE_IMAGE] = "before_image",
		[CONF_DETECT_CHANGED_COLUMNS] = "changed_columns",
		[CONF_DETECT_KEY] = "key",
	};
	struct conf_rule *rule = into;
	size_t number;

	if (!read_word(r, setting, "a way of detection", words, ARRAY_LEN(words), &number))
		return false;
	rule->detect = (enum conf_detect) number;
	return true;
}

static bool
read_gap(struct reader *r, const config_setting_t *setting, void *into)
{
	static const char *const words[] = {
		[CONF_GAP_STOP] = "stop",
		[CONF_GAP_IGNORE] = "ignore",
	};
	struct conf_rule *rule = into;
	size_t number;

	if (!read_word(r, setting, "an answer to a gap", words, ARRAY_LEN(words), &number))
		return false;
	rule->gap = (enum conf_gap) number;
	return true;
}

static bool
read_ignore_columns(struct reader *r, const config_setting_t *setting, void *into)
{
	return read_strings(r, setting, &((struct conf_rule *) into)->ignore_columns);
}

static bool
read_key(struct reader *r, const config_setting_t *setting, void *into)
{
	return read_string(r, setting, &((struct conf_rule *) into)->key);
}

static bool
read_capture_unchanged(struct reader *r, const config_setting_t *setting, void *into)
{
	return read_size(r, setting, 0, 1 << 30,
			 &((struct conf_rule *) into)->capture_unchanged);
}

static bool
read_exclude(struct reader *r, const config_setting_t *setting, void *into)
{
	return read_bool(r, setting, &((struct conf_rule *) into)->exclude);
}

static const struct key rule_keys[] = {
	{ "match", read_match, true },
	{ "policy", read_rule_policy, false },
	{ "on", read_on, false },
	{ "detect", read_detect, false },
	{ "ignore_columns", read_ignore_columns, false },
	{ "gap", read_gap, false },
	{ "key", read_key, false },
	{ "capture_unchanged", read_capture_unchanged, false },
	{ "exclude", read_exclude, false },
};

bool
read_rule(struct reader *r, const config_setting_t *setting, void *item)
{
	struct conf_rule *rule = item;
	struct conf_place place = read_place(r, setting);

	*rule = (struct conf_rule){
		.file = place.file, .line = place.line, .capture_unchanged = -1,
	};
	if (config_setting_is_group(setting)) {
		if (!read_group(r, setting, "a rule for tables", rule_keys,
				ARRAY_LEN(rule_keys), rule))
			return false;
	} else if (!read_match(r, setting, rule)) {
		return false;
	}
	if (rule->chain.n_policies == 0)
		rule->chain = chain_strict(r->arena, rule->file, rule->line);
	return true;
}
