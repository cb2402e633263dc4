/*
 * Positions (struct elvis_position of <elvis/change.h>) and the snapshots they name.
 */
#ifndef MODEL_POSITION_H
#define MODEL_POSITION_H

#include <stdbool.h>

#include <elvis/change.h>

#include "base/strbuf.h"

/* A snapshot of a source, as far as the daemon knows it */
struct snapshot {
	int64_t id;	/* 0: none */
	int64_t token;
	int64_t at;	/* when it was taken, us since 1970; 0: not known */
};

/* Everything visible in the snapshot and nothing else */
struct elvis_position position_at(const struct snapshot *snapshot);

/* It names one snapshot only, and not a point between two. */
bool position_at_snapshot(const struct elvis_position *position);

bool position_equal(const struct elvis_position *a, const struct elvis_position *b);

/*
 * < 0, 0, > 0: a has less, as much, more than b, both of one source.  Two points on the way from
 * one snapshot to different ones are told apart by their sequence numbers.
 */
int position_cmp(const struct elvis_position *a, const struct elvis_position *b);

#define POSITION_TEXT_SIZE 72

/* "17", or "17..18@2044" between two snapshots.  Returns `text`. */
const char *position_text(char text[POSITION_TEXT_SIZE], const struct elvis_position *position);

/* The 40 bytes of record.h */
bool position_put(struct strbuf *out, const struct elvis_position *position);

#endif
