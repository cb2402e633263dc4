/*
 * Lines appended to files, of which only what was committed stays.
 *
 * Beside the lines a small file says how far they are good: which file is the current one,
 * how long it is, and the position of the link that this corresponds to.  It is replaced by
 * rename, after the lines are on disk.  What a file has beyond that length was not
 * committed, and is cut off when the feed is opened; so a crash at any moment neither loses
 * nor repeats a line.
 *
 * Rotating is going on in the next file, PATH.1, PATH.2 and so on: nothing is renamed, so
 * nothing can be cut short between a rename and its record.
 */
#ifndef JSONL_FEED_H
#define JSONL_FEED_H

#include <elvis/sink.h>

struct feed;

struct feed_options {
	const char *path;          /* "-": standard output */
	const char *position_path; /* NULL: PATH.position */
	int64_t rotate_size;       /* bytes after which the next file is begun; 0: never */
	bool sync;                 /* what is committed survives a crash of the machine */
};

/*
 * All that return a result have said why by host->fail when it is not ELVIS_SINK_OK.  The
 * options' texts and `link` must outlive the feed.
 */
enum elvis_result feed_open(const struct elvis_host *host, const struct elvis_link *link,
			    const struct feed_options *options, struct feed **feed);
void feed_close(struct feed *feed);

/* Where the feed stands; *known false: nothing was committed yet. */
void feed_position(const struct feed *feed, struct elvis_position *position, bool *known);

/* Lines may follow; a full file is left for the next. */
enum elvis_result feed_begin(struct feed *feed);

/* Appends a line, which has its newline. */
enum elvis_result feed_append(struct feed *feed, const char *line, size_t length);

/* What was appended stays, and the feed stands at `position`. */
enum elvis_result feed_commit(struct feed *feed, const struct elvis_position *position);

/* What was appended since the last commit is gone. */
void feed_rollback(struct feed *feed);

#endif
