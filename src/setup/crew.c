/*
 * crew.c - workers at the other ends of sockets.
 *
 * Caller and worker exchange one kind of message, whole or not at all.  The pipe that the workers
 * take as a sign to give up is written by nobody: it ends with the caller, whatever ends that.
 */
#include "setup/crew.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/mem.h"

enum message_kind { DO, TOLD, DONE, FAILED };

struct message {
	enum message_kind kind;
	size_t task;
	int64_t number;
	struct err err;		/* FAILED */
};

struct worker {
	pid_t pid;
	int fd;			/* -1: it has ended */
};

struct crew {
	const struct crew_work *work;
	struct worker *workers;
	size_t n_workers;
	size_t next;		/* the task that nobody has yet */
	int life[2];		/* the pipe; [1] is the caller's */
	struct err *err;
	bool failed;
};

/* Whom crew_tell() speaks to */
static struct {
	const struct crew_work *work;	/* in the caller's own process */
	int fd;				/* in a worker's */
	size_t task;
	int64_t number;			/* said last */
} at_hand = { .fd = -1 };

static bool
put(int fd, const struct message *message)
{
	ssize_t n;

	do
		n = send(fd, message, sizeof(*message), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t) sizeof(*message);
}

static bool
get(int fd, struct message *message)
{
	ssize_t n;

	do
		n = recv(fd, message, sizeof(*message), 0);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t) sizeof(*message);
}

void
crew_tell(int64_t number)
{
	struct message message = { .kind = TOLD, .task = at_hand.task, .number = number };

	at_hand.number = number;
	if (at_hand.fd < 0)
		at_hand.work->told(at_hand.work->context, at_hand.task, number);
	else if (!put(at_hand.fd, &message))
		_exit(EXIT_FAILURE);
}

/* Worker ------------------------------------------------------------------------ */

static _Noreturn void
worker_main(const struct crew_work *work, int fd, int stop_fd)
{
	struct message message = { .kind = DONE };
	struct err err = ERR_INIT;
	bool ok = work->start(work->context, stop_fd, &err);

	at_hand.fd = fd;
	while (ok && get(fd, &message)) {
		at_hand.task = message.task;
		at_hand.number = 0;
		ok = work->perform(work->context, message.task, &err);
		message.kind = DONE;
		message.number = at_hand.number;
		if (ok && !put(fd, &message))
			_exit(EXIT_FAILURE);
	}
	if (!ok) {
		message.kind = FAILED;
		message.err = err;
		(void) !put(fd, &message);
	}
	_exit(ok ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* Caller ------------------------------------------------------------------------ */

static bool
hire(struct crew *crew)
{
	struct worker *worker = &crew->workers[crew->n_workers];
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return err_set(crew->err, ERR_RETRY, "socketpair: %s", strerror(errno));
	worker->pid = fork();
	if (worker->pid == 0) {
		/* or the others' ends would outlive the caller in here */
		close(crew->life[1]);
		for (size_t i = 0; i < crew->n_workers; i++)
			close(crew->workers[i].fd);
		close(ends[0]);
		worker_main(crew->work, ends[1], crew->life[0]);
	}
	close(ends[1]);
	if (worker->pid < 0) {
		close(ends[0]);
		return err_set(crew->err, ERR_RETRY, "fork: %s", strerror(errno));
	}
	worker->fd = ends[0];
	crew->n_workers++;
	return true;
}

/* The next task, or no more: then the worker ends. */
static void
give_task(struct crew *crew, struct worker *worker)
{
	struct message message = { .kind = DO, .task = crew->next };

	if (!crew->failed && crew->next < crew->work->tasks && put(worker->fd, &message)) {
		crew->next++;
		return;
	}
	close(worker->fd);
	worker->fd = -1;
}

/* The first failure is the one to hear of; the others give up because of it. */
static void
fail(struct crew *crew, const struct err *err)
{
	if (crew->failed)
		return;
	crew->failed = true;
	*crew->err = *err;
	close(crew->life[1]);
	crew->life[1] = -1;
}

static void
hear(struct crew *crew, struct worker *worker)
{
	struct err gone = ERR_INIT;
	struct message message;

	if (!get(worker->fd, &message)) {
		err_set(&gone, ERR_RETRY, "a process at work on it has ended");
		message = (struct message){ .kind = FAILED, .err = gone };
	}
	switch (message.kind) {
	case TOLD:
		crew->work->told(crew->work->context, message.task, message.number);
		return;
	case DONE:
		crew->work->done(crew->work->context, message.task, message.number);
		give_task(crew, worker);
		return;
	case DO:
	case FAILED:
		fail(crew, &message.err);
		close(worker->fd);
		worker->fd = -1;
		return;
	}
}

/* Waits until some worker has something to say; false when none is left. */
static bool
listen_to_all(struct crew *crew)
{
	AUTO_FREE struct pollfd *fds = mem_zalloc((crew->n_workers + 1) * sizeof(*fds));
	bool any = false;

	for (size_t i = 0; i < crew->n_workers; i++) {
		fds[i] = (struct pollfd){ .fd = crew->workers[i].fd, .events = POLLIN };
		any |= fds[i].fd >= 0;
	}
	if (!any)
		return false;
	if (poll(fds, crew->n_workers, -1) > 0)
		for (size_t i = 0; i < crew->n_workers; i++)
			if (fds[i].revents != 0)
				hear(crew, &crew->workers[i]);
	return true;
}

static void
run_crew(struct crew *crew, size_t n)
{
	while (crew->n_workers < n && hire(crew))
		;
	if (crew->n_workers < n)
		fail(crew, crew->err);
	for (size_t i = 0; i < crew->n_workers; i++)
		give_task(crew, &crew->workers[i]);
	while (listen_to_all(crew))
		;
	for (size_t i = 0; i < crew->n_workers; i++)
		waitpid(crew->workers[i].pid, NULL, 0);
}

static bool
run_alone(const struct crew_work *work, struct err *err)
{
	if (!work->start(work->context, -1, err))
		return false;
	at_hand.work = work;
	for (at_hand.task = 0; at_hand.task < work->tasks; at_hand.task++) {
		at_hand.number = 0;
		if (!work->perform(work->context, at_hand.task, err))
			return false;
		work->done(work->context, at_hand.task, at_hand.number);
	}
	return true;
}

bool
crew_run(const struct crew_work *work, struct err *err)
{
	struct crew crew = { .work = work, .err = err };
	size_t n = work->workers < work->tasks ? work->workers : work->tasks;

	if (n <= 1)
		return work->tasks == 0 || run_alone(work, err);
	if (pipe(crew.life) != 0)
		return err_set(err, ERR_RETRY, "pipe: %s", strerror(errno));
	crew.workers = mem_zalloc(n * sizeof(*crew.workers));
	run_crew(&crew, n);
	close(crew.life[0]);
	if (crew.life[1] >= 0)
		close(crew.life[1]);
	free(crew.workers);
	return !crew.failed;
}
