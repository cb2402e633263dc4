/*
 * Sequences of replicated tables.
 *
 * Changes carry the values that sequences gave, not the sequences; those of a replica stay behind,
 * which nobody notices until it is written itself.  So they are brought up to their source's when
 * a table was copied, and before a replica takes over.
 */
#ifndef SETUP_SEQUENCE_H
#define SETUP_SEQUENCE_H

#include "base/attr.h"
#include "base/err.h"
#include "setup/site.h"

/*
 * Sets the sequences that columns of the link's tables own at the target to the value they have
 * at the source, where that is ahead; ascending ones only, and none of a table that the target
 * writes itself, whose sequences are its own.  *moved counts them.
 */
MUST_USE bool sequences_follow(const struct site *site, const struct conf_link *link,
			       size_t *moved, struct err *err);

#endif
