#include "model/change.h"

#include "model/table.h"
#include "stream.h"
#include "unit.h"

static struct arena *arena;

static const struct elvis_table *
table_of(void *context, uint64_t version)
{
	AUTO_STRBUF struct strbuf payload;
	struct err err = ERR_INIT;

	(void) context;
	strbuf_init(&payload, 1 << 10);
	if (version == 9)
		return NULL;
	stream_describe(&payload, version);
	return table_decode(stream_bytes(&payload), arena, &err);
}

struct decoded {
	struct change_reader reader;
	struct strbuf in;
	struct change_list list;
	struct err err;
};

static struct decoded
decoded_new(void)
{
	struct decoded d = { .reader = { .table = table_of }, .err = ERR_INIT };

	arena = arena_new();
	strbuf_init(&d.in, 1 << 20);
	return d;
}

static bool
decode(struct decoded *d)
{
	return changes_decode(&d->reader, stream_bytes(&d->in), &d->list, arena, &d->err);
}

static void
decoded_free(struct decoded *d)
{
	strbuf_free(&d->in);
	arena_free(arena);
}

START_TEST(a_table_is_as_described)
{
	struct decoded d = decoded_new();
	const struct elvis_table *table = table_of(NULL, 3);

	ck_assert_str_eq(table->schema, "public");
	ck_assert_str_eq(table->name, "t3");
	ck_assert_uint_eq(table->n_columns, 2);
	ck_assert_str_eq(table->columns[1]->name, "value");
	ck_assert(table->columns[0]->in_key && !table->columns[1]->in_key);
	ck_assert_uint_eq(table->n_key, 1);
	decoded_free(&d);
}
END_TEST

START_TEST(an_update_has_both_images_and_what_did_not_change_in_both)
{
	struct decoded d = decoded_new();
	const struct elvis_change *change;

	stream_begin(&d.in, 5);
	stream_context(&d.in, 4, 3);
	stream_update(&d.in, 1, 42, "new");
	stream_commit(&d.in, 5);

	ck_assert(decode(&d));
	ck_assert_uint_eq(d.list.count, 1);
	change = d.list.items[0];
	ck_assert_int_eq(change->operation, ELVIS_UPDATE);
	ck_assert_str_eq(change->before[0].text, "42");
	ck_assert_int_eq(change->before[1].state, ELVIS_VALUE_NULL);
	ck_assert_str_eq(change->after[0].text, "42");
	ck_assert_str_eq(change->after[1].text, "new");
	ck_assert_uint_eq(change->origin, 4);
	ck_assert_uint_eq(change->via, 3);
	ck_assert_int_eq(change->at, 77);
	ck_assert_uint_eq(change->xid, 1005);
	decoded_free(&d);
}
END_TEST

START_TEST(addresses_count_what_was_skipped_and_go_on_in_the_next_piece)
{
	struct decoded d = decoded_new();

	stream_begin(&d.in, 5);
	stream_context(&d.in, 1, 0);
	stream_insert(&d.in, 1, 1);
	stream_number(&d.in, ELVIS_RECORD_SKIPPED, 3);
	stream_truncate(&d.in, 1, 2);
	ck_assert(decode(&d));
	ck_assert_uint_eq(d.list.count, 3);
	ck_assert_uint_eq(d.list.items[0]->ordinal, 0);
	ck_assert_uint_eq(d.list.items[1]->ordinal, 4);
	ck_assert_uint_eq(d.list.items[2]->ordinal, 4);

	strbuf_reset(&d.in);
	stream_insert(&d.in, 1, 2);
	stream_commit(&d.in, 5);
	ck_assert(decode(&d));
	ck_assert_uint_eq(d.list.items[0]->ordinal, 5);
	ck_assert_int_eq(d.list.items[0]->seq, 5);
	decoded_free(&d);
}
END_TEST

START_TEST(damage_is_refused)
{
	struct decoded d = decoded_new();

	stream_begin(&d.in, 5);
	stream_context(&d.in, 1, 0);
	stream_insert(&d.in, 9, 1);
	ck_assert(!decode(&d));
	ck_assert_int_eq(d.err.class, ERR_REFUSED);

	/* an INSERT of one column where the table has two */
	strbuf_reset(&d.in);
	put_record(&d.in, ELVIS_RECORD_INSERT, "\0\1\0", 3);
	ck_assert(!decode(&d));

	/* a NUL within text */
	strbuf_reset(&d.in);
	put_record(&d.in, ELVIS_RECORD_INSERT, "\0\1\5\0\0", 5);
	ck_assert(!decode(&d));
	decoded_free(&d);
}
END_TEST

UNIT_MAIN("change",
	  a_table_is_as_described,
	  an_update_has_both_images_and_what_did_not_change_in_both,
	  addresses_count_what_was_skipped_and_go_on_in_the_next_piece,
	  damage_is_refused)
