/*
 * jsonl: changes as lines of JSON, in files that hold whole committed transactions and
 * nothing twice.
 *
 * To standard output, the lines of a transaction go out when it is committed; when elvisd
 * is killed between that and its record of it, they come again after a restart.
 */
#include <stdlib.h>
#include <time.h>

#include <elvis/sink.h>

#include "event.h"
#include "feed.h"

enum { OPTION_PATH, OPTION_POSITION, OPTION_ROTATE_SIZE, OPTION_FSYNC };

static const struct elvis_option options[] = {
	[OPTION_PATH] = { .name = "path",
			  .type = ELVIS_OPTION_STRING,
			  .required = true,
			  .help = "the file to append to; \"-\" is standard output" },
	[OPTION_POSITION] = { .name = "position",
			      .type = ELVIS_OPTION_STRING,
			      .help = "the file that says how far it is; needed with "
				      "path = \"-\", else path and \".position\"" },
	[OPTION_ROTATE_SIZE] = { .name = "rotate_size",
				 .type = ELVIS_OPTION_INT,
				 .fallback = "0",
				 .min = 0,
				 .max = INT64_MAX,
				 .help = "bytes after which the next file is begun, path and "
					 "\".1\", \".2\" ...; 0: never" },
	[OPTION_FSYNC] = { .name = "fsync",
			   .type = ELVIS_OPTION_BOOL,
			   .fallback = "true",
			   .help = "what is committed survives a crash of the machine, not "
				   "only of elvisd" },
	{ .name = NULL },
};

struct jsonl {
	const struct elvis_host *host;
	const struct elvis_link *link;
	struct feed *feed;
	struct event event;
};

static enum elvis_result
open(const struct elvis_host *host, const struct elvis_link *link,
     const struct elvis_settings *settings, void **state)
{
	const struct feed_options feed_options = {
		.path = elvis_setting(settings, OPTION_PATH)->string,
		.position_path = elvis_setting(settings, OPTION_POSITION)->string,
		.rotate_size = elvis_setting(settings, OPTION_ROTATE_SIZE)->integer,
		.sync = elvis_setting(settings, OPTION_FSYNC)->boolean,
	};
	struct jsonl *jsonl;
	enum elvis_result result;

	if (strcmp(feed_options.path, "-") == 0 && feed_options.position_path == NULL) {
		host->fail(host, "path = \"-\" needs position = \"FILE\": standard output cannot "
				 "say how far it got");
		return ELVIS_SINK_FATAL;
	}
	jsonl = calloc(1, sizeof(*jsonl));
	if (jsonl == NULL) {
		host->fail(host, "out of memory");
		return ELVIS_SINK_RETRY;
	}
	jsonl->host = host;
	jsonl->link = link;
	result = feed_open(host, link, &feed_options, &jsonl->feed);
	if (result == ELVIS_SINK_OK)
		*state = jsonl;
	else
		free(jsonl);
	return result;
}

static enum elvis_result
position(void *state, struct elvis_position *position, bool *known)
{
	const struct jsonl *jsonl = state;

	feed_position(jsonl->feed, position, known);
	return ELVIS_SINK_OK;
}

static bool
same_position(const struct elvis_position *a, const struct elvis_position *b)
{
	return a->from_id == b->from_id && a->from_token == b->from_token &&
	       a->to_id == b->to_id && a->to_token == b->to_token && a->seq == b->seq;
}

static enum elvis_result
begin(void *state, const struct elvis_position *from)
{
	const struct jsonl *jsonl = state;
	struct elvis_position stands;
	bool known;

	feed_position(jsonl->feed, &stands, &known);
	if (known && !same_position(&stands, from)) {
		jsonl->host->fail(jsonl->host, "what is to follow does not continue from where the "
				  "file ends");
		return ELVIS_SINK_RETRY;
	}
	return feed_begin(jsonl->feed);
}

static enum elvis_result
write(void *state, const struct elvis_piece *piece)
{
	struct jsonl *jsonl = state;
	enum elvis_result result = ELVIS_SINK_OK;
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (size_t i = 0; i < piece->n_changes && result == ELVIS_SINK_OK; i++) {
		if (!event_make(&jsonl->event, jsonl->link, piece->changes[i],
				(int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000)) {
			jsonl->host->fail(jsonl->host, "no memory for a line, or a text that is "
					  "not UTF-8");
			return ELVIS_SINK_RETRY;
		}
		result = feed_append(jsonl->feed, jsonl->event.text, jsonl->event.length);
	}
	return result;
}

static enum elvis_result
commit(void *state, const struct elvis_position *next, int64_t at)
{
	const struct jsonl *jsonl = state;

	(void) at;
	return feed_commit(jsonl->feed, next);
}

static void
rollback(void *state)
{
	const struct jsonl *jsonl = state;

	feed_rollback(jsonl->feed);
}

static void
close(void *state)
{
	struct jsonl *jsonl = state;

	feed_close(jsonl->feed);
	event_free(&jsonl->event);
	free(jsonl);
}

ELVIS_SINK("jsonl",
	   .version = "1.0",
	   .summary = "lines of JSON, as Debezium shapes them, in files or on standard output",
	   .options = options,
	   .format = ELVIS_SINK_ROWS,
	   .flags = ELVIS_SINK_KEEPS_POSITION,
	   .open = open,
	   .position = position,
	   .begin = begin,
	   .write = write,
	   .commit = commit,
	   .rollback = rollback,
	   .close = close);
