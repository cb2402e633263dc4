/*
 * The small file that says how far a feed is good.
 */
#ifndef JSONL_MARK_H
#define JSONL_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include <elvis/sink.h>

struct mark {
	bool known; /* false: nothing was committed yet, position means nothing */
	struct elvis_position position;
	int64_t number; /* of the current file: 0 is PATH, 1 is PATH.1 */
	int64_t length; /* of it */
};

/*
 * Reads it.  *there false: there is none yet.  It must be this link's, from this
 * incarnation of its source.
 */
enum elvis_result mark_read(const struct elvis_host *host, const struct elvis_link *link,
			    const char *path, struct mark *mark, bool *there);

/* Puts it in the place of the one before, as a whole or not at all. */
enum elvis_result mark_write(const struct elvis_host *host, const struct elvis_link *link,
			     const char *path, const struct mark *mark, bool sync);

/* A name in a directory is on disk only when the directory is.  As fsync(). */
int sync_directory(const char *path);

#endif
