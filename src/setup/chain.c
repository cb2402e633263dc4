#include "setup/chain.h"

#include "plugin/loader.h"

static const struct elvis_policy *
find_policy(struct plugin_set *plugins, const struct conf_plugin *policy)
{
	const struct plugin *plugin;
	struct err err = ERR_INIT;

	if (!plugin_set_find(plugins, ELVIS_PLUGIN_POLICY, policy->use, &plugin, &err))
		return NULL;
	return plugin_policy(plugin);
}

static bool
decides_updates(const struct elvis_policy *policy)
{
	return policy != NULL &&
	       (policy->kinds == 0 || (policy->kinds & ELVIS_ON(UPDATE_DIFFERS)) != 0);
}

bool
chain_converges(void *context, const struct conf_chain *chain, size_t place,
		     enum elvis_convergence *converges)
{
	const struct elvis_policy *policy = find_policy(context, &chain->policies[place]);

	if (policy == NULL)
		return false;
	*converges = (enum elvis_convergence) policy->converges;
	for (size_t i = 0; policy->ordered && i < place; i++)
		if (decides_updates(find_policy(context, &chain->policies[i])))
			*converges = ELVIS_CONVERGES_ONE_WAY;
	return true;
}

bool
chain_needs_large(void *context, const struct conf_chain *chain)
{
	for (size_t i = 0; i < chain->n_policies; i++) {
		const struct elvis_policy *policy = find_policy(context, &chain->policies[i]);

		if (policy != NULL && (policy->needs & ELVIS_NEEDS_LARGE_VALUES) != 0)
			return true;
	}
	return false;
}
