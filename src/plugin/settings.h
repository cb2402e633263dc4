/*
 * From what the user wrote to what a plugin is handed: settings are held against the
 * plugin's list of options.
 *
 * Every refusal (ERR_CONFIG) begins with file and line and says what would be right.
 */
#ifndef PLUGIN_SETTINGS_H
#define PLUGIN_SETTINGS_H

#include <stdbool.h>

#include <elvis/abi.h>
#include <elvis/change.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "model/setting.h"

/*
 * The value of every option, in the order of the list: the user's, else the default, else
 * not given.  Values live in the arena.  `who` begins sentences: `policy "mine"`.
 */
MUST_USE bool settings_read(struct elvis_settings *settings, const struct elvis_option *options,
			    const struct setting_list *given, const char *who,
			    struct arena *arena, struct err *err);

/* Every column that the settings name is one of the table's.  `given` only for file and line. */
MUST_USE bool settings_fit_table(const struct elvis_settings *settings,
				 const struct elvis_option *options,
				 const struct setting_list *given, const char *who,
				 const struct elvis_table *table, struct err *err);

/* Everything of it in the arena, for who keeps it longer than its maker. */
struct setting_list settings_copy(const struct setting_list *given, struct arena *arena);

/*
 * The list itself makes sense: names, types, defaults that its own rules allow.  `kind`
 * because only policies have columns.  On false err->text says what is wrong, to be
 * wrapped by who knows the file.
 */
MUST_USE bool options_check(const struct elvis_option *options, enum elvis_plugin_kind kind,
			    struct err *err);

/* How the type is called where options are described: "integer", "list of strings". */
const char *option_type_name(enum elvis_option_type type);

#endif
