#include "base/backoff.h"

#include "unit.h"

START_TEST(waits_double_up_to_the_longest)
{
	static const int spans[] = { 100, 200, 400, 800, 1000, 1000, 1000 };
	struct backoff b;

	backoff_init(&b, 100, 1000);

	for (size_t i = 0; i < ARRAY_LEN(spans); i++) {
		int wait = backoff_next(&b);

		ck_assert_int_le(wait, spans[i]);
		ck_assert_int_ge(wait, spans[i] / 2);
	}
}
END_TEST

START_TEST(success_starts_small_again)
{
	struct backoff b;

	backoff_init(&b, 100, 100000);
	for (int i = 0; i < 10; i++)
		backoff_next(&b);
	backoff_reset(&b);

	ck_assert_int_le(backoff_next(&b), 100);
}
END_TEST

START_TEST(two_who_fail_together_come_back_apart)
{
	struct backoff here, there;
	int same = 0;

	backoff_init(&here, 100000, 100000);
	backoff_init(&there, 100000, 100000);
	for (int i = 0; i < 20; i++)
		same += backoff_next(&here) == backoff_next(&there);

	ck_assert_int_lt(same, 20);
}
END_TEST

UNIT_MAIN("backoff",
	  waits_double_up_to_the_longest,
	  success_starts_small_again,
	  two_who_fail_together_come_back_apart)
