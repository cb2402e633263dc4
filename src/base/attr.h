/*
 * Promises to the compiler, and the few macros everybody wants.
 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#include <stddef.h>

#define MUST_USE __attribute__((warn_unused_result))
#define NORETURN __attribute__((noreturn))
#define PRINTF_LIKE(which, first) __attribute__((format(printf, which, first)))

/* New memory that nothing else points to, never NULL */
#define FRESH __attribute__((malloc, returns_nonnull, warn_unused_result))

/*
 * CLEANUP(close_it) struct thing *t = ...;  calls close_it(&t) when t goes out of scope,
 * on whatever way.
 */
#define CLEANUP(function) __attribute__((cleanup(function)))

#define ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* The structure of which `pointer` is the address of a member */
#define CONTAINER_OF(pointer, type, member) \
	((type *) (void *) ((char *) (pointer) - offsetof(type, member)))

#endif
