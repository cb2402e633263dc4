/*
 * Sizes and durations as people write them: a number and a unit, "64 MB", "500 ms".
 *
 * The unit is always written (0 needs none): a bare number would be milliseconds to one reader
 * and seconds to the next.
 */
#ifndef CONF_QUANTITY_H
#define CONF_QUANTITY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

/* Bytes: B, kB, MB, GB, TB, each 1024 of the one before */
MUST_USE bool quantity_size(const char *text, int64_t *bytes);

/* Milliseconds: ms, s, min, h, d */
MUST_USE bool quantity_duration(const char *text, int64_t *ms);

#define QUANTITY_TEXT_SIZE 32

/* The shortest exact way to write it.  Return `text`. */
const char *quantity_size_text(char text[QUANTITY_TEXT_SIZE], int64_t bytes);
const char *quantity_duration_text(char text[QUANTITY_TEXT_SIZE], int64_t ms);

#endif
