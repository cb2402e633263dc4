#include "base/hash.h"

#include <stdint.h>

#include "unit.h"

#define MANY 10000

static int values[MANY];

static struct hash *
hash_of_many(void)
{
	struct hash *h = hash_new();

	for (uint64_t i = 0; i < MANY; i++)
		ck_assert_ptr_null(hash_put_u64(h, i, &values[i]));
	return h;
}

START_TEST(what_was_put_is_found_through_all_growth)
{
	struct hash *h = hash_of_many();

	ck_assert_uint_eq(hash_count(h), MANY);
	for (uint64_t i = 0; i < MANY; i++)
		ck_assert_ptr_eq(hash_get_u64(h, i), &values[i]);
	ck_assert_ptr_null(hash_get_u64(h, MANY));
	hash_free(h);
}
END_TEST

START_TEST(what_was_removed_is_gone_and_the_rest_is_not)
{
	struct hash *h = hash_of_many();

	for (uint64_t i = 0; i < MANY; i += 2)
		ck_assert_ptr_eq(hash_remove_u64(h, i), &values[i]);

	ck_assert_uint_eq(hash_count(h), MANY / 2);
	for (uint64_t i = 0; i < MANY; i++)
		ck_assert_ptr_eq(hash_get_u64(h, i), i % 2 == 0 ? NULL : &values[i]);
	ck_assert_ptr_null(hash_remove_u64(h, 0));
	hash_free(h);
}
END_TEST

START_TEST(putting_again_replaces)
{
	struct hash *h = hash_new();

	ck_assert_ptr_null(hash_put_text(h, "paris", &values[0]));
	ck_assert_ptr_eq(hash_put_text(h, "paris", &values[1]), &values[0]);

	ck_assert_uint_eq(hash_count(h), 1);
	ck_assert_ptr_eq(hash_get_text(h, "paris"), &values[1]);
	hash_free(h);
}
END_TEST

START_TEST(a_key_is_copied)
{
	struct hash *h = hash_new();
	char key[] = "paris";

	hash_put_text(h, key, &values[0]);
	key[0] = 'P';

	ck_assert_ptr_eq(hash_get_text(h, "paris"), &values[0]);
	ck_assert_ptr_null(hash_get_text(h, key));
	hash_free(h);
}
END_TEST

START_TEST(a_key_may_hold_any_bytes_and_be_a_prefix_of_another)
{
	struct hash *h = hash_new();

	hash_put(h, "a\0b", 3, &values[0]);
	hash_put(h, "a\0c", 3, &values[1]);
	hash_put(h, "a", 1, &values[2]);
	hash_put(h, "", 0, &values[3]);

	ck_assert_ptr_eq(hash_get(h, "a\0b", 3), &values[0]);
	ck_assert_ptr_eq(hash_get(h, "a\0c", 3), &values[1]);
	ck_assert_ptr_eq(hash_get(h, "a", 1), &values[2]);
	ck_assert_ptr_eq(hash_get(h, "", 0), &values[3]);
	hash_free(h);
}
END_TEST

START_TEST(a_walk_sees_each_value_once_even_if_it_removes_them)
{
	struct hash *h = hash_of_many();
	struct hash_cursor at = { 0 };
	static int seen[MANY];
	const int *value;

	while ((value = hash_next(h, &at)) != NULL) {
		uint64_t i = (uint64_t) (value - values);

		seen[i]++;
		ck_assert_ptr_eq(hash_remove_u64(h, i), value);
	}

	ck_assert_uint_eq(hash_count(h), 0);
	for (size_t i = 0; i < MANY; i++)
		ck_assert_int_eq(seen[i], 1);
	hash_free(h);
}
END_TEST

UNIT_MAIN("hash",
	  what_was_put_is_found_through_all_growth,
	  what_was_removed_is_gone_and_the_rest_is_not,
	  putting_again_replaces,
	  a_key_is_copied,
	  a_key_may_hold_any_bytes_and_be_a_prefix_of_another,
	  a_walk_sees_each_value_once_even_if_it_removes_them)
