#include "feed.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mark.h"

#define BUFFER_SIZE ((size_t) 1 << 18)

struct feed {
	const struct elvis_host *host;
	const struct elvis_link *link;
	struct feed_options options;
	char *position_path;
	int lock;         /* held as long as the feed is open */
	int fd;           /* the current file; for standard output a file nobody sees */
	struct mark mark; /* as it is on disk */
	int64_t end;      /* of what was written to fd */
	size_t filled;    /* of the buffer */
	bool has_stdout;  /* nobody else writes there */
	bool cut_short;   /* standard output ended within a line */
	bool doubtful;    /* what is on disk has to be found out by opening again */
	char buffer[BUFFER_SIZE];
};

/* Lines of two links in one stream would not be lines. */
static atomic_flag stdout_taken = ATOMIC_FLAG_INIT;

static bool
is_stdout(const struct feed *feed)
{
	return strcmp(feed->options.path, "-") == 0;
}

static enum elvis_result
fail_with_errno(const struct feed *feed, enum elvis_result result, const char *path,
		const char *what)
{
	feed->host->fail(feed->host, "%s %s: %s", path, what, strerror(errno));
	return result;
}

static char *
join(const char *a, const char *b)
{
	size_t size = strlen(a) + strlen(b) + 1;
	char *joined = malloc(size);

	if (joined != NULL)
		snprintf(joined, size, "%s%s", a, b);
	return joined;
}

/* In memory that lasts as long as the transaction, or the opening. */
static char *
path_of(const struct feed *feed, int64_t number)
{
	size_t size = strlen(feed->options.path) + 24;
	char *path = feed->host->alloc(feed->host, size);

	if (number == 0)
		snprintf(path, size, "%s", feed->options.path);
	else
		snprintf(path, size, "%s.%" PRId64, feed->options.path, number);
	return path;
}

/* One writer: another elvisd, or another link with the same path, is kept out. */
static enum elvis_result
take_lock(struct feed *feed)
{
	char *path = join(feed->position_path, ".lock");
	enum elvis_result result = ELVIS_SINK_OK;

	if (path == NULL) {
		feed->host->fail(feed->host, "out of memory");
		return ELVIS_SINK_RETRY;
	}
	feed->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (feed->lock < 0)
		result = fail_with_errno(feed, ELVIS_SINK_FATAL, path, "cannot be opened");
	else if (flock(feed->lock, LOCK_EX | LOCK_NB) != 0)
		result = fail_with_errno(feed, ELVIS_SINK_RETRY, path,
					 "is locked, somebody else writes these files");
	free(path);
	return result;
}

static enum elvis_result
put_mark(struct feed *feed, const struct mark *mark)
{
	enum elvis_result result = mark_write(feed->host, feed->link, feed->position_path, mark,
					      feed->options.sync);

	feed->doubtful = result != ELVIS_SINK_OK;
	if (result == ELVIS_SINK_OK)
		feed->mark = *mark;
	return result;
}

/* The file itself is on disk with its first lines; that it is there at all is said here. */
static enum elvis_result
settle_name(const struct feed *feed, const char *path)
{
	if (feed->options.sync && sync_directory(path) != 0)
		return fail_with_errno(feed, ELVIS_SINK_RETRY, path, "cannot be brought to disk");
	return ELVIS_SINK_OK;
}

/* Before anything is written, so that what is found without a mark is known not to be ours. */
static enum elvis_result
begin_anew(struct feed *feed, const struct stat *st, const char *path)
{
	if (st->st_size > 0) {
		feed->host->fail(feed->host, "%s is not empty and %s is missing, so nothing says "
				 "how much of it is good; move it away, or restore the latter",
				 path, feed->position_path);
		return ELVIS_SINK_FATAL;
	}
	return put_mark(feed, &(struct mark){ .known = false });
}

/* What is beyond the mark was never committed. */
static enum elvis_result
cut_off(struct feed *feed, const struct stat *st, const char *path)
{
	if (st->st_size < feed->mark.length) {
		feed->host->fail(feed->host,
				 "%s has %" PRId64 " bytes, %s says %" PRId64 " were committed; "
				 "restore the file, or move both away to begin anew",
				 path, (int64_t) st->st_size, feed->position_path,
				 feed->mark.length);
		return ELVIS_SINK_STOPPED;
	}
	if (ftruncate(feed->fd, feed->mark.length) != 0)
		return fail_with_errno(feed, ELVIS_SINK_RETRY, path, "cannot be cut off");
	return ELVIS_SINK_OK;
}

