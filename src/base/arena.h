/*
 * Memory that dies together.
 *
 * What lives as long as a batch is asked of the batch's arena and never freed by itself.
 * Asking is a pointer moved forward; blocks double in size up to 1 MB, and something larger
 * than a block gets one of its own.
 *
 * An arena belongs to one thread at a time, but not to a particular one: it may be filled
 * by one and freed by another.  Nothing here fails (see mem.h).
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

#include "base/attr.h"

struct arena;

MUST_USE struct arena *arena_new(void);
void arena_free(struct arena *arena); /* NULL is fine */
void arena_reset(struct arena *arena); /* forgets everything, keeps a block to go on with */

/* Aligned for any type.  Not cleared; arena_zalloc clears. */
MUST_USE void *arena_alloc(struct arena *arena, size_t size);
MUST_USE void *arena_zalloc(struct arena *arena, size_t size);

MUST_USE void *arena_memdup(struct arena *arena, const void *data, size_t size);
MUST_USE char *arena_strdup(struct arena *arena, const char *text);
MUST_USE char *arena_strndup(struct arena *arena, const char *text, size_t length);
MUST_USE char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

/* Bytes taken from the system, for whoever keeps a budget */
size_t arena_held(const struct arena *arena);

/* AUTO_ARENA struct arena *arena = arena_new();  is freed at the end of the scope. */
void arena_free_at(struct arena **arena);

#define AUTO_ARENA CLEANUP(arena_free_at)

#endif
