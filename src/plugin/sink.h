/*
 * A sink at work: one plugin with settings, for one link.
 *
 * The functions are those of <elvis/sink.h> in the order given there; a result other than
 * ELVIS_SINK_OK becomes an error: RETRY is ERR_RETRY, STOPPED is ERR_REFUSED, FATAL is
 * ERR_CONFIG, and its text is what the sink said by host->fail.  Calling out of order is
 * ERR_BUG.  A sink belongs to its link's thread.
 */
#ifndef PLUGIN_SINK_H
#define PLUGIN_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include <elvis/sink.h>

#include "base/attr.h"
#include "base/err.h"
#include "model/setting.h"
#include "plugin/loader.h"

struct sink;

/*
 * Holds the settings against the sink's options (ERR_CONFIG) and opens nothing yet.  The
 * plugin is referenced, `settings` are copied; `link` is handed to the sink and must
 * outlive it.
 */
MUST_USE bool sink_new(struct sink **sink, const struct plugin *plugin,
		       const struct setting_list *settings, const struct elvis_link *link,
		       struct err *err);
void sink_free(struct sink *sink); /* closes it first where it is open; NULL is fine */

/* sink_close() and sink_open() again is how to go on after a lost connection. */
MUST_USE bool sink_open(struct sink *sink, struct err *err);
void sink_close(struct sink *sink); /* a transaction begun is rolled back */

/* *known false: it stands nowhere yet, or does not keep positions (see sink_flags). */
MUST_USE bool sink_position(struct sink *sink, struct elvis_position *position, bool *known,
			    struct err *err);

MUST_USE bool sink_table(struct sink *sink, const struct elvis_table *table,
			 const struct elvis_rules *rules, struct err *err);
MUST_USE bool sink_begin(struct sink *sink, const struct elvis_position *position,
			 struct err *err);
MUST_USE bool sink_write(struct sink *sink, const struct elvis_piece *piece, struct err *err);
MUST_USE bool sink_commit(struct sink *sink, const struct elvis_position *next, int64_t at,
			  struct err *err);
void sink_rollback(struct sink *sink); /* where nothing was begun: nothing */

/* Where the sink has no say of its own: *known false, and what was committed is durable. */
MUST_USE bool sink_durable(struct sink *sink, struct elvis_position *position, bool *known,
			   struct err *err);

/* Waits until what was committed is whole. */
MUST_USE bool sink_settle(struct sink *sink, struct err *err);

/* While open: the richest form of values it takes, enum elvis_column_form. */
uint32_t sink_form(struct sink *sink);

enum elvis_sink_format sink_format(const struct sink *sink);
uint32_t sink_flags(const struct sink *sink); /* bits of enum elvis_sink_flags */
const char *sink_name(const struct sink *sink);

#endif
