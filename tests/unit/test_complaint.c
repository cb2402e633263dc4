#include "base/complaint.h"

#include "base/clock.h"
#include "unit.h"

/* A failure each second for a day is not 86,400 lines. */
START_TEST(a_lasting_trouble_is_told_ever_more_rarely)
{
	struct complaint c = { 0 };
	int told = 0;

	for (int64_t second = 0; second < 86400; second++)
		told += complaint_raise(&c, second * CLOCK_S);

	ck_assert_int_ge(told, 24);
	ck_assert_int_le(told, 32);
}
END_TEST

START_TEST(the_first_time_is_told_at_once)
{
	struct complaint c = { 0 };

	ck_assert(complaint_raise(&c, 5 * CLOCK_S));
	ck_assert(!complaint_raise(&c, 6 * CLOCK_S));
}
END_TEST

START_TEST(the_end_says_how_long_it_was)
{
	struct complaint c = { 0 };

	(void) complaint_raise(&c, 5 * CLOCK_S);
	(void) complaint_raise(&c, 50 * CLOCK_S);

	ck_assert_int_eq(complaint_end(&c, 65 * CLOCK_S), 60 * CLOCK_S);
}
END_TEST

START_TEST(without_trouble_there_is_no_end)
{
	struct complaint c = { 0 };

	ck_assert_int_eq(complaint_end(&c, 1), -1);
	(void) complaint_raise(&c, 2);
	(void) complaint_end(&c, 3);
	ck_assert_int_eq(complaint_end(&c, 4), -1);
}
END_TEST

START_TEST(a_new_trouble_after_the_end_is_told_at_once)
{
	struct complaint c = { 0 };

	(void) complaint_raise(&c, 0);
	(void) complaint_end(&c, 1);

	ck_assert(complaint_raise(&c, 2));
}
END_TEST

UNIT_MAIN("complaint",
	  a_lasting_trouble_is_told_ever_more_rarely,
	  the_first_time_is_told_at_once,
	  the_end_says_how_long_it_was,
	  without_trouble_there_is_no_end,
	  a_new_trouble_after_the_end_is_told_at_once)
