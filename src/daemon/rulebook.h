/*
 * What the configuration says of the tables of one link, with the policies at work.
 *
 * A table is looked up when the link's source first speaks of it; its policies are opened then and
 * stay until the link ends.  On the link's thread.
 */
#ifndef DAEMON_RULEBOOK_H
#define DAEMON_RULEBOOK_H

#include "base/attr.h"
#include "base/err.h"
#include "conf/conf.h"
#include "engine/ends.h"
#include "plugin/breadcrumb.h"
#include "plugin/loader.h"

struct rulebook;

/*
 * Every policy of the link exists and takes its settings; else ERR_CONFIG with file and line.
 * All but `slot`, which may be NULL, must outlive it, and so must that.
 */
MUST_USE bool rulebook_new(struct rulebook **book, const struct conf_link *link,
			   struct plugin_set *plugins, struct breadcrumb_slot *slot,
			   struct err *err);
void rulebook_free(struct rulebook *book); /* NULL is fine */

/* rules_find of engine/ends.h; the context is the book. */
rules_find rulebook_find;

#endif
