#include "base/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "unit.h"

START_TEST(memory_is_aligned_for_any_type)
{
	AUTO_ARENA struct arena *arena = arena_new();

	for (size_t size = 1; size < 100; size++)
		ck_assert_uint_eq((uintptr_t) arena_alloc(arena, size) % alignof(max_align_t), 0);
}
END_TEST

/* Small, large and larger than a block in turn: nobody writes into another's memory. */
START_TEST(pieces_do_not_overlap)
{
	AUTO_ARENA struct arena *arena = arena_new();
	static const size_t sizes[] = { 1, 5000, 17, 400000, 3, 3 << 20, 64, 260000 };
	unsigned char *pieces[4 * ARRAY_LEN(sizes)];

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
		pieces[i] = arena_alloc(arena, sizes[i % ARRAY_LEN(sizes)]);
		memset(pieces[i], (int) i, sizes[i % ARRAY_LEN(sizes)]);
	}

	for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
		for (size_t j = 0; j < sizes[i % ARRAY_LEN(sizes)]; j++)
			if (pieces[i][j] != i)
				ck_abort_msg("byte %zu of piece %zu was overwritten", j, i);
}
END_TEST

START_TEST(zalloc_clears_what_a_reset_left_behind)
{
	AUTO_ARENA struct arena *arena = arena_new();
	const unsigned char *cleared;

	memset(arena_alloc(arena, 1000), 0xff, 1000);
	arena_reset(arena);
	cleared = arena_zalloc(arena, 1000);

	for (size_t i = 0; i < 1000; i++)
		ck_assert_uint_eq(cleared[i], 0);
}
END_TEST

START_TEST(strings_are_copies)
{
	AUTO_ARENA struct arena *arena = arena_new();
	char text[] = "paris";
	char *copy = arena_strdup(arena, text);
	char *start = arena_strndup(arena, text, 3);
	char *whole = arena_strndup(arena, text, 30);
	char *printed = arena_printf(arena, "%s to %s", text, "lyon");

	memset(text, 'x', sizeof(text) - 1);

	ck_assert_str_eq(copy, "paris");
	ck_assert_str_eq(start, "par");
	ck_assert_str_eq(whole, "paris");
	ck_assert_str_eq(printed, "paris to lyon");
}
END_TEST

START_TEST(a_copy_of_nothing_is_allowed)
{
	AUTO_ARENA struct arena *arena = arena_new();

	ck_assert_ptr_nonnull(arena_memdup(arena, NULL, 0));
}
END_TEST

START_TEST(a_thousand_resets_hold_no_more_than_one)
{
	AUTO_ARENA struct arena *arena = arena_new();
	size_t held = 0;

	for (int i = 0; i < 1000; i++) {
		for (int j = 0; j < 100; j++)
			(void) !arena_alloc(arena, 1000);
		arena_reset(arena);
		if (i == 10)
			held = arena_held(arena);
	}

	ck_assert_uint_gt(held, 0);
	ck_assert_uint_eq(arena_held(arena), held);
}
END_TEST

START_TEST(a_reset_gives_a_giant_back)
{
	AUTO_ARENA struct arena *arena = arena_new();

	(void) !arena_alloc(arena, 50 << 20);
	ck_assert_uint_ge(arena_held(arena), 50 << 20);
	arena_reset(arena);

	ck_assert_uint_lt(arena_held(arena), 2 << 20);
}
END_TEST

UNIT_MAIN("arena",
	  memory_is_aligned_for_any_type,
	  pieces_do_not_overlap,
	  zalloc_clears_what_a_reset_left_behind,
	  strings_are_copies,
	  a_copy_of_nothing_is_allowed,
	  a_thousand_resets_hold_no_more_than_one,
	  a_reset_gives_a_giant_back)
