/*
 * A table from keys to pointers.
 *
 * A key is a string of bytes, copied in; the helpers below serve the two usual kinds,
 * text and uint64_t.  Do not mix kinds in one table.  The values stay the caller's: the
 * table neither copies nor frees them.  One thread at a time.
 */
#ifndef BASE_HASH_H
#define BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/attr.h"

struct hash;

MUST_USE struct hash *hash_new(void);
void hash_free(struct hash *h); /* NULL is fine */
size_t hash_count(const struct hash *h);

/* The value under the key, NULL where there is none */
void *hash_get(const struct hash *h, const void *key, size_t length);

/* Sets the value, not NULL, and returns the one it replaces, or NULL. */
void *hash_put(struct hash *h, const void *key, size_t length, void *value);

/* Takes the key out and returns its value, or NULL. */
void *hash_remove(struct hash *h, const void *key, size_t length);

/*
 * Walks over all values, in no order:
 *
 *	struct hash_cursor at = { 0 };
 *	while ((value = hash_next(h, &at)) != NULL)
 *
 * Removing the value just returned is allowed meanwhile, putting is not.
 */
struct hash_cursor {
	size_t bucket;
	const void *entry; /* to return next; NULL: look in `bucket` */
};

void *hash_next(const struct hash *h, struct hash_cursor *at);

static inline void *
hash_get_text(const struct hash *h, const char *key)
{
	return hash_get(h, key, strlen(key));
}

static inline void *
hash_put_text(struct hash *h, const char *key, void *value)
{
	return hash_put(h, key, strlen(key), value);
}

static inline void *
hash_remove_text(struct hash *h, const char *key)
{
	return hash_remove(h, key, strlen(key));
}

static inline void *
hash_get_u64(const struct hash *h, uint64_t key)
{
	return hash_get(h, &key, sizeof(key));
}

static inline void *
hash_put_u64(struct hash *h, uint64_t key, void *value)
{
	return hash_put(h, &key, sizeof(key), value);
}

static inline void *
hash_remove_u64(struct hash *h, uint64_t key)
{
	return hash_remove(h, &key, sizeof(key));
}

#endif
