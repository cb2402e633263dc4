#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "daemon/rundir.h"
#include "unit.h"

static char scratch[] = "/tmp/test_rundir.XXXXXX";
static struct err err = ERR_INIT;

static const char *
below(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", scratch, name);
	return path;
}

static void
begin_test(void)
{
	snprintf(scratch, sizeof(scratch), "/tmp/test_rundir.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(scratch));
	ck_assert_int_eq(setenv("XDG_RUNTIME_DIR", scratch, 1), 0);
}

static void
end_test(void)
{
	rmdir(below("run"));
	rmdir(below("elvis"));
	unlink(below("elvis"));
	ck_assert_int_eq(rmdir(scratch), 0);
}

START_TEST(a_directory_that_is_not_there_is_made)
{
	struct stat st;

	begin_test();
	AUTO_FREE char *dir = rundir_make(below("run"), "/elsewhere", &err);

	ck_assert_msg(dir != NULL, "%s", err.text);
	ck_assert_int_eq(stat(dir, &st), 0);
	ck_assert_uint_eq(st.st_mode & 077, 0);
	end_test();
}
END_TEST

START_TEST(who_may_not_write_the_default_gets_one_of_his_own)
{
	const char *nowhere = "/nonexistent/elvis";

	begin_test();
	AUTO_FREE char *dir = rundir_make(nowhere, nowhere, &err);

	ck_assert_msg(dir != NULL, "%s", err.text);
	ck_assert_str_eq(dir, below("elvis"));
	end_test();
}
END_TEST

START_TEST(a_directory_asked_for_is_that_one_or_none)
{
	begin_test();
	AUTO_FREE char *dir = rundir_make("/nonexistent/mine", "/run/elvis", &err);

	ck_assert_ptr_null(dir);
	ck_assert_int_eq(err.class, ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.text, "/nonexistent/mine"));
	err_clear(&err);
	end_test();
}
END_TEST

/* Whoever else could write there would be telling elvisd which links to stop. */
START_TEST(a_place_that_others_may_write_is_not_used)
{
	const char *nowhere = "/nonexistent/elvis";

	begin_test();
	ck_assert_int_eq(mkdir(below("elvis"), 0777), 0);
	ck_assert_int_eq(chmod(below("elvis"), 0777), 0);
	AUTO_FREE char *open = rundir_make(nowhere, nowhere, &err);

	ck_assert_ptr_null(open);
	ck_assert_int_eq(err.class, ERR_CONFIG);
	err_clear(&err);
	ck_assert_int_eq(rmdir(below("elvis")), 0);
	ck_assert_int_eq(symlink("/tmp", below("elvis")), 0);
	AUTO_FREE char *link = rundir_make(nowhere, nowhere, &err);

	ck_assert_ptr_null(link);
	err_clear(&err);
	end_test();
}
END_TEST

START_TEST(configurations_have_files_of_their_own)
{
	AUTO_FREE char *one = rundir_file("/run/elvis", "/one/elvis.conf", ".policies");
	AUTO_FREE char *two = rundir_file("/run/elvis", "/two/elvis.conf", ".policies");

	ck_assert_str_eq(one, "/run/elvis/one-elvis.conf.policies");
	ck_assert_str_ne(one, two);
}
END_TEST

UNIT_MAIN("rundir", a_directory_that_is_not_there_is_made,
	  who_may_not_write_the_default_gets_one_of_his_own,
	  a_directory_asked_for_is_that_one_or_none, a_place_that_others_may_write_is_not_used,
	  configurations_have_files_of_their_own)
