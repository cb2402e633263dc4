#include "conf/conf.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "conf/life.h"
#include "conf/reader.h"
#include "conf/text.h"

struct conf *
conf_new(const char *origin, struct arena **arena)
{
	struct conf_life *life = mem_zalloc(sizeof(*life));
	struct conf *conf;

	life->arena = arena_new();
	atomic_init(&life->references, 1);
	conf = arena_zalloc(life->arena, sizeof(*conf));
	conf->life = life;
	conf->origin = arena_strdup(life->arena, origin);
	options_default(&conf->settings);
	*arena = life->arena;
	return conf;
}

const struct conf *
conf_ref(const struct conf *conf)
{
	atomic_fetch_add(&conf->life->references, 1);
	return conf;
}

void
conf_unref(const struct conf *conf)
{
	struct conf_life *life = conf ? conf->life : NULL;

	if (life == NULL || atomic_fetch_sub(&life->references, 1) > 1)
		return;
	arena_free(life->arena);
	free(life);
}

const struct conf_node *
conf_node(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_nodes; i++)
		if (strcmp(conf->nodes[i].name, name) == 0)
			return &conf->nodes[i];
	return NULL;
}

const struct conf_link *
conf_link(const struct conf *conf, const char *name)
{
	for (size_t i = 0; i < conf->n_links; i++)
		if (strcmp(conf->links[i].name, name) == 0)
			return &conf->links[i];
	return NULL;
}

static bool
rule_matches(const struct conf_rule *rule, const char *schema, const char *table)
{
	for (size_t i = 0; i < rule->n_patterns; i++)
		if (pattern_matches(&rule->patterns[i], schema, table))
			return true;
	return false;
}

const struct conf_rule *
conf_link_rule(const struct conf_link *link, const char *schema, const char *table)
{
	for (size_t i = 0; i < link->n_rules; i++)
		if (rule_matches(&link->rules[i], schema, table))
			return link->rules[i].exclude ? NULL : &link->rules[i];
	return NULL;
}

const struct conf_chain *
conf_rule_chain(const struct conf_rule *rule, enum elvis_conflict_kind kind)
{
	return rule->on[kind].n_policies > 0 ? &rule->on[kind] : &rule->chain;
}

bool
conf_reloadable(const struct conf *before, const struct conf *after, struct err *err)
{
	for (size_t i = 0; i < conf_n_options; i++) {
		const struct conf_option *option = &conf_options[i];

		if (!option->reloadable &&
		    !option_equal(option, &before->settings, &after->settings))
			return err_set(err, ERR_CONFIG, "%s: '%s' has changed, which takes a "
				       "restart of elvisd", after->origin, option->name);
	}
	return true;
}
