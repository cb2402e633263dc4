/*
 * Allocation that does not fail.
 *
 * Out of memory is not an error to travel: one line is written to stderr and the process
 * ends with MEM_EXIT_STATUS, for its supervisor to start anew.  All state is in the
 * databases, so nothing is lost by it.  What is sized by somebody outside must have been
 * held against a maximum before it gets here (see strbuf.h).
 *
 * Any thread.  Memory is the caller's and goes back by free().
 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>

#include "base/attr.h"

#define MEM_EXIT_STATUS 71 /* EX_OSERR of sysexits.h */

/* From now on memory is given back to the system only when there is much too much of it: what one
 * piece of a stream took, the next one takes. */
void mem_keep(void);

FRESH void *mem_alloc(size_t size);
FRESH void *mem_zalloc(size_t size); /* filled with zeros */
FRESH char *mem_strdup(const char *text);
FRESH char *mem_printf(const char *format, ...) PRINTF_LIKE(1, 2);

/* Like realloc(): `old` is gone afterwards.  `count` things of `size` bytes. */
MUST_USE void *mem_resize(void *old, size_t count, size_t size);

/* For CLEANUP: frees the pointer that `pointer` points to */
void mem_free_at(void *pointer);

#define AUTO_FREE CLEANUP(mem_free_at)

#endif