static enum elvis_result
open_current(struct feed *feed, bool marked)
{
	char *path = path_of(feed, feed->mark.number);
	enum elvis_result result;
	struct stat st;

	feed->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (feed->fd < 0 || fstat(feed->fd, &st) != 0)
		return fail_with_errno(feed, ELVIS_SINK_FATAL, path, "cannot be opened");
	if (!S_ISREG(st.st_mode)) {
		feed->host->fail(feed->host, "%s is not a file; for a pipe use path = \"-\"", path);
		return ELVIS_SINK_FATAL;
	}
	result = marked ? cut_off(feed, &st, path) : begin_anew(feed, &st, path);
	if (result == ELVIS_SINK_OK)
		result = settle_name(feed, path);
	feed->end = feed->mark.length;
	if (result == ELVIS_SINK_OK && lseek(feed->fd, feed->end, SEEK_SET) < 0)
		result = fail_with_errno(feed, ELVIS_SINK_RETRY, path, "cannot be positioned");
	return result;
}

/* Uncommitted lines must not be seen, and a pipe takes nothing back: they wait in a file. */
static enum elvis_result
open_stdout(struct feed *feed, bool marked)
{
	FILE *spool;

	if (atomic_flag_test_and_set(&stdout_taken)) {
		feed->host->fail(feed->host, "another link writes to standard output");
		return ELVIS_SINK_FATAL;
	}
	feed->has_stdout = true;
	spool = tmpfile();
	if (spool == NULL)
		return fail_with_errno(feed, ELVIS_SINK_RETRY, "a temporary file",
				       "cannot be made");
	feed->fd = fcntl(fileno(spool), F_DUPFD_CLOEXEC, 3);
	fclose(spool);
	if (feed->fd < 0)
		return fail_with_errno(feed, ELVIS_SINK_RETRY, "a temporary file",
				       "cannot be opened");
	return marked ? ELVIS_SINK_OK : put_mark(feed, &(struct mark){ .known = false });
}

static enum elvis_result
open_all(struct feed *feed)
{
	enum elvis_result result = take_lock(feed);
	bool marked;

	if (result == ELVIS_SINK_OK)
		result = mark_read(feed->host, feed->link, feed->position_path, &feed->mark,
				   &marked);
	if (result != ELVIS_SINK_OK)
		return result;
	return is_stdout(feed) ? open_stdout(feed, marked) : open_current(feed, marked);
}

enum elvis_result
feed_open(const struct elvis_host *host, const struct elvis_link *link,
	  const struct feed_options *options, struct feed **opened)
{
	struct feed *feed = calloc(1, sizeof(*feed));
	enum elvis_result result;

	if (feed != NULL)
		feed->position_path = options->position_path != NULL ?
					      strdup(options->position_path) :
					      join(options->path, ".position");
	if (feed == NULL || feed->position_path == NULL) {
		free(feed);
		host->fail(host, "out of memory");
		return ELVIS_SINK_RETRY;
	}
	feed->host = host;
	feed->link = link;
	feed->options = *options;
	feed->lock = feed->fd = -1;
	result = open_all(feed);
	if (result == ELVIS_SINK_OK)
		*opened = feed;
	else
		feed_close(feed);
	return result;
}

void
feed_close(struct feed *feed)
{
	if (feed->has_stdout)
		atomic_flag_clear(&stdout_taken);
	if (feed->fd >= 0)
		close(feed->fd);
	if (feed->lock >= 0)
		close(feed->lock);
	free(feed->position_path);
	free(feed);
}

void
feed_position(const struct feed *feed, struct elvis_position *position, bool *known)
{
	*known = feed->mark.known;
	*position = feed->mark.position;
}

