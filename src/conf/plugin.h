/*
 * Inside conf/ only: reading what the configuration says about plugins.
 */
#ifndef CONF_PLUGIN_H
#define CONF_PLUGIN_H

#include "conf/reader.h"

/* "name" or { use = "name"; ... }.  `what` is for errors: "a policy", "a sink". */
MUST_USE bool read_plugin(struct reader *r, const config_setting_t *setting, const char *what,
			  struct conf_plugin *plugin);

/* One policy or a list of them */
MUST_USE bool read_chain(struct reader *r, const config_setting_t *setting,
			 struct conf_chain *chain);

/* The chain of a rule that names none */
MUST_USE struct conf_chain chain_strict(struct arena *arena, const char *file, int line);

#endif
