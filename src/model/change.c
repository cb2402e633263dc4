/*
 * change.c - from records to struct elvis_change.
 */
#include "model/change.h"

#include "model/value.h"

struct decoding {
	struct change_reader *reader;
	struct change_list *list;
	size_t room;
	struct arena *arena;
	struct err *err;
};

static void
list_add(struct decoding *d, const struct elvis_change *change)
{
	struct change_list *list = d->list;

	if (list->count == d->room) {
		const struct elvis_change **old = list->items;

		/* the old array stays in the arena: half of the new, a quarter of the next */
		d->room = d->room > 0 ? 2 * d->room : 64;
		list->items = arena_alloc(d->arena, d->room * sizeof(*list->items));
		if (list->count > 0)
			memcpy(list->items, old, list->count * sizeof(*old));
	}
	list->items[list->count++] = change;
}

static struct elvis_change *
change_new(struct decoding *d, uint64_t version)
{
	const struct change_reader *reader = d->reader;
	const struct record_context *context = &reader->context;
	const struct elvis_table *table = reader->table(reader->lookup, version);
	struct elvis_change *change;

	if (table == NULL) {
		record_damaged(d->err, "change of a table nobody knows");
		return NULL;
	}
	change = arena_zalloc(d->arena, sizeof(*change));
	change->table = table;
	change->origin = context->origin;
	change->via = context->via;
	change->at = context->at;
	change->xid = context->xid != 0 ? context->xid : reader->begin.xid;
	change->seq = reader->begin.seq;
	change->ordinal = reader->ordinal;
	return change;
}

/* The after image of an UPDATE: what is not in the bitmap is as before. */
static const struct elvis_value *
after_get(struct elvis_bytes *in, const struct elvis_value *before, size_t n,
	  struct arena *arena)
{
	struct elvis_bytes bitmap;
	struct elvis_value *after;
	bool unchanged;

	if (!elvis_get_bytes(in, (n + 7) / 8, &bitmap))
		return NULL;
	after = arena_memdup(arena, before, (n + 1) * sizeof(*after));
	for (size_t i = 0; i < n; i++)
		if ((bitmap.at[i / 8] & (1u << (i % 8))) != 0 &&
		    !value_get(in, &after[i], &unchanged, arena))
			return NULL;
	return after;
}

static bool
images_get(struct decoding *d, const struct record *record, struct elvis_bytes *in,
	   struct elvis_change *change)
{
	size_t n = change->table->n_columns;
	const struct elvis_value *values = values_get(in, n, NULL, d->arena);

	if (values == NULL)
		return false;
	switch (record->tag) {
	case ELVIS_RECORD_INSERT:
		change->operation = ELVIS_INSERT;
		change->after = values;
		return true;
	case ELVIS_RECORD_DELETE:
		change->operation = ELVIS_DELETE;
		change->before = values;
		return true;
	default:
		change->operation = ELVIS_UPDATE;
		change->before = values;
		change->after = after_get(in, values, n, d->arena);
		return change->after != NULL;
	}
}

static bool
row_decode(struct decoding *d, const struct record *record)
{
	struct record_change head;
	struct elvis_change *change;

	if (!record_change(record, &head, d->err) ||
	    (change = change_new(d, head.version)) == NULL)
		return false;
	if (!images_get(d, record, &head.columns, change) ||
	    head.columns.at != head.columns.end)
		return record_damaged(d->err, "columns of a change");
	list_add(d, change);
	d->reader->ordinal++;
	return true;
}

static bool
truncate_decode(struct decoding *d, const struct record *record)
{
	struct record_truncate truncate;
	struct elvis_change *change;
	uint64_t version = 0;

	if (!record_truncate(record, &truncate, d->err))
		return false;
	for (uint64_t i = 0; i < truncate.n; i++) {
		if (!elvis_get_varint(&truncate.versions, &version) ||
		    (change = change_new(d, version)) == NULL)
			return false;
		change->operation = ELVIS_TRUNCATE;
		list_add(d, change);
	}
	d->reader->ordinal++;
	return true;
}

static bool
record_decode(struct decoding *d, const struct record *record)
{
	struct change_reader *reader = d->reader;
	uint64_t number;

	switch (record->tag) {
	case ELVIS_RECORD_BEGIN:
		reader->ordinal = 0;
		return record_begin(record, &reader->begin, d->err);
	case ELVIS_RECORD_CONTEXT:
		return record_context(record, &reader->context, d->err);
	case ELVIS_RECORD_SKIPPED:
		if (!record_number(record, &number, d->err))
			return false;
		reader->ordinal += number;
		return true;
	case ELVIS_RECORD_INSERT:
	case ELVIS_RECORD_UPDATE:
	case ELVIS_RECORD_DELETE:
		return row_decode(d, record);
	case ELVIS_RECORD_TRUNCATE:
		return truncate_decode(d, record);
	case ELVIS_RECORD_GAP:
		reader->ordinal++;
		return true;
	case ELVIS_RECORD_COMMIT:
	case ELVIS_RECORD_TABLE:
		return true;
	default:
		return record_damaged(d->err, "of a kind nobody knows");
	}
}

bool
changes_decode(struct change_reader *reader, struct elvis_bytes records,
	       struct change_list *list, struct arena *arena, struct err *err)
{
	struct decoding d = { .reader = reader, .list = list, .arena = arena, .err = err };
	struct record record;

	*list = (struct change_list){ .count = 0 };
	while (records.at < records.end)
		if (!record_next(&records, &record, err) || !record_decode(&d, &record))
			return false;
	return true;
}
