#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_BLOCK ((size_t) 4096)
#define LARGEST_BLOCK ((size_t) 1 << 20)

struct block {
	struct block *next;
	size_t size; /* of `data` */
	size_t used;
	alignas(max_align_t) char data[];
};

struct arena {
	struct block *blocks; /* the one being filled comes first */
	size_t next_size;     /* of the block to make when this one is full */
	size_t held;
};

static struct block *
block_add(struct arena *arena, size_t size)
{
	struct block *block;
	size_t total;

	/* a size of that kind is a bug or an attack; asking malloc for it ends us as it should */
	if (__builtin_add_overflow(size, sizeof(*block), &total))
		total = SIZE_MAX;
	block = mem_alloc(total);
	block->size = size;
	block->used = 0;
	block->next = arena->blocks;
	arena->blocks = block;
	arena->held += total;
	return block;
}

/* A request too large for a block stands behind the one being filled, which stays open. */
static void *
alloc_alone(struct arena *arena, size_t size)
{
	struct block *filling = arena->blocks;
	struct block *alone = block_add(arena, size);

	alone->used = size;
	if (filling != NULL) {
		arena->blocks = filling;
		alone->next = filling->next;
		filling->next = alone;
	}
	return alone->data;
}

struct arena *
arena_new(void)
{
	struct arena *arena = mem_zalloc(sizeof(*arena));

	arena->next_size = FIRST_BLOCK;
	return arena;
}

void
arena_free(struct arena *arena)
{
	if (arena == NULL)
		return;
	while (arena->blocks != NULL) {
		struct block *block = arena->blocks;

		arena->blocks = block->next;
		free(block);
	}
	free(arena);
}

void
arena_reset(struct arena *arena)
{
	struct block *kept = arena->blocks;

	if (kept == NULL)
		return;
	while (kept->next != NULL) {
		struct block *block = kept->next;

		kept->next = block->next;
		free(block);
	}
	/* a giant that came alone is not worth keeping for what follows */
	if (kept->size > LARGEST_BLOCK) {
		arena->blocks = NULL;
		arena->held = 0;
		free(kept);
		return;
	}
	kept->used = 0;
	arena->held = sizeof(*kept) + kept->size;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	const size_t mask = alignof(max_align_t) - 1;
	struct block *block = arena->blocks;
	void *memory;

	if (size > LARGEST_BLOCK / 4)
		return alloc_alone(arena, size);

	size = (size + mask) & ~mask;
	if (block == NULL || block->size - block->used < size) {
		while (arena->next_size < size)
			arena->next_size *= 2;
		block = block_add(arena, arena->next_size);
		if (arena->next_size < LARGEST_BLOCK)
			arena->next_size *= 2;
	}
	memory = block->data + block->used;
	block->used += size;
	return memory;
}

void *
arena_zalloc(struct arena *arena, size_t size)
{
	return memset(arena_alloc(arena, size), 0, size);
}

void *
arena_memdup(struct arena *arena, const void *data, size_t size)
{
	void *copy = arena_alloc(arena, size);

	/* an empty piece of data may well be NULL, which memcpy must not see */
	return size > 0 ? memcpy(copy, data, size) : copy;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
	return arena_memdup(arena, text, strlen(text) + 1);
}

char *
arena_strndup(struct arena *arena, const char *text, size_t length)
{
	size_t kept = strnlen(text, length);
	char *copy = arena_alloc(arena, kept + 1);

	memcpy(copy, text, kept);
	copy[kept] = '\0';
	return copy;
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0)
		return arena_strdup(arena, "");

	text = arena_alloc(arena, (size_t) length + 1);
	va_start(args, format);
	vsnprintf(text, (size_t) length + 1, format, args);
	va_end(args);
	return text;
}

size_t
arena_held(const struct arena *arena)
{
	return arena->held;
}

void
arena_free_at(struct arena **arena)
{
	arena_free(*arena);
}
