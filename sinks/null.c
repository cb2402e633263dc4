/*
 * null: takes every change and keeps none, to see how fast everything before it is.
 *
 * What came it tells in the log when the link changes over or stops.  It keeps no
 * position, so the source does.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

#include <elvis/sink.h>

struct count {
	const struct elvis_host *host;
	uint64_t changes, values, bytes, transactions;
	struct timespec first, last; /* commits */
};

static enum elvis_result
open(const struct elvis_host *host, const struct elvis_link *link,
     const struct elvis_settings *settings, void **state)
{
	struct count *count = calloc(1, sizeof(*count));

	(void) link;
	(void) settings;
	if (count == NULL) {
		host->fail(host, "out of memory");
		return ELVIS_SINK_RETRY;
	}
	count->host = host;
	clock_gettime(CLOCK_MONOTONIC, &count->first);
	count->last = count->first;
	*state = count;
	return ELVIS_SINK_OK;
}

static enum elvis_result
begin(void *state, const struct elvis_position *position)
{
	struct count *count = state;

	(void) position;
	if (count->transactions == 0)
		clock_gettime(CLOCK_MONOTONIC, &count->first);
	return ELVIS_SINK_OK;
}

/* Every value is looked at, or a sink that reads what it is handed would be measured wrongly. */
static void
count_row(struct count *count, const struct elvis_table *table, const struct elvis_value *row)
{
	if (row == NULL)
		return;
	for (size_t i = 0; i < table->n_columns; i++) {
		count->values += row[i].state != ELVIS_VALUE_NONE;
		count->bytes += row[i].length;
	}
}

static enum elvis_result
write(void *state, const struct elvis_piece *piece)
{
	struct count *count = state;

	for (size_t i = 0; i < piece->n_changes; i++) {
		const struct elvis_change *change = piece->changes[i];

		count_row(count, change->table, change->before);
		count_row(count, change->table, change->after);
	}
	count->changes += piece->n_changes;
	return ELVIS_SINK_OK;
}

static enum elvis_result
commit(void *state, const struct elvis_position *next, int64_t at)
{
	struct count *count = state;

	(void) next;
	(void) at;
	count->transactions++;
	clock_gettime(CLOCK_MONOTONIC, &count->last);
	return ELVIS_SINK_OK;
}

/* What was counted stays counted: it did come. */
static void
rollback(void *state)
{
	(void) state;
}

static void
close(void *state)
{
	struct count *count = state;
	double seconds = (double) (count->last.tv_sec - count->first.tv_sec) +
			 (double) (count->last.tv_nsec - count->first.tv_nsec) / 1e9;

	if (count->transactions > 0)
		count->host->log(count->host, ELVIS_LOG_INFO,
				 "%" PRIu64 " changes, %" PRIu64 " values, %" PRIu64
				 " bytes in %" PRIu64 " transactions and %.3f seconds",
				 count->changes, count->values, count->bytes, count->transactions,
				 seconds);
	free(count);
}

ELVIS_SINK("null",
	   .version = "1.0",
	   .summary = "counts what comes and keeps nothing",
	   .format = ELVIS_SINK_ROWS,
	   .open = open,
	   .begin = begin,
	   .write = write,
	   .commit = commit,
	   .rollback = rollback,
	   .close = close);
