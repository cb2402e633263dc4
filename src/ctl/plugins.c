#include "ctl/plugins.h"

#include <string.h>

#include "plugin/settings.h"

/* The two lists put together, the built-in directory behind them where there is one */
static struct conf_strings
join(const struct ctl *ctl, const struct conf_strings *first, const struct conf_strings *second,
     const char *last)
{
	const char **items = arena_zalloc(ctl->arena,
					  (first->count + second->count + 1) * sizeof(*items));
	size_t n = 0;

	for (size_t i = 0; i < first->count; i++)
		items[n++] = first->items[i];
	for (size_t i = 0; i < second->count; i++)
		items[n++] = second->items[i];
	if (last != NULL)
		items[n++] = last;
	return (struct conf_strings){ .items = items, .count = n };
}

static const struct conf_settings *
settings_of(const struct ctl *ctl)
{
	static const struct conf_settings none;

	return ctl->conf ? &ctl->conf->settings : &none;
}

struct plugin_set *
ctl_plugins(const struct ctl *ctl)
{
	const struct conf_settings *settings = settings_of(ctl);
	struct conf_strings policies = join(ctl, &ctl->arguments.policy_dirs,
					    &settings->policy_dirs, NULL);
	struct conf_strings sinks = join(ctl, &ctl->arguments.sink_dirs, &settings->sink_dirs,
					 NULL);

	return plugin_set_new(policies.items, policies.count, sinks.items, sinks.count);
}

struct conf_strings
ctl_plugin_dirs(const struct ctl *ctl, enum elvis_plugin_kind kind)
{
	const struct conf_settings *settings = settings_of(ctl);

	if (kind == ELVIS_PLUGIN_POLICY)
		return join(ctl, &ctl->arguments.policy_dirs, &settings->policy_dirs, POLICYDIR);
	return join(ctl, &ctl->arguments.sink_dirs, &settings->sink_dirs, SINKDIR);
}

static bool
check_plugin(const struct ctl *ctl, struct plugin_set *plugins, enum elvis_plugin_kind kind,
	     const struct conf_plugin *wanted, struct err *err)
{
	const struct plugin *plugin;
	struct elvis_settings settings;
	const char *who = arena_printf(ctl->arena, "%s '%s'",
				       kind == ELVIS_PLUGIN_POLICY ? "policy" : "sink",
				       wanted->use);

	if (!plugin_set_find(plugins, kind, wanted->use, &plugin, err))
		return err_wrap(err, "%s:%d", wanted->file, wanted->line);
	return settings_read(&settings, plugin_options(plugin), &wanted->settings, who,
			     ctl->arena, err);
}

static bool
check_chain(const struct ctl *ctl, struct plugin_set *plugins, const struct conf_chain *chain,
	    struct err *err)
{
	for (size_t i = 0; i < chain->n_policies; i++)
		if (!check_plugin(ctl, plugins, ELVIS_PLUGIN_POLICY, &chain->policies[i], err))
			return false;
	return true;
}

static bool
check_rule(const struct ctl *ctl, struct plugin_set *plugins, const struct conf_rule *rule,
	   struct err *err)
{
	for (int kind = 1; kind < ELVIS_CONFLICT_KIND_END; kind++)
		if (!check_chain(ctl, plugins, &rule->on[kind], err))
			return false;
	return check_chain(ctl, plugins, &rule->chain, err);
}

/* The sink postgres is the daemon's own choice; its settings come from the node. */
static bool
check_link(const struct ctl *ctl, struct plugin_set *plugins, const struct conf_link *link,
	   struct err *err)
{
	const struct plugin *postgres;

	if (link->to == NULL &&
	    !check_plugin(ctl, plugins, ELVIS_PLUGIN_SINK, &link->sink, err))
		return false;
	if (link->to != NULL &&
	    !plugin_set_find(plugins, ELVIS_PLUGIN_SINK, link->sink.use, &postgres, err))
		return false;
	for (size_t i = 0; i < link->n_rules; i++)
		if (!check_rule(ctl, plugins, &link->rules[i], err))
			return false;
	return true;
}

bool
ctl_plugins_check(const struct ctl *ctl, struct plugin_set *plugins, struct err *err)
{
	for (size_t i = 0; i < ctl->conf->n_links; i++)
		if (!check_link(ctl, plugins, &ctl->conf->links[i], err))
			return false;
	return true;
}
