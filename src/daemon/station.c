/*
 * station.c - the snapshotter.
 */
#include "daemon/station.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "pg/conn.h"
#include "pg/source.h"
#include "pg/sqlstate.h"

/* About how much is read at a time: what waits in memory for the target, and what a link that
 * starts at a place of its own reads before it finds its fellows again */
#define PIECE_BYTES ((size_t) 256 << 10)

/* The books are looked at this often, and at once when the source wakes us for them */
#define BOOKS_MS 1000

#define RETRY_FIRST_MS 100

/*
 * More snapshots in a second than this are load, and then batches had better be larger and later:
 * there is a least time between two, until so few are taken that the load must be over.
 */
#define BUSY_ABOVE 300
#define BUSY_UNTIL 150
#define BUSY_FLOOR_MS 5

struct station {
	const struct conf *conf;
	const struct conf_node *node;
	int stop_fd;		/* everybody's: what reads for the links gives up */
	int end_fd;		/* our thread's own */
	struct mailbox *mailbox;
	struct source *reader;
	struct cache *cache;
	pthread_t thread;
	bool started;
	char subject[128];
	char application[64];

	/* the thread's own */
	struct conn *conn;
	struct snapshot newest;
	int64_t second;		/* monotonic, the one being counted */
	int snapshots;		/* taken in it */
	bool busy;
	int64_t books_due, upkeep_due;	/* monotonic ms */
	struct complaint complaint, upkeep_complaint;
	struct backoff backoff;
};

static struct conn_options
options(const struct station *station, int stop_fd)
{
	return (struct conn_options){
		.conninfo = station->node->conninfo,
		.application = station->application,
		.stop_fd = stop_fd,
	};
}

struct station *
station_new(const struct conf *conf, const struct conf_node *node, int stop_fd)
{
	struct station *station = mem_zalloc(sizeof(*station));

	station->conf = conf;
	station->node = node;
	station->stop_fd = stop_fd;
	station->end_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	station->mailbox = mailbox_new();
	snprintf(station->subject, sizeof(station->subject), "node %s", node->name);
	snprintf(station->application, sizeof(station->application), "elvisd %s", node->name);
	station->reader = station_reader(station);
	station->cache = cache_new(station->reader, (size_t) conf->settings.cache_size);
	backoff_init(&station->backoff, RETRY_FIRST_MS, (int) conf->settings.retry_max);
	return station;
}

void
station_free(struct station *station)
{
	if (station == NULL)
		return;
	cache_free(station->cache);
	source_free(station->reader);
	mailbox_free(station->mailbox);
	close(station->end_fd);
	free(station);
}

const struct conf_node *
station_node(const struct station *station)
{
	return station->node;
}

struct mailbox *
station_mailbox(struct station *station)
{
	return station->mailbox;
}

struct cache *
station_cache(struct station *station)
{
	return station->cache;
}

struct source *
station_reader(const struct station *station)
{
	struct conn_options how = options(station, station->stop_fd);

	return source_new(&how, PIECE_BYTES);
}

/* Books ------------------------------------------------------------------------- */

static bool
read_books(struct station *station, struct err *err)
{
	AUTO_FREE struct subscriber *list = NULL;
	size_t n;

	if (!source_subscribers(station->conn, &list, &n, err))
		return false;
	mailbox_subscribers(station->mailbox, list, n);
	station->books_due = clock_mono_ms() + BOOKS_MS;
	return true;
}

static bool
write_request(struct station *station, const struct request *request, struct err *err)
{
	return (!request->confirm ||
		source_confirm(station->conn, request->uuid, &request->position, err)) &&
	       (!request->stop ||
		source_stop(station->conn, request->uuid, request->reason, err));
}

/* A link forgotten or detached meanwhile has no books; the list read next says so. */
static bool
has_no_books(const struct station *station)
{
	const char *state = conn_sqlstate(station->conn);

	return strcmp(state, SQLSTATE_UNDEFINED_OBJECT) == 0 ||
	       strcmp(state, SQLSTATE_SNAPSHOT_TOO_OLD) == 0;
}

/* What the links want recorded */
static bool
write_books(struct station *station, struct err *err)
{
	const struct slot *after = NULL;
	struct request request;

	while (mailbox_request(station->mailbox, after, &request)) {
		if (!write_request(station, &request, err)) {
			if (!has_no_books(station))
				return false;
			err_clear(err);
			station->books_due = 0;
		}
		mailbox_recorded(station->mailbox, &request);
		after = request.slot;
	}
	return true;
}

/* Its failures stop nobody: links go on while the log merely grows. */
static bool
upkeep(struct station *station, struct err *err)
{
	int64_t now = clock_mono_ms();

	if (now < station->upkeep_due)
		return true;
	station->upkeep_due = now + station->conf->settings.upkeep_interval;
	if (source_upkeep(station->conn, err)) {
		relent(&station->upkeep_complaint, station->subject, "upkeep of the log");
		return true;
	}
	if (!conn_alive(station->conn))
		return false;
	complain(&station->upkeep_complaint, station->subject, "upkeep of the log: %s",
		 err->text);
	err_clear(err);
	return true;
}

