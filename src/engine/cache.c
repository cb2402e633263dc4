/*
 * cache.c - who reads, who waits, what goes.
 */
#include "engine/cache.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

/* What a piece is found by; without padding, it is compared as bytes. */
struct key {
	struct cursor cursor;
	int64_t form;
	int64_t era;		/* of the source, see cache_renew() */
};

/* The first piece of a batch is also found by where the batch begins. */
struct beginning {
	int64_t from_id, from_token, form, era;
};

struct entry {
	struct piece piece;	/* first: the address handed out is the entry's */
	struct key key;
	bool ready;		/* read, and never changed from now on */
	unsigned holders;	/* who have it in hand */
	unsigned takes;		/* how many have had it */
	struct entry *newer, *older;	/* by last use; ready ones only */
};

struct description {
	void *payload;
	size_t length;
};

struct cache {
	pthread_mutex_t lock;	/* guards everything below */
	pthread_cond_t changed;
	struct source *source;	/* used by who has set `busy`, without the lock */
	bool busy, stopped;
	struct entry *asked;	/* its read was started and is to be finished first */
	struct hash *entries, *beginnings, *descriptions;
	struct entry *newest, *oldest;
	size_t bytes, max_bytes, reads;
	unsigned members;
	struct cursor front;	/* the furthest place read */
	int64_t era;
};

_Static_assert(sizeof(struct key) == 8 * sizeof(int64_t), "a key has no padding");

/* With the lock */
static struct key
key_of(const struct cache *cache, const struct cursor *cursor, int form)
{
	return (struct key){ .cursor = *cursor, .form = form, .era = cache->era };
}

static int
cursor_cmp(const struct cursor *a, const struct cursor *b)
{
	if (a->from_id != b->from_id)
		return a->from_id < b->from_id ? -1 : 1;
	if (a->to_id != b->to_id)
		return a->to_id < b->to_id ? -1 : 1;
	if (a->seq != b->seq)
		return a->seq < b->seq ? -1 : 1;
	return a->inside < b->inside ? -1 : a->inside > b->inside;
}

/* What a piece costs beside its records: the least that a result of libpq takes */
#define PIECE_OVERHEAD 4096

static size_t
entry_bytes(const struct entry *entry)
{
	return sizeof(*entry) + PIECE_OVERHEAD +
	       (size_t) (entry->piece.records.end - entry->piece.records.at);
}

struct cache *
cache_new(struct source *source, size_t max_bytes)
{
	struct cache *cache = mem_zalloc(sizeof(*cache));

	pthread_mutex_init(&cache->lock, NULL);
	pthread_cond_init(&cache->changed, NULL);
	cache->source = source;
	cache->max_bytes = max_bytes;
	cache->entries = hash_new();
	cache->beginnings = hash_new();
	cache->descriptions = hash_new();
	return cache;
}

static void
entry_free(struct entry *entry)
{
	if (entry->piece.release != NULL)
		entry->piece.release(entry->piece.owner);
	free(entry);
}

