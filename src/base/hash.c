#include "base/hash.h"

#include <stdlib.h>

#include "base/mem.h"

struct entry {
	struct entry *next;
	uint64_t hash;
	void *value;
	size_t length;
	char key[];
};

struct hash {
	struct entry **buckets;
	size_t size; /* a power of two */
	size_t count;
};

/* FNV-1a, then a stir, because the buckets are chosen by the low bits. */
static uint64_t
hash_bytes(const void *key, size_t length)
{
	const unsigned char *bytes = key;
	uint64_t hash = UINT64_C(14695981039346656037);

	for (size_t i = 0; i < length; i++)
		hash = (hash ^ bytes[i]) * UINT64_C(1099511628211);
	return hash ^ (hash >> 32);
}

static void
grow(struct hash *h)
{
	size_t size = h->size * 2;
	struct entry **buckets = mem_zalloc(size * sizeof(struct entry *));

	for (size_t i = 0; i < h->size; i++) {
		struct entry *entry = h->buckets[i];

		while (entry != NULL) {
			struct entry *next = entry->next;
			struct entry **place = &buckets[entry->hash & (size - 1)];

			entry->next = *place;
			*place = entry;
			entry = next;
		}
	}
	free(h->buckets);
	h->buckets = buckets;
	h->size = size;
}

/* The pointer that points to the entry, or to the NULL where it would be. */
static struct entry **
find(const struct hash *h, uint64_t hash, const void *key, size_t length)
{
	struct entry **place = &h->buckets[hash & (h->size - 1)];

	while (*place != NULL &&
	       !((*place)->hash == hash && (*place)->length == length &&
		 memcmp((*place)->key, key, length) == 0))
		place = &(*place)->next;
	return place;
}

struct hash *
hash_new(void)
{
	struct hash *h = mem_zalloc(sizeof(*h));

	h->size = 16;
	h->buckets = mem_zalloc(h->size * sizeof(struct entry *));
	return h;
}

void
hash_free(struct hash *h)
{
	if (h == NULL)
		return;
	for (size_t i = 0; i < h->size; i++) {
		while (h->buckets[i] != NULL) {
			struct entry *entry = h->buckets[i];

			h->buckets[i] = entry->next;
			free(entry);
		}
	}
	free(h->buckets);
	free(h);
}

size_t
hash_count(const struct hash *h)
{
	return h->count;
}

void *
hash_get(const struct hash *h, const void *key, size_t length)
{
	const struct entry *entry = *find(h, hash_bytes(key, length), key, length);

	return entry != NULL ? entry->value : NULL;
}

void *
hash_put(struct hash *h, const void *key, size_t length, void *value)
{
	uint64_t hash = hash_bytes(key, length);
	struct entry **place = find(h, hash, key, length);
	struct entry *entry = *place;

	if (entry != NULL) {
		void *old = entry->value;

		entry->value = value;
		return old;
	}

	entry = mem_alloc(sizeof(*entry) + length);
	entry->next = NULL;
	entry->hash = hash;
	entry->value = value;
	entry->length = length;
	memcpy(entry->key, key, length);
	*place = entry;
	if (++h->count > h->size)
		grow(h);
	return NULL;
}

void *
hash_remove(struct hash *h, const void *key, size_t length)
{
	struct entry **place = find(h, hash_bytes(key, length), key, length);
	struct entry *entry = *place;
	void *value;

	if (entry == NULL)
		return NULL;
	value = entry->value;
	*place = entry->next;
	free(entry);
	h->count--;
	return value;
}

void *
hash_next(const struct hash *h, struct hash_cursor *at)
{
	const struct entry *entry = at->entry;

	while (entry == NULL) {
		if (at->bucket == h->size)
			return NULL;
		entry = h->buckets[at->bucket++];
	}
	at->entry = entry->next;
	return entry->value;
}
