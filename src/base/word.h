/*
 * What the user may have meant by a word that is not known.
 */
#ifndef BASE_WORD_H
#define BASE_WORD_H

#include <stddef.h>

#include "base/attr.h"

/* Letters to change, add, drop or swap with a neighbour to get from one to the other */
MUST_USE size_t word_distance(const char *a, const char *b);

/* The candidate that is near enough to be meant, or NULL. */
MUST_USE const char *word_nearest(const char *word, const char *const *candidates,
				  size_t count);

#endif
