/*
 * Pieces of batches, read once and shared by the links of one source.
 *
 * The first link that needs a piece reads it, the others wait for it or find it.  A piece goes
 * when every link that takes part has had it, or when it is the one longest unused and the cache
 * is full; a piece in somebody's hands stays.  Who comes for what has already gone is behind the
 * others: it had better read by a session, and a cache, of its own, so that it neither reads the
 * shared session's place away nor fills the memory with what nobody else wants.
 *
 * Any thread.  No lock is held while the source works.
 */
#ifndef ENGINE_CACHE_H
#define ENGINE_CACHE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "model/batch.h"
#include "model/source.h"

struct cache;

/* The source stays the caller's and is used by nobody else until cache_free(). */
FRESH struct cache *cache_new(struct source *source, size_t max_bytes);
void cache_free(struct cache *cache); /* every piece was given back; NULL is fine */

/* Has the source connect, if nobody uses it, while the caller does something else. */
void cache_approach(struct cache *cache);

/* Whoever waits in the cache, now or later, fails with ERR_RETRY. */
void cache_stop(struct cache *cache);

/* A link takes part from here to there. */
void cache_join(struct cache *cache);
void cache_leave(struct cache *cache);

/*
 * The source may be another one from here on, whose snapshots and versions of tables have numbers
 * that were another's: what was read before is found by nobody any more.
 */
void cache_renew(struct cache *cache);

/* The piece at the cursor, read if it is not here.  To be given back. */
MUST_USE bool cache_take(struct cache *cache, const struct cursor *cursor, int form,
			 const struct piece **piece, struct err *err);
void cache_give_back(struct cache *cache, const struct piece *piece);

/*
 * Has the source work on the piece at the cursor already, if it has nothing else to do.  What
 * goes wrong is told when the piece is taken.
 */
void cache_ahead(struct cache *cache, const struct cursor *cursor, int form);

/*
 * A piece that was read elsewhere: the cache's from now on.  One that is here already, or that no
 * link takes part to have, is released.
 */
void cache_put(struct cache *cache, const struct cursor *cursor, int form, struct piece *piece);

/* Others have been past that place and its piece is gone. */
MUST_USE bool cache_is_behind(struct cache *cache, const struct cursor *cursor, int form);

/*
 * Where the batch ends that others have read, or are reading, from that snapshot on: who takes the
 * same one finds it here.  False: there is none.
 */
MUST_USE bool cache_goal(struct cache *cache, const struct snapshot *from, int form,
			 struct snapshot *to);

/*
 * What elvis.describe() told of a version.  The bytes live as long as the cache.  ERR_REFUSED
 * when the source has no such version.
 */
MUST_USE bool cache_describe(struct cache *cache, uint64_t version, bool portable,
			     struct elvis_bytes *payload, struct err *err);

/* Does the source have that very snapshot? */
MUST_USE bool cache_knows(struct cache *cache, int64_t id, int64_t token, bool *known,
			  struct err *err);

/* Bytes of pieces held, and how many were read from the source */
size_t cache_bytes(struct cache *cache);
size_t cache_reads(struct cache *cache);

#endif
