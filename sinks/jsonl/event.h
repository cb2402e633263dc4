/*
 * One change as one line of JSON, in the shape that Debezium made common: an envelope of
 * before, after, source, op and ts_ms.
 */
#ifndef JSONL_EVENT_H
#define JSONL_EVENT_H

#include <elvis/sink.h>

/*
 * The line, without a newline, for free(); NULL: out of memory.  `now_ms` since 1970 is when
 * it is written.
 */
char *event_line(const struct elvis_link *link, const struct elvis_change *change,
		 int64_t now_ms);

#endif
