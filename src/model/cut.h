/*
 * When a target transaction is full.
 *
 * It is at `limit` bytes, as a rule: versions of a row that is updated over and over pile up in it
 * until it commits.  But it also opens, locks and closes each of its tables, which takes longer
 * than a row does; so where it has but little of each it may grow, to `most` bytes.  It
 * does so only as long as no table has more in rewritten rows than there could be without that,
 * and the tables, whose locks the target has to keep, are not twice as many.
 */
#ifndef MODEL_CUT_H
#define MODEL_CUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cut {
	size_t limit;
	size_t most;		/* less than `limit`: the same */

	/* its own: of the target transaction under way */
	uint64_t turn;		/* its number */
	size_t tables;		/* that have changes in it */
	size_t tables_at_limit;	/* as many as there were when it had `limit` bytes; 0: it has not */
	bool piled;		/* a table has `limit` bytes of UPDATEs and DELETEs */
};

/* A table's share in the target transaction under way; zero at first. */
struct cut_share {
	uint64_t turn;		/* the target transaction it is of */
	size_t rewritten;	/* bytes of UPDATEs and DELETEs */
};

/* A target transaction begins. */
void cut_start(struct cut *cut);

/* A change of a table is in it. */
void cut_count(struct cut *cut, struct cut_share *share, bool rewrites, size_t length);

/* With so many bytes, is it to end where it stands? */
bool cut_is_due(struct cut *cut, size_t bytes);

#endif