void
cache_free(struct cache *cache)
{
	struct hash_cursor at = { 0 };
	struct description *description;
	struct entry *entry;

	if (cache == NULL)
		return;
	while ((entry = hash_next(cache->entries, &at)) != NULL)
		entry_free(entry);
	at = (struct hash_cursor){ 0 };
	while ((description = hash_next(cache->descriptions, &at)) != NULL) {
		free(description->payload);
		free(description);
	}
	hash_free(cache->entries);
	hash_free(cache->beginnings);
	hash_free(cache->descriptions);
	pthread_cond_destroy(&cache->changed);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

/* By last use ------------------------------------------------------------------- */

static void
unlink_entry(struct cache *cache, struct entry *entry)
{
	*(entry->newer ? &entry->newer->older : &cache->newest) = entry->older;
	*(entry->older ? &entry->older->newer : &cache->oldest) = entry->newer;
	entry->newer = entry->older = NULL;
}

static void
link_newest(struct cache *cache, struct entry *entry)
{
	entry->older = cache->newest;
	if (cache->newest != NULL)
		cache->newest->newer = entry;
	else
		cache->oldest = entry;
	cache->newest = entry;
}

static bool
begins_batch(const struct key *key)
{
	return key->cursor.seq == 0 && key->cursor.inside == 0;
}

static struct beginning
beginning_of(const struct key *key)
{
	return (struct beginning){ key->cursor.from_id, key->cursor.from_token, key->form,
				   key->era };
}

static void
drop(struct cache *cache, struct entry *entry)
{
	struct beginning beginning = beginning_of(&entry->key);

	hash_remove(cache->entries, &entry->key, sizeof(entry->key));
	if (hash_get(cache->beginnings, &beginning, sizeof(beginning)) == entry)
		hash_remove(cache->beginnings, &beginning, sizeof(beginning));
	if (entry->ready) {
		unlink_entry(cache, entry);
		cache->bytes -= entry_bytes(entry);
	}
	entry_free(entry);
}

/* All links have had it, or none will ask for it, and nobody has it in hand. */
static bool
is_done(const struct cache *cache, const struct entry *entry)
{
	return entry->holders == 0 &&
	       (cache->members == 0 || entry->key.era != cache->era ||
		(entry->takes > 0 && entry->takes >= cache->members));
}

/* What is longest unused goes until the rest fits; what is in hand stays. */
static void
make_room(struct cache *cache)
{
	struct entry *entry = cache->oldest, *next;

	for (; entry != NULL && cache->bytes > cache->max_bytes; entry = next) {
		next = entry->newer;
		if (entry->holders == 0)
			drop(cache, entry);
	}
}

/* What is of no more use, now that a link has left or the source is another one */
static void
sweep(struct cache *cache)
{
	struct entry *entry = cache->oldest, *next;

	for (; entry != NULL; entry = next) {
		next = entry->newer;
		if (is_done(cache, entry))
			drop(cache, entry);
	}
}

/* Reading ----------------------------------------------------------------------- */

static struct entry *
entry_new(struct cache *cache, const struct key *key)
{
	struct entry *entry = mem_zalloc(sizeof(*entry));
	struct beginning beginning = beginning_of(key);

	entry->key = *key;
	hash_put(cache->entries, &entry->key, sizeof(entry->key), entry);
	if (begins_batch(key))
		hash_put(cache->beginnings, &beginning, sizeof(beginning), entry);
	if (cursor_cmp(&key->cursor, &cache->front) > 0)
		cache->front = key->cursor;
	return entry;
}

static void
make_ready(struct cache *cache, struct entry *entry, const struct piece *piece)
{
	entry->piece = *piece;
	entry->ready = true;
	cache->bytes += entry_bytes(entry);
	cache->reads++;
	link_newest(cache, entry);
}

/* Finishes the read that was started.  With `busy` set by us, and the lock. */
static bool
finish(struct cache *cache, struct err *err)
{
	struct entry *entry = cache->asked;
	struct piece piece = { .release = NULL };
	bool done;

	pthread_mutex_unlock(&cache->lock);
	done = cache->source->ops->read_finish(cache->source, &piece, err);
	pthread_mutex_lock(&cache->lock);

	cache->asked = NULL;
	if (done)
		make_ready(cache, entry, &piece);
	else
		drop(cache, entry);
	return done;
}

/* Starts the read of an entry made for it.  Likewise. */
static bool
start(struct cache *cache, struct entry *entry, struct err *err)
{
	bool done;

	pthread_mutex_unlock(&cache->lock);
	done = cache->source->ops->read_start(cache->source, &entry->key.cursor,
					      (int) entry->key.form, err);
	pthread_mutex_lock(&cache->lock);

	if (done)
		cache->asked = entry;
	else
		drop(cache, entry);
	return done;
}

/* The source is ours alone, with nothing under way, or ours is what is under way. */
static bool
seize(struct cache *cache, struct err *err)
{
	while (cache->busy && !cache->stopped)
		pthread_cond_wait(&cache->changed, &cache->lock);
	if (cache->stopped)
		return err_set(err, ERR_RETRY, "asked to stop");
	cache->busy = true;
	return true;
}

static void
let_go(struct cache *cache)
{
	cache->busy = false;
	pthread_cond_broadcast(&cache->changed);
}

/*
 * One turn of a link that wants the piece `key`: it reads it, or finishes what was begun by
 * whomever, or waits for who is at it.  After a success the piece may be here, or may not yet.
 */
static bool
turn(struct cache *cache, const struct key *key, struct err *err)
{
	struct err other = ERR_INIT;
	struct entry *entry;
	bool ours, done;

	if (cache->busy && !cache->stopped) {
		pthread_cond_wait(&cache->changed, &cache->lock);
		return true;
	}
	if (!seize(cache, err))
		return false;
	if (cache->asked == NULL) {
		entry = entry_new(cache, key);
		done = start(cache, entry, err) && finish(cache, err);
	} else {
		/* what was begun for somebody else and failed is his to hear of */
		ours = memcmp(&cache->asked->key, key, sizeof(*key)) == 0;
		done = finish(cache, ours ? err : &other) || !ours;
	}
	let_go(cache);
	return done;
}

static struct entry *
entry_find(struct cache *cache, const struct key *key)
{
	return hash_get(cache->entries, key, sizeof(*key));
}

bool
cache_take(struct cache *cache, const struct cursor *cursor, int form,
	   const struct piece **piece, struct err *err)
{
	struct key key;
	struct entry *entry;
	bool done = true;

	pthread_mutex_lock(&cache->lock);
	key = key_of(cache, cursor, form);
	while (((entry = entry_find(cache, &key)) == NULL || !entry->ready) &&
	       (done = turn(cache, &key, err)))
		;
	if (done) {
		entry->holders++;
		entry->takes++;
		unlink_entry(cache, entry);
		link_newest(cache, entry);
		*piece = &entry->piece;
		make_room(cache);
	}
	pthread_mutex_unlock(&cache->lock);
	return done;
}

void
cache_give_back(struct cache *cache, const struct piece *piece)
{
	struct key key;
	struct entry *entry;

	pthread_mutex_lock(&cache->lock);
	memcpy(&key, &((const struct entry *) (const void *) piece)->key, sizeof(key));
	entry = entry_find(cache, &key);
	assert(entry != NULL && entry->holders > 0);
	entry->holders--;
	if (is_done(cache, entry))
		drop(cache, entry);
	make_room(cache);
	pthread_mutex_unlock(&cache->lock);
}

void
cache_ahead(struct cache *cache, const struct cursor *cursor, int form)
{
	struct err unheard = ERR_INIT;
	struct key key;

	pthread_mutex_lock(&cache->lock);
	key = key_of(cache, cursor, form);
	if (!cache->stopped && !cache->busy && cache->asked == NULL &&
	    entry_find(cache, &key) == NULL) {
		cache->busy = true;
		/* if it fails, whoever takes the piece tries again and hears of it */
		(void) !start(cache, entry_new(cache, &key), &unheard);
		let_go(cache);
	}
	pthread_mutex_unlock(&cache->lock);
}

void
cache_put(struct cache *cache, const struct cursor *cursor, int form, struct piece *piece)
{
	struct key key;
	bool wanted;

	pthread_mutex_lock(&cache->lock);
	key = key_of(cache, cursor, form);
	wanted = cache->members > 0 && entry_find(cache, &key) == NULL;
	if (wanted) {
		make_ready(cache, entry_new(cache, &key), piece);
		make_room(cache);
	}
	pthread_mutex_unlock(&cache->lock);
	if (!wanted)
		piece->release(piece->owner);
}

bool
cache_is_behind(struct cache *cache, const struct cursor *cursor, int form)
{
	struct key key;
	bool behind;

	pthread_mutex_lock(&cache->lock);
	key = key_of(cache, cursor, form);
	behind = cache->members > 1 && cursor_cmp(cursor, &cache->front) < 0 &&
		entry_find(cache, &key) == NULL;
	pthread_mutex_unlock(&cache->lock);
	return behind;
}

bool
cache_goal(struct cache *cache, const struct snapshot *from, int form, struct snapshot *to)
{
	struct beginning beginning;
	const struct entry *entry;

	pthread_mutex_lock(&cache->lock);
	beginning = (struct beginning){ from->id, from->token, form, cache->era };
	entry = hash_get(cache->beginnings, &beginning, sizeof(beginning));
	if (entry != NULL)
		*to = (struct snapshot){ .id = entry->key.cursor.to_id,
					 .token = entry->key.cursor.to_token };
	pthread_mutex_unlock(&cache->lock);
	return entry != NULL;
}

/* Tables ------------------------------------------------------------------------ */

/* The source is ours and has nothing under way.  With the lock. */
static bool
seize_idle(struct cache *cache, struct err *err)
{
	struct err other = ERR_INIT;

	if (!seize(cache, err))
		return false;
	if (cache->asked != NULL)
		(void) !finish(cache, &other);	/* heard by who takes that piece */
	return true;
}

static bool
describe(struct cache *cache, uint64_t version, bool portable,
	 struct description **description, struct err *err)
{
	void *payload = NULL;
	size_t length = 0;
	bool done;

	if (!seize_idle(cache, err))
		return false;
	pthread_mutex_unlock(&cache->lock);
	done = cache->source->ops->describe(cache->source, version, portable, &payload, &length,
					    err);
	if (done && payload == NULL)
		done = err_set(err, ERR_REFUSED, "the source has no version %" PRIu64
			       " of a table that its log speaks of", version);
	pthread_mutex_lock(&cache->lock);
	if (done) {
		*description = mem_alloc(sizeof(**description));
		**description = (struct description){ payload, length };
	}
	let_go(cache);
	return done;
}

bool
cache_describe(struct cache *cache, uint64_t version, bool portable,
	       struct elvis_bytes *payload, struct err *err)
{
	struct description *description, *twin;
	uint64_t key[3] = { version, portable };
	bool done = true;

	pthread_mutex_lock(&cache->lock);
	key[2] = (uint64_t) cache->era;
	description = hash_get(cache->descriptions, key, sizeof(key));
	if (description == NULL &&
	    (done = describe(cache, version, portable, &description, err))) {
		twin = hash_get(cache->descriptions, key, sizeof(key));
		if (twin != NULL) {	/* another link was as quick */
			free(description->payload);
			free(description);
			description = twin;
		} else {
			hash_put(cache->descriptions, key, sizeof(key), description);
		}
	}
	if (done) {
		payload->at = description->payload;
		payload->end = payload->at + description->length;
	}
	pthread_mutex_unlock(&cache->lock);
	return done;
}

bool
cache_knows(struct cache *cache, int64_t id, int64_t token, bool *known, struct err *err)
{
	bool done;

	pthread_mutex_lock(&cache->lock);
	done = seize_idle(cache, err);
	if (done) {
		pthread_mutex_unlock(&cache->lock);
		done = cache->source->ops->knows(cache->source, id, token, known, err);
		pthread_mutex_lock(&cache->lock);
		let_go(cache);
	}
	pthread_mutex_unlock(&cache->lock);
	return done;
}

/* The rest ---------------------------------------------------------------------- */

void
cache_approach(struct cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	if (!cache->stopped && !cache->busy && cache->asked == NULL) {
		cache->busy = true;
		pthread_mutex_unlock(&cache->lock);
		cache->source->ops->approach(cache->source);
		pthread_mutex_lock(&cache->lock);
		let_go(cache);
	}
	pthread_mutex_unlock(&cache->lock);
}

void
cache_join(struct cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	cache->members++;
	pthread_mutex_unlock(&cache->lock);
}

void
cache_leave(struct cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	cache->members--;
	/* it may have been the one in front: whoever reads next is */
	cache->front = (struct cursor){ .from_id = 0 };
	sweep(cache);
	pthread_mutex_unlock(&cache->lock);
}

void
cache_renew(struct cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	cache->era++;
	cache->front = (struct cursor){ .from_id = 0 };
	sweep(cache);
	pthread_mutex_unlock(&cache->lock);
}

void
cache_stop(struct cache *cache)
{
	pthread_mutex_lock(&cache->lock);
	cache->stopped = true;
	pthread_cond_broadcast(&cache->changed);
	pthread_mutex_unlock(&cache->lock);
}

size_t
cache_bytes(struct cache *cache)
{
	size_t bytes;

	pthread_mutex_lock(&cache->lock);
	bytes = cache->bytes;
	pthread_mutex_unlock(&cache->lock);
	return bytes;
}

size_t
cache_reads(struct cache *cache)
{
	size_t reads;

	pthread_mutex_lock(&cache->lock);
	reads = cache->reads;
	pthread_mutex_unlock(&cache->lock);
	return reads;
}
