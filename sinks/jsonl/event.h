/*
 * One change as one line of JSON, in the shape that Debezium made common: an envelope of
 * before, after, source, op and ts_ms.
 */
#ifndef JSONL_EVENT_H
#define JSONL_EVENT_H

#include <elvis/sink.h>

/* A line being made, in memory that is used again for the next.  Zeroed to begin with. */
struct event {
	char *text; /* with its newline, not ended by a '\0' */
	size_t length;
	size_t room;
	bool failed; /* out of memory, or a text that is not UTF-8 */
};

/* False: it failed.  `now_ms` since 1970 is when the line is written. */
bool event_make(struct event *event, const struct elvis_link *link,
		const struct elvis_change *change, int64_t now_ms);

void event_free(struct event *event);

#endif
