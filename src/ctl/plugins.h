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

#endif
