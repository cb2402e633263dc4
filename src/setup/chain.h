/*
 * What a chain of policies promises, as its plugins say.  The context of both functions is the
 * struct plugin_set.
 */
#ifndef SETUP_CHAIN_H
#define SETUP_CHAIN_H

#include <stdbool.h>

#include <elvis/policy.h>

#include "conf/conf.h"

/*
 * A topology_converges.  A policy that orders versions is carried out on every change only if
 * it is the first that decides updates; behind another it keeps no two writers alike.
 */
bool chain_converges(void *plugins, const struct conf_chain *chain, size_t place,
		     enum elvis_convergence *converges);

/* For struct plan_options */
bool chain_needs_large(void *plugins, const struct conf_chain *chain);

#endif
