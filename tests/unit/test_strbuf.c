#include "base/strbuf.h"

#include <string.h>

#include "unit.h"

START_TEST(an_empty_buffer_is_an_empty_string)
{
	AUTO_STRBUF struct strbuf s;

	strbuf_init(&s, 10);

	ck_assert_str_eq(s.data, "");
	ck_assert_uint_eq(s.length, 0);
	ck_assert(strbuf_ok(&s));
}
END_TEST

START_TEST(pieces_follow_each_other)
{
	AUTO_STRBUF struct strbuf s;

	strbuf_init(&s, 1000);
	strbuf_puts(&s, "link");
	strbuf_putc(&s, ' ');
	strbuf_add(&s, "paris_lyon", 5);
	strbuf_printf(&s, ": %0200d", 7);

	ck_assert_uint_eq(s.length, 4 + 1 + 5 + 2 + 200);
	ck_assert_uint_eq(strlen(s.data), s.length);
	ck_assert_int_eq(strncmp(s.data, "link paris: 000", 15), 0);
}
END_TEST

START_TEST(bytes_are_kept_as_they_are)
{
	AUTO_STRBUF struct strbuf s;

	strbuf_init(&s, 1000);
	strbuf_add(&s, "a\0b", 3);

	ck_assert_mem_eq(s.data, "a\0b\0", 4);
}
END_TEST

START_TEST(the_maximum_itself_fits_and_one_more_does_not)
{
	AUTO_STRBUF struct strbuf s;

	strbuf_init(&s, 5);
	ck_assert(strbuf_puts(&s, "paris"));
	ck_assert(strbuf_ok(&s));

	ck_assert(!strbuf_putc(&s, '!'));
	ck_assert(!strbuf_ok(&s));
	ck_assert_str_eq(s.data, "paris");
}
END_TEST

/* What comes after a gap would read as if there were none. */
START_TEST(after_an_overflow_nothing_is_added_until_reset)
{
	AUTO_STRBUF struct strbuf s;

	strbuf_init(&s, 5);
	strbuf_printf(&s, "%s", "too long");
	ck_assert(!strbuf_putc(&s, 'x'));
	ck_assert_str_eq(s.data, "");

	strbuf_reset(&s);
	ck_assert(strbuf_puts(&s, "lyon"));
	ck_assert_str_eq(s.data, "lyon");
}
END_TEST

START_TEST(an_impossible_length_is_an_overflow)
{
	AUTO_STRBUF struct strbuf s;

	strbuf_init(&s, 100);
	strbuf_putc(&s, 'x');

	ck_assert(!strbuf_add(&s, "", (size_t) -1));
}
END_TEST

START_TEST(what_is_taken_is_the_takers)
{
	struct strbuf s;
	char *text, *empty;

	strbuf_init(&s, 100);
	strbuf_puts(&s, "paris");
	text = strbuf_take(&s);
	empty = strbuf_take(&s);
	strbuf_puts(&s, "lyon");

	ck_assert_str_eq(text, "paris");
	ck_assert_str_eq(empty, "");
	ck_assert_str_eq(s.data, "lyon");
	free(text);
	free(empty);
	strbuf_free(&s);
}
END_TEST

UNIT_MAIN("strbuf",
	  an_empty_buffer_is_an_empty_string,
	  pieces_follow_each_other,
	  bytes_are_kept_as_they_are,
	  the_maximum_itself_fits_and_one_more_does_not,
	  after_an_overflow_nothing_is_added_until_reset,
	  an_impossible_length_is_an_overflow,
	  what_is_taken_is_the_takers)