static enum elvis_result
empty_buffer(struct feed *feed)
{
	for (size_t done = 0; done < feed->filled;) {
		ssize_t n = write(feed->fd, feed->buffer + done, feed->filled - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_with_errno(feed, ELVIS_SINK_RETRY, feed->options.path,
					       "cannot be written");
		done += (size_t) n;
		feed->end += n;
	}
	feed->filled = 0;
	return ELVIS_SINK_OK;
}

enum elvis_result
feed_append(struct feed *feed, const char *line, size_t length)
{
	while (length > 0) {
		size_t room = BUFFER_SIZE - feed->filled;
		size_t n = length < room ? length : room;
		enum elvis_result result = ELVIS_SINK_OK;

		memcpy(feed->buffer + feed->filled, line, n);
		feed->filled += n;
		line += n;
		length -= n;
		if (feed->filled == BUFFER_SIZE)
			result = empty_buffer(feed);
		if (result != ELVIS_SINK_OK)
			return result;
	}
	return ELVIS_SINK_OK;
}

/*
 * A pipe whose reader is slow must not keep the link from stopping.  When there is room at
 * all there is room for PIPE_BUF bytes.
 */
static enum elvis_result
write_stdout(struct feed *feed, const char *bytes, size_t length)
{
	while (length > 0) {
		struct pollfd wait[] = { { .fd = STDOUT_FILENO, .events = POLLOUT },
					 { .fd = feed->link->stop_fd, .events = POLLIN } };
		size_t some = length < 4096 ? length : 4096;
		ssize_t n;

		if (poll(wait, 2, -1) < 0 && errno != EINTR)
			return fail_with_errno(feed, ELVIS_SINK_RETRY, "standard output",
					       "cannot be waited for");
		if (wait[1].revents != 0) {
			feed->host->fail(feed->host, "told to stop while the reader was slow");
			return ELVIS_SINK_RETRY;
		}
		if (wait[0].revents == 0)
			continue;
		n = write(STDOUT_FILENO, bytes, some);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return fail_with_errno(feed, ELVIS_SINK_RETRY, "standard output",
					       "cannot be written");
		if (n <= 0)
			continue;
		bytes += n;
		length -= (size_t) n;
		feed->cut_short = bytes[-1] != '\n';
	}
	return ELVIS_SINK_OK;
}

/* From the file where they waited to standard output. */
static enum elvis_result
pass_on(struct feed *feed)
{
	enum elvis_result result = ELVIS_SINK_OK;

	if (feed->cut_short)
		result = write_stdout(feed, "\n", 1);
	for (int64_t at = 0; result == ELVIS_SINK_OK && at < feed->end;) {
		ssize_t n = pread(feed->fd, feed->buffer, BUFFER_SIZE, at);

		if (n <= 0)
			return fail_with_errno(feed, ELVIS_SINK_RETRY, "a temporary file",
					       "cannot be read");
		result = write_stdout(feed, feed->buffer, (size_t) n);
		at += n;
	}
	return result;
}

/* The next file, which must be new, or was left empty by a crash between it and its mark. */
static enum elvis_result
open_next(struct feed *feed, int64_t number, int *fd)
{
	char *path = path_of(feed, number);
	struct stat st;

	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	if (*fd < 0 || fstat(*fd, &st) != 0)
		return fail_with_errno(feed, ELVIS_SINK_RETRY, path, "cannot be opened");
	if (st.st_size > 0) {
		feed->host->fail(feed->host, "%s is the next file and has something in it; move "
				 "it away", path);
		return ELVIS_SINK_STOPPED;
	}
	return settle_name(feed, path);
}

/* A full file is left, also by the mark, before a line is in the next. */
static enum elvis_result
rotate(struct feed *feed)
{
	const struct mark next = { .known = true,
				   .position = feed->mark.position,
				   .number = feed->mark.number + 1 };
	int fd = -1;
	enum elvis_result result = open_next(feed, next.number, &fd);

	if (result == ELVIS_SINK_OK)
		result = put_mark(feed, &next);
	if (result != ELVIS_SINK_OK) {
		if (fd >= 0)
			close(fd);
		return result;
	}
	close(feed->fd);
	feed->fd = fd;
	feed->end = 0;
	return ELVIS_SINK_OK;
}

enum elvis_result
feed_begin(struct feed *feed)
{
	if (feed->doubtful) {
		feed->host->fail(feed->host, "%s may or may not have been written; it has to be "
				 "read again", feed->position_path);
		return ELVIS_SINK_RETRY;
	}
	if (feed->options.rotate_size > 0 && feed->mark.length >= feed->options.rotate_size)
		return rotate(feed);
	return ELVIS_SINK_OK;
}

enum elvis_result
feed_commit(struct feed *feed, const struct elvis_position *position)
{
	enum elvis_result result = empty_buffer(feed);
	struct mark next = { .known = true,
			     .position = *position,
			     .number = feed->mark.number };

	if (result == ELVIS_SINK_OK && is_stdout(feed))
		result = pass_on(feed);
	else if (result == ELVIS_SINK_OK && feed->options.sync && fdatasync(feed->fd) != 0)
		result = fail_with_errno(feed, ELVIS_SINK_RETRY, feed->options.path,
					 "cannot be brought to disk");
	if (result != ELVIS_SINK_OK)
		return result;
	next.length = is_stdout(feed) ? 0 : feed->end;
	result = put_mark(feed, &next);
	if (result == ELVIS_SINK_OK && is_stdout(feed))
		feed_rollback(feed);
	return result;
}

/* Where it fails, what is too long is cut off when the feed is opened again. */
void
feed_rollback(struct feed *feed)
{
	feed->filled = 0;
	if (feed->doubtful)
		return;
	feed->end = feed->mark.length;
	feed->doubtful = ftruncate(feed->fd, feed->end) != 0 ||
			 lseek(feed->fd, feed->end, SEEK_SET) != feed->end;
}
