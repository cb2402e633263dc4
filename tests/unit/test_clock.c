#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

#include "unit.h"

START_TEST(monotonic_time_passes_in_microseconds)
{
	struct timespec nap = { .tv_nsec = 20 * 1000 * 1000 };
	int64_t before = clock_mono_us();

	nanosleep(&nap, NULL);

	ck_assert_int_ge(clock_mono_us() - before, 20 * CLOCK_MS);
	ck_assert_int_lt(clock_mono_us() - before, 10 * CLOCK_S);
}
END_TEST

START_TEST(wall_time_agrees_with_the_c_library)
{
	int64_t drift = clock_wall_us() / CLOCK_S - (int64_t) time(NULL);

	ck_assert_int_le(llabs(drift), 1);
}
END_TEST

START_TEST(a_time_is_written_with_milliseconds)
{
	char text[CLOCK_TEXT_SIZE];

	setenv("TZ", "UTC", 1);
	tzset();

	ck_assert_str_eq(clock_wall_text(text, INT64_C(1772384645007999)),
			 "2026-03-01 17:04:05.007");
}
END_TEST

START_TEST(a_span_is_told_in_its_natural_unit)
{
	char text[CLOCK_TEXT_SIZE];

	ck_assert_str_eq(clock_span_text(text, 0), "0 ms");
	ck_assert_str_eq(clock_span_text(text, 1999 * CLOCK_MS), "1999 ms");
	ck_assert_str_eq(clock_span_text(text, 90 * CLOCK_S), "90 s");
	ck_assert_str_eq(clock_span_text(text, 4 * 60 * CLOCK_S), "4 min");
	ck_assert_str_eq(clock_span_text(text, 6 * 3600 * CLOCK_S), "6 h");
	ck_assert_str_eq(clock_span_text(text, 7 * 86400 * CLOCK_S), "7 days");
}
END_TEST

UNIT_MAIN("clock",
	  monotonic_time_passes_in_microseconds,
	  wall_time_agrees_with_the_c_library,
	  a_time_is_written_with_milliseconds,
	  a_span_is_told_in_its_natural_unit)
