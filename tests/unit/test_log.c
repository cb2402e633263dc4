#include "base/log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

static char last[LOG_LINE_MAX + 100];
static enum log_level last_level;
static int lines;

static void
remember(enum log_level level, const char *line)
{
	snprintf(last, sizeof(last), "%s", line);
	last_level = level;
	lines++;
}

START_TEST(a_line_is_level_subject_sentence)
{
	log_set_sink(remember);

	log_info("link paris_lyon", "started at position %d", 81230);

	ck_assert_str_eq(last, "info    link paris_lyon: started at position 81230");
	ck_assert_int_eq(last_level, LEVEL_INFO);
}
END_TEST

START_TEST(levels_below_the_chosen_one_are_dropped)
{
	log_set_sink(remember);

	log_debug("node", "not wanted at first");
	ck_assert_int_eq(lines, 0);
	log_set_level(LEVEL_DEBUG);
	log_debug("node", "wanted");
	ck_assert_int_eq(lines, 1);
	log_set_level(LEVEL_ERROR);
	log_warning("node", "not wanted");
	ck_assert_int_eq(lines, 1);
	log_error("node", "always wanted");
	ck_assert_int_eq(lines, 2);
}
END_TEST

START_TEST(a_message_of_several_lines_becomes_one)
{
	log_set_sink(remember);

	log_warning("node paris", "%s", "FATAL: no\nDETAIL:\tnever\n");

	ck_assert_str_eq(last, "warning node paris: FATAL: no DETAIL: never");
}
END_TEST

START_TEST(a_line_too_long_is_cut)
{
	static char text[3 * LOG_LINE_MAX];

	memset(text, 'x', sizeof(text) - 1);
	log_set_sink(remember);

	log_error("node", "%s", text);
	ck_assert_uint_eq(strlen(last), LOG_LINE_MAX - 1);
	log_error(text, "sentence");
	ck_assert_uint_eq(strlen(last), LOG_LINE_MAX - 1);
}
END_TEST

START_TEST(a_complaint_is_told_once_and_so_is_its_end)
{
	struct complaint c = { 0 };

	log_set_sink(remember);

	for (int i = 0; i < 1000; i++)
		complain(&c, "link paris_lyon", "cannot reach paris");
	ck_assert_int_eq(lines, 1);
	ck_assert_int_eq(last_level, LEVEL_WARNING);

	relent(&c, "link paris_lyon", "paris");
	relent(&c, "link paris_lyon", "paris");
	ck_assert_int_eq(lines, 2);
	ck_assert_int_eq(last_level, LEVEL_INFO);
}
END_TEST

START_TEST(level_names_are_read_back)
{
	for (int i = LEVEL_ERROR; i <= LEVEL_DEBUG; i++) {
		enum log_level level;

		ck_assert(log_level_parse(log_level_name((enum log_level) i), &level));
		ck_assert_int_eq((int) level, i);
	}
}
END_TEST

START_TEST(an_unknown_level_is_refused)
{
	enum log_level level;

	ck_assert(!log_level_parse("chatty", &level));
}
END_TEST

#define THREADS 4
#define LINES_EACH 2000

static void *
shout(void *subject)
{
	for (int i = 0; i < LINES_EACH; i++)
		log_info(subject, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
	return NULL;
}

/* Threads share stderr; what the operator reads must still be lines. */
START_TEST(lines_of_several_threads_do_not_mix)
{
	static char subjects[THREADS][2] = { "1", "2", "3", "4" };
	pthread_t threads[THREADS];
	FILE *out = tmpfile();
	int saved = dup(STDERR_FILENO);
	char line[300];
	int whole = 0;

	dup2(fileno(out), STDERR_FILENO);
	for (int i = 0; i < THREADS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, shout, subjects[i]), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	dup2(saved, STDERR_FILENO);

	rewind(out);
	while (fgets(line, sizeof(line), out) != NULL) {
		const char *end = strrchr(line, ' ');

		ck_assert_uint_eq(strlen(line), 24 + strlen("info    1: ") + 54 + 1);
		ck_assert_str_eq(end, " aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
		whole++;
	}
	ck_assert_int_eq(whole, THREADS * LINES_EACH);
	fclose(out);
	close(saved);
}
END_TEST

UNIT_MAIN("log",
	  a_line_is_level_subject_sentence,
	  levels_below_the_chosen_one_are_dropped,
	  a_message_of_several_lines_becomes_one,
	  a_line_too_long_is_cut,
	  a_complaint_is_told_once_and_so_is_its_end,
	  level_names_are_read_back,
	  an_unknown_level_is_refused,
	  lines_of_several_threads_do_not_mix)
