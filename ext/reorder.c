/*
 * reorder.c - two passes over the list of a transaction's records.
 *
 * By versions: a change whose new version had been replaced before it was captured
 * belongs directly before the change that replaced it.  We held the row's lock all along,
 * so nothing of others lies between.
 *
 * By keys: a change that gives a key up, captured after a later command, may have to come
 * before somebody who took the key.  Followed in order, the changes of one key make the
 * row exist, not exist, exist ...; where something takes the key while the row exists,
 * the one who gave it up has been captured too late and belongs there.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "common/hashfn.h"
#include "lib/ilist.h"
#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "reorder.h"
#include "version.h"

#define PIECE_SIZE 8000

struct record {
	dlist_node node;
	uint8 tag;
	uint8 flags;		/* enum elvis_change_flags */
	struct elvis_bytes whole;	/* with tag and length */
	struct elvis_bytes context;	/* the CONTEXT record it stands under */
	struct elvis_bytes images;	/* what follows the head of a change */
	struct version *version;	/* of a change */
	uint8 old_tid[6], new_tid[6];
	struct record *pulled;	/* the late change that belongs directly before */
};

static bool
is_change(uint8 tag)
{
	return tag == ELVIS_RECORD_INSERT || tag == ELVIS_RECORD_UPDATE ||
	       tag == ELVIS_RECORD_DELETE;
}

/* ---- reading ---- */

static void
get_tid(struct elvis_bytes *in, uint8 *tid)
{
	struct elvis_bytes run;

	if (!elvis_get_bytes(in, 6, &run))
		version_damaged("a change ends too early");
	memcpy(tid, run.at, 6);
}

static void
parse_change(struct record *record, struct elvis_bytes in)
{
	uint64_t version;

	if (!elvis_get_u8(&in, &record->flags) || !elvis_get_varint(&in, &version))
		version_damaged("a change ends too early");
	record->version = version_get(version);
	if (record->flags & ELVIS_CHANGE_OLD_TID)
		get_tid(&in, record->old_tid);
	if (record->flags & ELVIS_CHANGE_NEW_TID)
		get_tid(&in, record->new_tid);
	record->images = in;
}

static void
parse_chunk(dlist_head *list, struct elvis_bytes in)
{
	struct elvis_bytes context = {0};

	while (in.at < in.end) {
		struct elvis_bytes whole = in, payload;
		struct record *record;
		uint8_t tag;

		if (!elvis_get_record(&in, &tag, &payload))
			version_damaged("a record ends too early");
		whole.end = in.at;
		if (tag == ELVIS_RECORD_CONTEXT) {
			context = whole;
			continue;
		}
		record = palloc0(sizeof(*record));
		record->tag = tag;
		record->whole = whole;
		record->context = context;
		if (is_change(tag))
			parse_change(record, payload);
		dlist_push_tail(list, &record->node);
	}
}

/* ---- by versions ---- */

struct replaced {
	struct {
		Oid relid;
		uint8 tid[6];
		uint8 padding[2];
	} at;			/* the key of the table */
	struct record *by;
};

static struct replaced *
replaced(HTAB *table, const struct record *record, const uint8 *tid, HASHACTION action)
{
	struct replaced wanted;
	bool found;

	memset(&wanted.at, 0, sizeof(wanted.at));
	wanted.at.relid = record->version->relid;
	memcpy(wanted.at.tid, tid, 6);
	return hash_search(table, &wanted.at, action, &found);
}

/*
 * Moves to directly before `place` the late change that belongs there, and those before
 * that.
 */
static void
pull(struct record *place)
{
	while (place->pulled != NULL) {
		struct record *late = place->pulled;

		place->pulled = NULL;
		dlist_delete(&late->node);
		dlist_insert_before(&place->node, &late->node);
		place = late;
	}
}

