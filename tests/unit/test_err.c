#include "base/err.h"

#include <string.h>

#include "unit.h"

START_TEST(failing_is_one_line)
{
	struct err err = ERR_INIT;

	ck_assert(!err_set(&err, ERR_RETRY, "connection to %s lost", "paris"));

	ck_assert_int_eq(err.class, ERR_RETRY);
	ck_assert_str_eq(err.text, "connection to paris lost");
}
END_TEST

START_TEST(the_sentence_grows_at_its_front_and_keeps_its_class)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_REFUSED, "permission denied");
	ck_assert(!err_wrap(&err, "writing %d rows", 3));
	ck_assert(!err_wrap(&err, "applying batch 42 to %s", "lyon"));

	ck_assert_str_eq(err.text, "applying batch 42 to lyon: writing 3 rows: permission denied");
	ck_assert_int_eq(err.class, ERR_REFUSED);
}
END_TEST

START_TEST(an_error_may_be_made_of_itself)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_RETRY, "deadlock");
	err_set(&err, ERR_BUG, "after 100 attempts: %s", err.text);

	ck_assert_str_eq(err.text, "after 100 attempts: deadlock");
}
END_TEST

START_TEST(the_newline_of_a_library_is_dropped)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_RETRY, "%s", "server closed the connection\n");

	ck_assert_str_eq(err.text, "server closed the connection");
}
END_TEST

START_TEST(what_is_too_long_is_cut_and_still_terminated)
{
	struct err err = ERR_INIT;
	char long_text[3000];

	memset(long_text, 'x', sizeof(long_text));
	long_text[sizeof(long_text) - 1] = '\0';

	err_set(&err, ERR_BUG, "%s", long_text);
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	err_wrap(&err, "outside");
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
	ck_assert_int_eq(strncmp(err.text, "outside: xxx", 12), 0);
	err_wrap(&err, "%s", long_text);
	ck_assert_uint_eq(strlen(err.text), sizeof(err.text) - 1);
}
END_TEST

START_TEST(a_cleared_error_is_none)
{
	struct err err = ERR_INIT;

	err_set(&err, ERR_BUG, "something");
	err_clear(&err);

	ck_assert_int_eq(err.class, ERR_NONE);
	ck_assert_str_eq(err.text, "");
}
END_TEST

UNIT_MAIN("err",
	  failing_is_one_line,
	  the_sentence_grows_at_its_front_and_keeps_its_class,
	  an_error_may_be_made_of_itself,
	  the_newline_of_a_library_is_dropped,
	  what_is_too_long_is_cut_and_still_terminated,
	  a_cleared_error_is_none)
