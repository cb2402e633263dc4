/*
 * What a unit test needs beside libcheck: a main().
 *
 *	START_TEST(an_empty_buffer_is_an_empty_string) ... END_TEST
 *
 *	UNIT_MAIN("strbuf", an_empty_buffer_is_an_empty_string, ...)
 *
 * Results go to stdout as TAP, for the harness to count them one by one.  CK_FORK=no in
 * the environment keeps everything in one process, for a debugger.
 */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <stdlib.h>

#include "base/attr.h"

static inline int
unit_run(const char *name, const TTest *const *tests, size_t count)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);
	SRunner *runner;
	int failed;

	/* against what never ends; Check's own four seconds are little on a busy machine */
	tcase_set_timeout(tcase, 120);
	for (size_t i = 0; i < count; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);

	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#define UNIT_MAIN(name, ...)                                              \
	int main(void)                                                    \
	{                                                                 \
		const TTest *const tests[] = { __VA_ARGS__ };             \
                                                                          \
		return unit_run(name, tests, ARRAY_LEN(tests));           \
	}

#endif
