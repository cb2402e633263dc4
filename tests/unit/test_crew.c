#include "setup/crew.h"

#include <poll.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

#define TASKS 20

/* What workers and caller both see */
struct shared {
	atomic_int done[TASKS], started, given_up, together;
};

struct office {
	struct shared *shared;
	int stop_fd;
	int64_t told[TASKS];
	int heard_done, fail_at;
	pid_t caller;
};

static struct office
office_new(void)
{
	struct office o = { .fail_at = -1, .caller = getpid() };

	o.shared = mmap(NULL, sizeof(*o.shared), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(o.shared, MAP_FAILED);
	return o;
}

static bool
start(void *context, int stop_fd, struct err *err)
{
	struct office *o = context;

	(void) err;
	o->stop_fd = stop_fd;
	atomic_fetch_add(&o->shared->started, 1);
	return true;
}

static bool
perform(void *context, size_t task, struct err *err)
{
	struct office *o = context;

	if ((int) task == o->fail_at)
		return err_set(err, ERR_CONFIG, "task %zu is impossible", task);
	crew_tell((int64_t) task * 10);
	atomic_fetch_add(&o->shared->done[task], 1);
	return true;
}

static void
told(void *context, size_t task, int64_t number)
{
	struct office *o = context;

	ck_assert_int_eq(getpid(), o->caller);
	o->told[task] = number;
}

static void
done(void *context, size_t task, int64_t number)
{
	struct office *o = context;

	ck_assert_int_eq(number, (int64_t) task * 10);
	o->heard_done++;
}

static struct crew_work
work_of(struct office *o, size_t workers)
{
	return (struct crew_work){ .workers = workers, .tasks = TASKS, .start = start,
				   .perform = perform, .told = told, .done = done,
				   .context = o };
}

static void
check_all_done(struct office *o, int workers)
{
	ck_assert_int_eq(o->heard_done, TASKS);
	ck_assert_int_eq(o->shared->started, workers);
	for (int i = 0; i < TASKS; i++) {
		ck_assert_int_eq(o->shared->done[i], 1);
		ck_assert_int_eq(o->told[i], i * 10);
	}
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);	/* no worker is left */
}

START_TEST(every_task_is_done_once_by_several)
{
	struct office o = office_new();
	struct crew_work work = work_of(&o, 3);
	struct err err = ERR_INIT;

	ck_assert(crew_run(&work, &err));
	check_all_done(&o, 3);
}
END_TEST

START_TEST(one_alone_needs_no_other_process)
{
	struct office o = office_new();
	struct crew_work work = work_of(&o, 1);
	struct err err = ERR_INIT;

	ck_assert(crew_run(&work, &err));
	check_all_done(&o, 1);
	ck_assert_int_eq(o.stop_fd, -1);
}
END_TEST

/* Two tasks that wait for each other: they are under way at the same time. */
static bool
meet(void *context, size_t task, struct err *err)
{
	struct office *o = context;

	(void) task;
	(void) err;
	atomic_fetch_add(&o->shared->together, 1);
	while (o->shared->together < 2)
		poll(NULL, 0, 1);
	return true;
}

static void
ignore_done(void *context, size_t task, int64_t number)
{
	(void) context;
	(void) task;
	(void) number;
}

START_TEST(tasks_are_under_way_at_the_same_time)
{
	struct office o = office_new();
	struct crew_work work = work_of(&o, 2);
	struct err err = ERR_INIT;

	work.tasks = 2;
	work.perform = meet;
	work.done = ignore_done;
	ck_assert(crew_run(&work, &err));
	ck_assert_int_eq(o.shared->together, 2);
}
END_TEST

/* Task 0 fails, once the others are waiting for what only that can bring. */
static bool
fail_or_wait(void *context, size_t task, struct err *err)
{
	struct office *o = context;
	struct pollfd fd = { .fd = o->stop_fd, .events = POLLIN };

	if (task == 0) {
		while (o->shared->together < 2)
			poll(NULL, 0, 1);
		return err_set(err, ERR_CONFIG, "task %zu is impossible", task);
	}
	atomic_fetch_add(&o->shared->together, 1);
	if (poll(&fd, 1, 100000) > 0)
		atomic_fetch_add(&o->shared->given_up, 1);
	return err_set(err, ERR_RETRY, "asked to stop");
}

START_TEST(the_first_failure_is_told_and_the_others_give_up)
{
	struct office o = office_new();
	struct crew_work work = work_of(&o, 3);
	struct err err = ERR_INIT;

	work.perform = fail_or_wait;
	ck_assert(!crew_run(&work, &err));
	ck_assert_int_eq(err.class, ERR_CONFIG);
	ck_assert_str_eq(err.text, "task 0 is impossible");
	ck_assert_int_eq(o.shared->given_up, 2);
	ck_assert_int_eq(waitpid(-1, NULL, WNOHANG), -1);
}
END_TEST

static bool
die(void *context, size_t task, struct err *err)
{
	(void) context;
	(void) task;
	(void) err;
	_exit(1);
}

START_TEST(a_worker_that_dies_is_a_failure)
{
	struct office o = office_new();
	struct crew_work work = work_of(&o, 2);
	struct err err = ERR_INIT;

	work.perform = die;
	ck_assert(!crew_run(&work, &err));
	ck_assert_int_eq(err.class, ERR_RETRY);
}
END_TEST

START_TEST(alone_a_failure_is_told_too)
{
	struct office o = office_new();
	struct crew_work work = work_of(&o, 1);
	struct err err = ERR_INIT;

	o.fail_at = 2;
	ck_assert(!crew_run(&work, &err));
	ck_assert_int_eq(o.heard_done, 2);
	ck_assert_str_eq(err.text, "task 2 is impossible");
}
END_TEST

UNIT_MAIN("crew", every_task_is_done_once_by_several, one_alone_needs_no_other_process,
	  tasks_are_under_way_at_the_same_time,
	  the_first_failure_is_told_and_the_others_give_up, a_worker_that_dies_is_a_failure,
	  alone_a_failure_is_told_too)
