#include "conf/quantity.h"

#include "unit.h"

static int64_t
size(const char *text)
{
	int64_t bytes = -1;

	return quantity_size(text, &bytes) ? bytes : -1;
}

static int64_t
duration(const char *text)
{
	int64_t ms = -1;

	return quantity_duration(text, &ms) ? ms : -1;
}

START_TEST(a_size_is_a_number_and_a_unit)
{
	ck_assert_int_eq(size("64 MB"), 64 << 20);
	ck_assert_int_eq(size("64MB"), 64 << 20);
	ck_assert_int_eq(size("1 kB"), 1024);
	ck_assert_int_eq(size("3 TB"), INT64_C(3) << 40);
	ck_assert_int_eq(size("0"), 0);
}
END_TEST

START_TEST(a_duration_is_a_number_and_a_unit)
{
	ck_assert_int_eq(duration("200 ms"), 200);
	ck_assert_int_eq(duration("2 min"), 120000);
	ck_assert_int_eq(duration("1d"), 86400000);
}
END_TEST

START_TEST(what_could_be_misread_is_refused)
{
	ck_assert_int_eq(size("64"), -1);
	ck_assert_int_eq(size("64 mb"), -1);
	ck_assert_int_eq(size("64 ms"), -1);
	ck_assert_int_eq(size("1.5 GB"), -1);
	ck_assert_int_eq(size("-1 GB"), -1);
	ck_assert_int_eq(size(" 1 GB"), -1);
	ck_assert_int_eq(size(""), -1);
	ck_assert_int_eq(size("9999999999 TB"), -1);
	ck_assert_int_eq(size("99999999999999999999 B"), -1);
	ck_assert_int_eq(duration("5 m"), -1);
	ck_assert_int_eq(duration("5"), -1);
}
END_TEST

START_TEST(a_quantity_is_written_as_it_is_read)
{
	static const int64_t values[] = { 0, 1, 1023, 1024, 1536, 64 << 20, INT64_C(5) << 40 };
	char text[QUANTITY_TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		ck_assert_int_eq(size(quantity_size_text(text, values[i])), values[i]);
	ck_assert_str_eq(quantity_duration_text(text, 90000), "90 s");
	ck_assert_str_eq(quantity_duration_text(text, 3600000), "1 h");
}
END_TEST

UNIT_MAIN("quantity", a_size_is_a_number_and_a_unit, a_duration_is_a_number_and_a_unit,
	  what_could_be_misread_is_refused, a_quantity_is_written_as_it_is_read)
