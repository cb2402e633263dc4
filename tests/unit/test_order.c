#include <elvis/order.h>

#include "unit.h"

static struct elvis_value
text(const char *string)
{
	return (struct elvis_value){ .state =
					     string ? ELVIS_VALUE_TEXT : ELVIS_VALUE_NULL,
				     .length = string ? (uint32_t) strlen(string) : 0,
				     .text = string };
}

static int
order_of(const char *type, const char *a, const char *b)
{
	struct elvis_value value_a = text(a), value_b = text(b);
	int order, mirrored;

	ck_assert(elvis_value_cmp(type, &value_a, &value_b, &order));
	ck_assert(elvis_value_cmp(type, &value_b, &value_a, &mirrored));
	ck_assert_int_eq((order > 0) - (order < 0), (mirrored < 0) - (mirrored > 0));
	return (order > 0) - (order < 0);
}

static void
check_ascending(const char *type, const char *const *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++)
			ck_assert_msg(
				order_of(type, values[i], values[j]) == (i > j) - (i < j),
				"%s: %s and %s", type, values[i] ? values[i] : "null",
				values[j] ? values[j] : "null");
}

START_TEST(numbers_are_ordered_by_value)
{
	static const char *const values[] = {
		NULL,
		"-Infinity",
		"-1e+20",
		"-12",
		"-2",
		"-1.5",
		"-1.25",
		"-0.001",
		"0",
		"1e-300",
		"0.0009",
		"0.01",
		"1",
		"1.05",
		"1.5",
		"2",
		"10",
		"99.999",
		"100",
		"123456789012345678901234567890",
		"123456789012345678901234567891",
		"1e+31",
		"Infinity",
		"NaN",
	};

	check_ascending("numeric(40,3)", values, ARRAY_LEN(values));
	check_ascending("double precision", values, ARRAY_LEN(values));
}
END_TEST

START_TEST(one_number_written_in_two_ways_is_one)
{
	ck_assert_int_eq(order_of("numeric", "1.0", "1.000"), 0);
	ck_assert_int_eq(order_of("numeric", "-0", "0.00"), 0);
	ck_assert_int_eq(order_of("numeric", "007", "7"), 0);
	ck_assert_int_eq(order_of("real", "1.5e+03", "1500"), 0);
	ck_assert_int_eq(order_of("real", "0.00015", "1.5e-04"), 0);
}
END_TEST

START_TEST(times_are_ordered_by_time)
{
	static const char *const zoned[] = {
		NULL,
		"-infinity",
		"4713-01-01 00:00:00+00 BC",
		"0044-03-15 00:00:00+00 BC",
		"0001-01-01 00:00:00+00",
		"1999-12-31 23:59:59.999999+00",
		"2024-05-01 12:00:00+00",
		"2024-05-01 12:00:00.0001+00",
		"2024-05-01 12:00:00.5+00",
		"2024-05-01 12:00:01+00",
		"10000-01-01 00:00:00+00",
		"294276-01-01 00:00:00+00",
		"infinity",
	};
	static const char *const dates[] = { "0044-03-15 BC", "0044-03-16 BC",
					     "0043-01-01 BC", "2024-02-29",
					     "2024-03-01",    "12024-01-01" };

	check_ascending("timestamp(6) with time zone", zoned, ARRAY_LEN(zoned));
	check_ascending("date", dates, ARRAY_LEN(dates));
}
END_TEST

START_TEST(what_text_does_not_tell_is_not_told)
{
	struct elvis_value a = text("a"), b = text("b"),
			   here = text("2024-05-01 12:00:00+02"),
			   german = text("01.05.2024 12:00:00"), number = text("1"),
			   absent = { .state = ELVIS_VALUE_NOT_CAPTURED };
	int order;

	ck_assert(!elvis_value_cmp("text", &a, &b, &order));
	ck_assert(!elvis_value_cmp("integer", &a, &number, &order));
	ck_assert(!elvis_value_cmp("timestamp with time zone", &here, &here, &order));
	ck_assert(!elvis_value_cmp("timestamp without time zone", &german, &german,
				   &order));
	ck_assert(!elvis_value_cmp("integer", &number, &absent, &order));
}
END_TEST

START_TEST(rows_are_ordered_by_the_first_name_that_differs)
{
	const struct elvis_column zone = { .name = "zone" }, amount = { .name = "amount" },
				  total = { .name = "a_total", .generated = true };
	const struct elvis_column *const here[] = { &zone, &amount, &total };
	const struct elvis_column *const there[] = { &total, &amount, &zone };
	const struct elvis_table table_here = { .n_columns = 3, .columns = here };
	const struct elvis_table table_there = { .n_columns = 3, .columns = there };
	struct elvis_value a[] = { text("1"), text("2"), text("9") };
	struct elvis_value b[] = { text("2"), text("1"), text("8") };
	struct elvis_value a_there[] = { a[2], a[1], a[0] }, b_there[] = { b[2], b[1], b[0] };

	ck_assert_int_gt(elvis_row_cmp(&table_here, a, b), 0);
	ck_assert_int_gt(elvis_row_cmp(&table_there, a_there, b_there), 0);

	a[1].state = ELVIS_VALUE_NOT_CAPTURED;
	ck_assert_int_lt(elvis_row_cmp(&table_here, a, b), 0);
	b[0] = text(NULL);
	ck_assert_int_gt(elvis_row_cmp(&table_here, a, b), 0);
	ck_assert_int_eq(elvis_row_cmp(&table_here, a, a), 0);
}
END_TEST

/* From the least to the greatest: what is not known of a side is below what is. */
static const struct elvis_side sides[] = {
	{ .origin = 9, .priority = 1, .seq = 9, .at = 99 },
	{ .origin = 1, .priority = 2, .seq = 1, .at = 50 },
	{ .time_source = ELVIS_TIME_ROW_CLOCK, .at = 5, .priority = 9, .origin = 9, .seq = 9 },
	{ .time_source = ELVIS_TIME_CAPTURE, .at = 7, .priority = -1, .origin = 9, .seq = 9 },
	{ .time_source = ELVIS_TIME_CAPTURE, .at = 7, .priority = 0, .origin = 1, .seq = 9 },
	{ .time_source = ELVIS_TIME_ROW_CLOCK, .at = 7, .priority = 0, .origin = 2, .seq = 1 },
	{ .time_source = ELVIS_TIME_CAPTURE, .at = 7, .priority = 0, .origin = 2, .seq = 2 },
};

START_TEST(sides_have_one_order_on_every_node)
{
	for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
		for (size_t j = 0; j < ARRAY_LEN(sides); j++) {
			int order = elvis_side_cmp(&sides[i], &sides[j]);

			ck_assert_msg((order > 0) - (order < 0) == (i > j) - (i < j),
				      "%zu and %zu: %d", i, j, order);
		}
	}
}
END_TEST

UNIT_MAIN("order", numbers_are_ordered_by_value, one_number_written_in_two_ways_is_one,
	  times_are_ordered_by_time, what_text_does_not_tell_is_not_told,
	  rows_are_ordered_by_the_first_name_that_differs, sides_have_one_order_on_every_node)
