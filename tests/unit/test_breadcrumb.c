#include "plugin/breadcrumb.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

static char file[64];

static void
new_file(void)
{
	snprintf(file, sizeof(file), "/tmp/test_breadcrumb.%d", (int) getpid());
	unlink(file);
}

static struct breadcrumbs *
open_crumbs(void)
{
	struct err err = ERR_INIT;
	struct breadcrumbs *crumbs;

	ck_assert_msg(breadcrumbs_open(&crumbs, file, &err), "%s", err.text);
	return crumbs;
}

static void
die_of_it(int signal_number)
{
	breadcrumb_crashed();
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

enum death {
	BY_KILL,
	BY_SIGNAL,
	BY_SIGNAL_OUTSIDE
};

/* A run of elvisd that ends while link "a" is, or was, in policy "p" about change 7.3. */
static void
run_and_die(enum death death)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		struct breadcrumbs *crumbs = open_crumbs();
		struct breadcrumb_slot *other = breadcrumb_take(crumbs, "b");
		struct breadcrumb_slot *slot = breadcrumb_take(crumbs, "a");

		signal(SIGSEGV, die_of_it);
		breadcrumb_drop(other, "innocent", 1, 1);
		breadcrumb_wipe(other);
		breadcrumb_drop(slot, "p", 7, 3);
		if (death == BY_SIGNAL_OUTSIDE)
			breadcrumb_wipe(slot);
		raise(death == BY_KILL ? SIGKILL : SIGSEGV);
	}
	waitpid(child, &status, 0);
	ck_assert(WIFSIGNALED(status));
}

START_TEST(a_crash_inside_a_policy_is_found_after_it)
{
	struct breadcrumbs *crumbs;
	struct breadcrumb crumb;

	new_file();
	run_and_die(BY_SIGNAL);

	crumbs = open_crumbs();
	ck_assert(breadcrumbs_found(crumbs, "a", &crumb));
	ck_assert_str_eq(crumb.policy, "p");
	ck_assert_int_eq(crumb.seq, 7);
	ck_assert_uint_eq(crumb.ordinal, 3);
	ck_assert(!breadcrumbs_found(crumbs, "b", &crumb));
	breadcrumbs_close(crumbs);

	/* nobody could record it: it is still there */
	crumbs = open_crumbs();
	ck_assert(breadcrumbs_found(crumbs, "a", &crumb));
	breadcrumbs_forget(crumbs, "a");
	ck_assert(!breadcrumbs_found(crumbs, "a", &crumb));
	breadcrumbs_close(crumbs);

	crumbs = open_crumbs();
	ck_assert(!breadcrumbs_found(crumbs, "a", &crumb));
	breadcrumbs_close(crumbs);
	unlink(file);
}
END_TEST

START_TEST(a_crash_elsewhere_blames_no_policy)
{
	struct breadcrumbs *crumbs;
	struct breadcrumb crumb;

	new_file();
	run_and_die(BY_SIGNAL_OUTSIDE);
	run_and_die(BY_SIGNAL_OUTSIDE);

	crumbs = open_crumbs();
	ck_assert(!breadcrumbs_found(crumbs, "a", &crumb));
	breadcrumbs_close(crumbs);
	unlink(file);
}
END_TEST

START_TEST(being_killed_inside_a_policy_counts_the_second_time)
{
	struct breadcrumbs *crumbs;
	struct breadcrumb crumb;

	new_file();
	run_and_die(BY_KILL);
	crumbs = open_crumbs();
	ck_assert(!breadcrumbs_found(crumbs, "a", &crumb));
	breadcrumbs_close(crumbs);

	/* that run went well, so the next is a first time again */
	run_and_die(BY_KILL);
	run_and_die(BY_KILL);
	crumbs = open_crumbs();
	ck_assert(breadcrumbs_found(crumbs, "a", &crumb));
	breadcrumbs_close(crumbs);
	unlink(file);
}
END_TEST

START_TEST(a_policy_that_does_not_return_is_overdue)
{
	struct err err = ERR_INIT;
	struct breadcrumbs *crumbs;
	struct breadcrumb_slot *slot;
	struct breadcrumb crumb;

	ck_assert(breadcrumbs_open(&crumbs, NULL, &err));
	slot = breadcrumb_take(crumbs, "a");
	ck_assert(!breadcrumbs_overdue(crumbs, -1, &crumb));

	breadcrumb_drop(slot, "p", 7, 3);
	ck_assert(!breadcrumbs_overdue(crumbs, INT64_C(3600000000), &crumb));
	ck_assert(breadcrumbs_overdue(crumbs, -1, &crumb));
	ck_assert_str_eq(crumb.link, "a");
	ck_assert_int_ge(crumb.running_us, 0);

	breadcrumb_wipe(slot);
	ck_assert(!breadcrumbs_overdue(crumbs, -1, &crumb));
	breadcrumb_give_back(slot);
	breadcrumbs_close(crumbs);
}
END_TEST

START_TEST(what_the_watchdog_saw_is_found_after_it)
{
	struct breadcrumbs *crumbs;
	struct breadcrumb crumb;

	new_file();
	crumbs = open_crumbs();
	breadcrumb_drop(breadcrumb_take(crumbs, "a"), "p", 7, 3);
	ck_assert(breadcrumbs_overdue(crumbs, -1, &crumb));
	breadcrumbs_close(crumbs);

	crumbs = open_crumbs();
	ck_assert(breadcrumbs_found(crumbs, "a", &crumb));
	breadcrumbs_close(crumbs);
	unlink(file);
}
END_TEST

START_TEST(slots_come_to_an_end_and_come_back)
{
	static struct breadcrumb_slot *slots[BREADCRUMB_SLOTS];
	struct err err = ERR_INIT;
	struct breadcrumbs *crumbs;

	ck_assert(breadcrumbs_open(&crumbs, NULL, &err));
	for (int i = 0; i < BREADCRUMB_SLOTS; i++)
		ck_assert_ptr_nonnull(slots[i] = breadcrumb_take(crumbs, "a"));
	ck_assert_ptr_null(breadcrumb_take(crumbs, "a"));

	breadcrumb_give_back(slots[500]);
	ck_assert_ptr_eq(breadcrumb_take(crumbs, "b"), slots[500]);
	breadcrumbs_close(crumbs);
}
END_TEST

START_TEST(a_file_of_somebody_else_is_refused)
{
	struct err err = ERR_INIT;
	struct breadcrumbs *crumbs, *second;
	FILE *stranger;

	new_file();
	stranger = fopen(file, "w");
	fputs("what elvis did not write", stranger);
	fclose(stranger);
	ck_assert(!breadcrumbs_open(&crumbs, file, &err));
	ck_assert_int_eq(err.class, ERR_CONFIG);
	unlink(file);

	crumbs = open_crumbs();
	ck_assert(!breadcrumbs_open(&second, file, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "another elvisd"));
	breadcrumbs_close(crumbs);
	unlink(file);
}
END_TEST

UNIT_MAIN("breadcrumb", a_crash_inside_a_policy_is_found_after_it,
	  a_crash_elsewhere_blames_no_policy,
	  being_killed_inside_a_policy_counts_the_second_time,
	  a_policy_that_does_not_return_is_overdue,
	  what_the_watchdog_saw_is_found_after_it, slots_come_to_an_end_and_come_back,
	  a_file_of_somebody_else_is_refused)
