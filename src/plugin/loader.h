/*
 * Finding a plugin's file and making it part of this process.
 *
 * A file is never opened in place: it is copied into memory, that copy is hashed, and that
 * copy is loaded.  So a file may be overwritten while it is in use, each load is a
 * generation of its own with its own code and variables, and the hash recorded with a
 * resolution is that of the code that ran.
 *
 * A generation is closed when the last who uses it lets go.  References may be taken and
 * dropped by any thread; a plugin_set belongs to the thread that reads the configuration.
 */
#ifndef PLUGIN_LOADER_H
#define PLUGIN_LOADER_H

#include <stdbool.h>
#include <stddef.h>

#include <elvis/policy.h>
#include <elvis/sink.h>

#include "base/attr.h"
#include "base/err.h"

struct plugin;
struct plugin_set;

/*
 * The plugins of one configuration: every file once, however many links and tables use it.
 * The two lists of directories are copied; each is searched in order, then the directory
 * elvis was installed to.
 */
MUST_USE struct plugin_set *plugin_set_new(const char *const *policy_dirs,
					   size_t n_policy_dirs, const char *const *sink_dirs,
					   size_t n_sink_dirs);

/*
 * The plugin of that kind and name; a name with a slash in it is a path.  It stays the
 * set's: plugin_ref() what is to outlive the set.  False: err (ERR_CONFIG) names the file,
 * what was found, what was wanted and what to do.
 */
MUST_USE bool plugin_set_find(struct plugin_set *set, enum elvis_plugin_kind kind,
			      const char *name, const struct plugin **plugin, struct err *err);

/* Visits every plugin that was found so far, in no order. */
void plugin_set_each(const struct plugin_set *set,
		     void (*visit)(void *context, const struct plugin *plugin), void *context);

/* Lets go of every plugin that nobody else has a reference to.  NULL is fine. */
void plugin_set_free(struct plugin_set *set);

/* The same pointer, to be given back by plugin_unref(), which takes NULL too. */
MUST_USE const struct plugin *plugin_ref(const struct plugin *plugin);
void plugin_unref(const struct plugin *plugin);

/*
 * What the plugin says of itself, in this program's layout: members that it is too old to
 * have are zero, members that we are too old to know are left out.  As long as the plugin.
 */
const struct elvis_policy *plugin_policy(const struct plugin *plugin);
const struct elvis_sink *plugin_sink(const struct plugin *plugin);

enum elvis_plugin_kind plugin_kind(const struct plugin *plugin);
const char *plugin_name(const struct plugin *plugin);
const char *plugin_version(const struct plugin *plugin);
const char *plugin_summary(const struct plugin *plugin);
const struct elvis_option *plugin_options(const struct plugin *plugin); /* never NULL */
const char *plugin_file(const struct plugin *plugin); /* where it was found */
const char *plugin_hash(const struct plugin *plugin); /* SHA-256 of the code, 64 hex digits */

#endif
