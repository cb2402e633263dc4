/*
 * Inside conf/ only: from libconfig's settings to the structures of conf.h.
 *
 * A group is read by a table of keys, so that what is unknown, missing or of the wrong type is
 * found in one place, with file and line.
 */
#ifndef CONF_READER_H
#define CONF_READER_H

#include <libconfig.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "conf/conf.h"
#include "conf/text.h"

struct reader {
	struct conf *conf;
	struct arena *arena;	/* of the configuration */
	const struct conf_text *text;
	struct err *err;
};

/* One setting that a group may have; `into` is the structure that the group is read into. */
struct key {
	const char *name;
	bool (*read)(struct reader *r, const config_setting_t *setting, void *into);
	bool required;
};

/* Sets "file:line: sentence"; returns false. */
bool read_fail(struct reader *r, const config_setting_t *at, const char *format, ...)
	PRINTF_LIKE(3, 4);

struct conf_place read_place(const struct reader *r, const config_setting_t *at);

/* `what` names the group in errors: "a node". */
MUST_USE bool read_group(struct reader *r, const config_setting_t *group, const char *what,
			 const struct key *keys, size_t n_keys, void *into);

/*
 * A setting that may be one thing or a list of things: calls `read` with each and its number.
 * *items is an array of *count elements of `size` zero bytes.
 */
MUST_USE bool read_each(struct reader *r, const config_setting_t *setting, size_t size,
			bool (*read)(struct reader *, const config_setting_t *, void *item),
			void *items, size_t *count);

MUST_USE bool read_string(struct reader *r, const config_setting_t *setting,
			  const char **value);
MUST_USE bool read_strings(struct reader *r, const config_setting_t *setting,
			   struct conf_strings *value);
MUST_USE bool read_bool(struct reader *r, const config_setting_t *setting, bool *value);
MUST_USE bool read_int(struct reader *r, const config_setting_t *setting, int64_t least,
		       int64_t greatest, int64_t *value);
MUST_USE bool read_size(struct reader *r, const config_setting_t *setting, int64_t least,
			int64_t greatest, int64_t *value);

/* One of the words; *value is its number.  `what` names their kind: "a granularity". */
MUST_USE bool read_word(struct reader *r, const config_setting_t *setting, const char *what,
			const char *const *words, size_t n_words, size_t *value);

/* A name of a node or a link, which goes into SQL, logs and file names */
MUST_USE bool read_name(struct reader *r, const config_setting_t *setting, const char **value);

/* "did you mean ...?" or the list of what there is, to end a sentence with */
const char *read_suggestion(struct reader *r, const char *word, const char *const *words,
			    size_t n_words);

/* Every option at its default */
void options_default(struct conf_settings *settings);
MUST_USE bool read_option(struct reader *r, const config_setting_t *setting,
			  const struct conf_option *option);
MUST_USE bool option_equal(const struct conf_option *option, const struct conf_settings *a,
			   const struct conf_settings *b);

MUST_USE bool read_links(struct reader *r, const config_setting_t *setting);

/*
 * Once all is read: gives each link the uuid and the target_bytes it does not have of its own,
 * and refuses two links with one uuid.
 */
MUST_USE bool links_complete(struct conf *conf, struct arena *arena, struct err *err);

#endif
