/*
 * Does a policy keep the interface's promises?  Found out by trying it on sample conflicts:
 * by the tests on every policy that is shipped, by elvisctl on anybody's.
 */
#ifndef PLUGIN_CONTRACT_H
#define PLUGIN_CONTRACT_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/attr.h"
#include "model/setting.h"
#include "plugin/loader.h"

/* Told of each promise: is it kept, and if not, what was seen; detail "" when it is kept. */
typedef void contract_report(void *context, bool kept, const char *promise, const char *detail);

/*
 * Tries the policy with these settings; an option that is required and not set gets a value
 * that suits the samples' table.  True: every promise is kept.  What one thread can see:
 * two instances are used in turn, not at once.
 */
MUST_USE bool contract_check(const struct plugin *plugin, const struct setting_list *settings,
			     contract_report *report, void *context);

/* The settings it uses: those given, and the values it adds.  In the arena. */
struct setting_list contract_settings(const struct plugin *plugin,
				      const struct setting_list *settings, struct arena *arena);

#endif