/* Rounds ------------------------------------------------------------------------ */

static bool
connect_source(struct station *station, struct err *err)
{
	struct conn_options how = options(station, station->end_fd);
	struct source_facts facts;

	if (!conn_open(&station->conn, &how, err) || !source_facts(station->conn, &facts, err))
		return false;
	if (facts.number != station->node->id)
		return err_set(err, ERR_CONFIG, "the database is node %u (%s), the configuration "
			       "says %u", facts.number, facts.name, station->node->id);
	cache_renew(station->cache);
	mailbox_facts(station->mailbox, &facts);
	station->newest = (struct snapshot){ .id = 0 };
	if (!read_books(station, err))
		return false;
	relent(&station->complaint, station->subject, station->node->name);
	backoff_reset(&station->backoff);
	return true;
}

static void
count_snapshot(struct station *station)
{
	int64_t second = clock_mono_us() / CLOCK_S;

	if (second != station->second) {
		station->busy = station->snapshots > (station->busy ? BUSY_UNTIL : BUSY_ABOVE);
		station->second = second;
		station->snapshots = 0;
	}
	station->snapshots++;
}

/* Waits for the next snapshot and reads the first piece behind the one known. */
static bool
wait_and_read(struct station *station, int form, int floor_ms, int timeout_ms, bool *fresh,
	      struct err *err)
{
	struct snapshot known = station->newest;
	struct cursor cursor = { .from_id = known.id, .from_token = known.token };
	struct piece piece;

	if (!source_wait_read(station->conn, &known, floor_ms, timeout_ms, PIECE_BYTES, form,
			      &station->newest, fresh, &piece, err))
		return false;
	if (*fresh) {
		cursor.to_id = station->newest.id;
		cursor.to_token = station->newest.token;
		cache_put(station->cache, &cursor, form, &piece);
	}
	return true;
}

/*
 * While a link stands at the newest snapshot it will want what comes next as soon as it is
 * there, so that is read along.  What cannot be read is the link's to hear of, by reading it.
 */
static bool
next_snapshot(struct station *station, int floor_ms, int timeout_ms, bool *fresh,
	      struct err *err)
{
	int form;

	if (station->newest.id != 0 && mailbox_eager(station->mailbox, &form)) {
		if (wait_and_read(station, form, floor_ms, timeout_ms, fresh, err))
			return true;
		if (!conn_alive(station->conn))
			return false;
		err_clear(err);
	}
	return source_wait(station->conn, station->newest.id, floor_ms, timeout_ms,
			   &station->newest, fresh, err);
}

static bool
one_round(struct station *station, struct err *err)
{
	const struct conf_settings *settings = &station->conf->settings;
	int floor_ms = (int) settings->snapshot_floor;
	bool fresh;

	if (station->busy && floor_ms < BUSY_FLOOR_MS)
		floor_ms = BUSY_FLOOR_MS;
	if (station->conn == NULL && !connect_source(station, err))
		return false;
	if (!next_snapshot(station, floor_ms, (int) settings->snapshot_interval, &fresh, err))
		return false;
	if (fresh) {
		count_snapshot(station);
		mailbox_snapshot(station->mailbox, &station->newest);
	}
	/* woken for nothing new: perhaps somebody changed the state of a link */
	if ((!fresh || clock_mono_ms() >= station->books_due) && !read_books(station, err))
		return false;
	return write_books(station, err) && upkeep(station, err);
}

static bool
ending(const struct station *station, int wait_ms)
{
	struct pollfd fd = { .fd = station->end_fd, .events = POLLIN };

	return poll(&fd, 1, wait_ms) > 0;
}

static void *
snapshotter(void *context)
{
	struct station *station = context;

	while (!ending(station, 0)) {
		struct err err = ERR_INIT;

		if (one_round(station, &err))
			continue;
		conn_close(station->conn);
		station->conn = NULL;
		if (ending(station, 0))
			break;
		complain(&station->complaint, station->subject, "%s; will retry", err.text);
		ending(station, backoff_next(&station->backoff));
	}
	conn_close(station->conn);
	station->conn = NULL;
	return NULL;
}

bool
station_start(struct station *station, struct err *err)
{
	int failure = pthread_create(&station->thread, NULL, snapshotter, station);

	station->started = failure == 0;
	return station->started ||
	       err_set(err, ERR_RETRY, "no thread for node %s: %s", station->node->name,
		       strerror(failure));
}

void
station_end(struct station *station)
{
	if (!station->started)
		return;
	(void) !eventfd_write(station->end_fd, 1);
	pthread_join(station->thread, NULL);
	station->started = false;
}