static void
order_by_versions(dlist_head *list)
{
	HASHCTL how = {
		.keysize = sizeof(((struct replaced *) NULL)->at),
		.entrysize = sizeof(struct replaced),
		.hcxt = CurrentMemoryContext,
	};
	HTAB *table = hash_create("elvis replaced versions", 1024, &how,
				  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	dlist_mutable_iter each;
	dlist_iter again;

	/* only what was captured before a late change can have replaced its version */
	dlist_foreach(again, list) {
		struct record *record = dlist_container(struct record, node, again.cur);
		struct replaced *found;

		if (record->flags & ELVIS_CHANGE_NEW_TID) {
			found = replaced(table, record, record->new_tid, HASH_FIND);
			if (found != NULL)
				found->by->pulled = record;
		}
		if (record->flags & ELVIS_CHANGE_OLD_TID)
			replaced(table, record, record->old_tid, HASH_ENTER)->by = record;
	}
	dlist_foreach_modify(each, list)
		pull(dlist_container(struct record, node, each.cur));
	hash_destroy(table);
}

/* ---- by keys ---- */

enum event_kind { TAKES, GIVES_UP, HAS };

struct event {
	dlist_node node;
	enum event_kind kind;
	struct record *record;
};

/* All that happens to one key of one table. */
struct history {
	struct history *next;	/* another with the same hash */
	struct version *version;
	size_t length;
	const char *key;
	dlist_head events;
};

struct bucket {
	uint64 hash;		/* the key of the table */
	struct history *first;
};

static bool
same_table(const struct version *a, const struct version *b)
{
	return a == b ||
	       (strcmp(a->table, b->table) == 0 && strcmp(a->schema, b->schema) == 0);
}

static struct history *
history_of(HTAB *table, struct version *version, const StringInfoData *key)
{
	uint64 hash = hash_bytes_extended((const unsigned char *) key->data, key->len, 0);
	struct bucket *bucket;
	struct history *history;
	bool found;

	hash = hash_combine64(hash,
			      hash_bytes_extended((const unsigned char *) version->table,
						  (int) strlen(version->table), 0));
	bucket = hash_search(table, &hash, HASH_ENTER, &found);
	if (!found)
		bucket->first = NULL;
	for (history = bucket->first; history != NULL; history = history->next)
		if (same_table(history->version, version) &&
		    history->length == key->len &&
		    memcmp(history->key, key->data, key->len) == 0)
			return history;
	history = palloc(sizeof(*history));
	history->version = version;
	history->length = key->len;
	history->key = memcpy(palloc(key->len + 1), key->data, key->len);
	history->next = bucket->first;
	dlist_init(&history->events);
	bucket->first = history;
	return history;
}

/* The columns of an image; false for the values of an UPDATE that did not change. */
static void
get_columns(struct elvis_bytes *in, const struct version *version, const uint8 *bitmap,
	    struct elvis_bytes *columns)
{
	for (int i = 0; i < version->n_columns; i++) {
		struct elvis_bytes value;
		uint64_t head;

		if (bitmap != NULL && (bitmap[i / 8] >> i % 8 & 1) == 0)
			continue;
		if (!version_get_column(in, &head, &value, &columns[i]))
			version_damaged("a change ends too early");
	}
}

static void
put_key(StringInfo key, const struct version *version, const struct elvis_bytes *columns)
{
	resetStringInfo(key);
	for (int i = 0; i < version->n_key; i++) {
		const struct elvis_bytes *column = &columns[version->key[i]];

		appendBinaryStringInfo(key, (const char *) column->at,
				       column->end - column->at);
	}
}

static struct event *
event_new(enum event_kind kind, struct record *record)
{
	struct event *event = palloc(sizeof(*event));

	event->kind = kind;
	event->record = record;
	return event;
}

static void
append(struct history *history, enum event_kind kind, struct record *record)
{
	dlist_push_tail(&history->events, &event_new(kind, record)->node);
}

/* The first event that takes the key while the row exists. */
static struct event *
contradiction(struct history *history, const struct record *early)
{
	dlist_iter each;
	bool exists = true;	/* `early` finds the row there */

	if (dlist_is_empty(&history->events))
		return NULL;
	/* unless this transaction has made it */
	if (early->flags & ELVIS_CHANGE_OLD_TID)
		exists = dlist_head_element(struct event, node, &history->events)->kind !=
			 TAKES;
	dlist_foreach(each, &history->events) {
		struct event *event = dlist_container(struct event, node, each.cur);

		if (event->kind == TAKES && exists)
			return event;
		exists = event->kind != GIVES_UP;
	}
	return NULL;
}

static void
give_up(struct history *history, struct record *record)
{
	struct event *event = NULL;

	if (record->flags & ELVIS_CHANGE_EARLY)
		event = contradiction(history, record);
	if (event == NULL) {
		append(history, GIVES_UP, record);
		return;
	}
	dlist_delete(&record->node);
	dlist_insert_before(&event->record->node, &record->node);
	dlist_insert_before(&event->node, &event_new(GIVES_UP, record)->node);
}

static void
follow(HTAB *table, struct record *record, struct elvis_bytes *columns,
       StringInfo old_key, StringInfo new_key)
{
	struct version *version = record->version;
	struct elvis_bytes in = record->images, bitmap;

	get_columns(&in, version, NULL, columns);
	put_key(old_key, version, columns);
	if (record->tag == ELVIS_RECORD_INSERT) {
		append(history_of(table, version, old_key), TAKES, record);
		return;
	}
	if (record->tag == ELVIS_RECORD_DELETE) {
		give_up(history_of(table, version, old_key), record);
		return;
	}
	if (!elvis_get_bytes(&in, (version->n_columns + 7) / 8, &bitmap))
		version_damaged("a change ends too early");
	get_columns(&in, version, bitmap.at, columns);
	put_key(new_key, version, columns);
	if (old_key->len == new_key->len &&
	    memcmp(old_key->data, new_key->data, old_key->len) == 0) {
		append(history_of(table, version, old_key), HAS, record);
		return;
	}
	give_up(history_of(table, version, old_key), record);
	append(history_of(table, version, new_key), TAKES, record);
}

static bool
any_early(dlist_head *list)
{
	dlist_iter each;

	dlist_foreach(each,
		      list) if (dlist_container(struct record, node, each.cur)->flags &
				ELVIS_CHANGE_EARLY) return true;
	return false;
}

static void
order_by_keys(dlist_head *list)
{
	HASHCTL how = {
		.keysize = sizeof(uint64),
		.entrysize = sizeof(struct bucket),
		.hcxt = CurrentMemoryContext,
	};
	HTAB *table = hash_create("elvis keys", 1024, &how,
				  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	struct elvis_bytes *columns = palloc(sizeof(*columns) * MaxTupleAttributeNumber);
	StringInfoData old_key, new_key;
	dlist_mutable_iter each;

	initStringInfo(&old_key);
	initStringInfo(&new_key);
	dlist_foreach_modify(each, list) {
		struct record *record = dlist_container(struct record, node, each.cur);

		CHECK_FOR_INTERRUPTS();
		if (is_change(record->tag) && record->version->n_key > 0)
			follow(table, record, columns, &old_key, &new_key);
	}
	hash_destroy(table);
}

/* ---- the answer ---- */

static void
cut(struct ordered *ordered, dlist_head *list)
{
	size_t size = PIECE_SIZE + 1, n = 0;
	dlist_iter each;

	dlist_foreach(each, list)
		ordered->n_records++;
	ordered->records = MemoryContextAllocHuge(CurrentMemoryContext,
		sizeof(struct record *) * Max(ordered->n_records, 1));
	ordered->starts = MemoryContextAllocHuge(CurrentMemoryContext,
		sizeof(size_t) * Max(ordered->n_records, 1));
	dlist_foreach(each, list) {
		struct record *record = dlist_container(struct record, node, each.cur);

		if (size > PIECE_SIZE) {
			ordered->starts[ordered->n_pieces++] = n;
			size = 0;
		}
		size += record->whole.end - record->whole.at;
		ordered->records[n++] = record;
	}
}

struct ordered *
reorder(const struct elvis_bytes *chunks, size_t n_chunks)
{
	struct ordered *ordered = palloc0(sizeof(*ordered));
	dlist_head list = DLIST_STATIC_INIT(list);

	ordered->context = CurrentMemoryContext;
	for (size_t i = 0; i < n_chunks; i++)
		parse_chunk(&list, chunks[i]);
	order_by_versions(&list);
	if (any_early(&list))
		order_by_keys(&list);
	cut(ordered, &list);
	return ordered;
}

static bool
same_bytes(struct elvis_bytes a, struct elvis_bytes b)
{
	return a.end - a.at == b.end - b.at && memcmp(a.at, b.at, a.end - a.at) == 0;
}

static void
put(StringInfo out, struct elvis_bytes bytes)
{
	appendBinaryStringInfo(out, (const char *) bytes.at,
			       (int) (bytes.end - bytes.at));
}

void
ordered_piece(const struct ordered *ordered, size_t piece, StringInfo out)
{
	size_t n = ordered->starts[piece];
	size_t end = piece + 1 < ordered->n_pieces ? ordered->starts[piece + 1]
						   : ordered->n_records;
	struct elvis_bytes context = ordered->records[n]->context;

	put(out, context);
	for (; n < end; n++) {
		const struct record *record = ordered->records[n];

		if (!same_bytes(record->context, context))
			put(out, context = record->context);
		put(out, record->whole);
	}
}
