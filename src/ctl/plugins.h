/*
 * The plugins that a configuration names, as elvisctl sees them: loaded, asked, never run.
 */
#ifndef CTL_PLUGINS_H
#define CTL_PLUGINS_H

#include "ctl/cmd.h"
#include "plugin/loader.h"

/* Directories of the command line, then those of the configuration; the caller frees the set. */
MUST_USE struct plugin_set *ctl_plugins(const struct ctl *ctl);

/* Every directory that is searched, the installed one last */
MUST_USE struct conf_strings ctl_plugin_dirs(const struct ctl *ctl, enum elvis_plugin_kind kind);

/* Loads every policy and sink of the configuration and holds their settings against the
 * plugins' options.  The first that is wrong is the error. */
MUST_USE bool ctl_plugins_check(const struct ctl *ctl, struct plugin_set *plugins,
				struct err *err);

/*
 * A topology_converges; its context is the struct plugin_set.  A policy that orders versions is
 * carried out on every change only if it is the first that decides updates; behind another it
 * keeps no two writers alike.
 */
bool ctl_plugins_converge(void *context, const struct conf_chain *chain, size_t place,
			  enum elvis_convergence *converges);

/* For struct plan_options; its context is the struct plugin_set. */
bool ctl_plugins_need_large(void *context, const struct conf_chain *chain);

#endif
