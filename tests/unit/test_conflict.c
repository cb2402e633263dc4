#include "model/conflict.h"

#include "model/record.h"
#include "model/table.h"
#include "model/verdict.h"
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
	stream_describe(&payload, version);
	return table_decode(stream_bytes(&payload), arena, &err);
}

static void
put_columns(struct strbuf *out, const char *id, const char *value)
{
	stream_text(out, id);
	if (value != NULL)
		stream_text(out, value);
	else
		put_varint(out, ELVIS_COLUMN_UNCHANGED);
}

static void
put_row(struct strbuf *out, uint32_t origin, const char *id, const char *value)
{
	put_varint(out, origin);
	put_u8(out, ELVIS_TIME_ROW_CLOCK);
	put_i64(out, 99);
	put_columns(out, id, value);
}

/* An UPDATE of a row that looks different, with another row in the way */
static void
put_conflict(struct strbuf *out)
{
	put_u8(out, ELVIS_UPDATE_DIFFERS);
	put_u8(out, ELVIS_UPDATE);
	put_varint(out, 1);
	put_varint(out, 500);
	put_varint(out, 6);
	put_varint(out, 1);
	put_varint(out, 4);
	put_i64(out, 88);
	put_varint(out, 1234);
	put_u8(out, ELVIS_PART_BEFORE | ELVIS_PART_REMOTE | ELVIS_PART_LOCAL | ELVIS_PART_MESSAGE);
	put_columns(out, "1", "old");
	put_columns(out, "1", NULL);
	put_row(out, 2, "1", "mine");
	put_varint(out, 1);
	put_string(out, "t1_value_key");
	put_row(out, 3, "9", "theirs");
	put_string(out, "23505");
	put_string(out, "duplicate key");
}

START_TEST(a_conflict_has_both_sides_and_who_is_in_the_way)
{
	AUTO_STRBUF struct strbuf bytes;
	struct err err = ERR_INIT;
	struct elvis_conflict *c;

	arena = arena_new();
	strbuf_init(&bytes, 1 << 10);
	put_conflict(&bytes);
	c = conflict_decode(stream_bytes(&bytes), table_of, NULL, arena, &err);

	ck_assert_ptr_nonnull(c);
	ck_assert_int_eq(c->kind, ELVIS_UPDATE_DIFFERS);
	ck_assert_int_eq(c->seq, 500);
	ck_assert_uint_eq(c->ordinal, 6);
	ck_assert_str_eq(c->before[1].text, "old");
	ck_assert_str_eq(c->remote->values[1].text, "old");	/* unchanged is as before */
	ck_assert_int_eq(c->remote->at, 88);
	ck_assert_uint_eq(c->remote->origin, 4);
	ck_assert_str_eq(c->local->values[1].text, "mine");
	ck_assert_int_eq(c->local->time_source, ELVIS_TIME_ROW_CLOCK);
	ck_assert_uint_eq(c->n_blockers, 1);
	ck_assert_str_eq(c->blockers[0]->index, "t1_value_key");
	ck_assert_str_eq(c->blockers[0]->row->values[0].text, "9");
	ck_assert_str_eq(c->sqlstate, "23505");
	arena_free(arena);
}
END_TEST

START_TEST(a_conflict_cut_off_anywhere_is_refused)
{
	AUTO_STRBUF struct strbuf bytes;
	struct err err = ERR_INIT;

	arena = arena_new();
	strbuf_init(&bytes, 1 << 10);
	put_conflict(&bytes);
	for (size_t length = 0; length < bytes.length; length++) {
		struct elvis_bytes in = stream_bytes(&bytes);

		in.end = in.at + length;
		ck_assert_ptr_null(conflict_decode(in, table_of, NULL, arena, &err));
	}
	arena_free(arena);
}
END_TEST

START_TEST(every_kind_has_a_name_and_can_be_stopped_at)
{
	for (uint32_t kind = 1; kind < ELVIS_CONFLICT_KIND_END; kind++) {
		ck_assert_str_ne(kind_name(kind), "unknown");
		ck_assert(verdict_suits(ELVIS_STOP, kind));
		ck_assert(verdict_suits(ELVIS_ABSTAIN, kind));
	}
	ck_assert_str_eq(kind_name(ELVIS_CONFLICT_KIND_END), "unknown");
	ck_assert(!verdict_suits(ELVIS_STOP, ELVIS_CONFLICT_NONE));
	ck_assert(!verdict_suits(ELVIS_STOP, ELVIS_CONFLICT_KIND_END));
	ck_assert(!verdict_suits(ELVIS_VERDICT_END, ELVIS_UPDATE_DIFFERS));
}
END_TEST

START_TEST(there_is_nothing_to_insert_where_a_row_is_to_be_deleted)
{
	char text[VERDICT_LIST_SIZE];

	ck_assert(verdict_suits(ELVIS_INSERT_REMOTE, ELVIS_UPDATE_MISSING));
	ck_assert(!verdict_suits(ELVIS_INSERT_REMOTE, ELVIS_DELETE_DIFFERS));
	ck_assert(!verdict_suits(ELVIS_APPLY_REMOTE, ELVIS_TYPE_ERROR));
	ck_assert_str_eq(verdict_list(text, ELVIS_TARGET_TABLE_MISSING),
			 "keep_local, retry or stop");
}
END_TEST

UNIT_MAIN("conflict",
	  a_conflict_has_both_sides_and_who_is_in_the_way,
	  a_conflict_cut_off_anywhere_is_refused,
	  every_kind_has_a_name_and_can_be_stopped_at,
	  there_is_nothing_to_insert_where_a_row_is_to_be_deleted)
