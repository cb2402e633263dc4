#include "base/mem.h"

#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

/* How a child that runs out of memory in `fails` ends */
static int
exit_status_of(void (*fails)(void))
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0) {
		fails();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void
ask_for_too_much(void)
{
	free(mem_alloc(PTRDIFF_MAX));
}

static void
ask_for_more_than_can_be_counted(void)
{
	free(mem_resize(NULL, SIZE_MAX / 2, 3));
}

START_TEST(out_of_memory_ends_the_process_with_its_own_status)
{
	ck_assert_int_eq(exit_status_of(ask_for_too_much), MEM_EXIT_STATUS);
	ck_assert_int_eq(exit_status_of(ask_for_more_than_can_be_counted), MEM_EXIT_STATUS);
}
END_TEST

START_TEST(nothing_is_still_an_address)
{
	AUTO_FREE void *none = mem_alloc(0);
	AUTO_FREE void *zeros = mem_zalloc(0);
	void *resized = mem_resize(mem_alloc(10), 0, 8);

	ck_assert_ptr_nonnull(none);
	ck_assert_ptr_nonnull(zeros);
	ck_assert_ptr_nonnull(resized);
	free(resized);
}
END_TEST

START_TEST(resizing_keeps_what_was_there)
{
	AUTO_FREE char *text = mem_strdup("paris");

	text = mem_resize(text, 100000, 10);

	ck_assert_str_eq(text, "paris");
}
END_TEST

START_TEST(printed_text_has_the_length_it_needs)
{
	AUTO_FREE char *text = mem_printf("%01000d", 7);

	ck_assert_uint_eq(strlen(text), 1000);
}
END_TEST

UNIT_MAIN("mem",
	  out_of_memory_ends_the_process_with_its_own_status,
	  nothing_is_still_an_address,
	  resizing_keeps_what_was_there,
	  printed_text_has_the_length_it_needs)
