#include "model/filter.h"

#include "stream.h"
#include "unit.h"

/* Versions 1 and 3 are the link's, and a gap in 3 does not matter. */
static bool
find(void *context, uint64_t version, struct filter_table **table, struct err *err)
{
	static struct filter_table ours = {
		.wanted = true, .gap_stops = true, .schema = "public", .name = "t1",
	};
	static struct filter_table lenient = {
		.wanted = true, .gap_stops = false, .schema = "public", .name = "t3",
	};
	static struct filter_table others = {
		.wanted = false, .gap_stops = true, .schema = "public", .name = "t2",
	};

	(void) context;
	(void) err;
	*table = version == 1 ? &ours : version == 3 ? &lenient : &others;
	return true;
}

struct walk {
	struct filter filter;
	struct strbuf in;
	struct outlet out;
	struct err err;
};

static struct walk
walk_new(void)
{
	struct walk w = {
		.filter = { .target = 2, .cut.limit = SIZE_MAX, .lookup = find },
		.err = ERR_INIT,
	};

	strbuf_init(&w.in, 1 << 20);
	outlet_init(&w.out, 1 << 20);
	filter_start(&w.filter, 0);
	return w;
}

static void
walk_free(struct walk *w)
{
	strbuf_free(&w->in);
	outlet_free(&w->out);
}

static enum filter_result
walk(struct walk *w)
{
	struct elvis_bytes in = stream_bytes(&w->in);

	return filter_run(&w->filter, &in, &w->out, &w->err);
}

/* The tags that came out, a letter each */
static const char *
tags(struct outlet *out)
{
	static char text[256];
	struct elvis_bytes in = outlet_all(out);
	struct record record;
	struct err err = ERR_INIT;
	size_t n = 0;

	while (in.at < in.end && record_next(&in, &record, &err) && n < sizeof(text) - 1)
		text[n++] = record.tag == ELVIS_RECORD_BEGIN ? 'b' :
			record.tag == ELVIS_RECORD_CONTEXT ? 'x' :
			record.tag == ELVIS_RECORD_INSERT ? 'i' :
			record.tag == ELVIS_RECORD_TRUNCATE ? 't' :
			record.tag == ELVIS_RECORD_GAP ? 'g' :
			record.tag == ELVIS_RECORD_SKIPPED ? 's' :
			record.tag == ELVIS_RECORD_COMMIT ? 'c' : '?';
	text[n] = '\0';
	return text;
}

START_TEST(changes_of_other_tables_are_counted_and_left_out)
{
	struct walk w = walk_new();
	struct elvis_bytes in;
	struct record record;
	uint64_t skipped = 0;

	stream_begin(&w.in, 5);
	stream_context(&w.in, 1, 0);
	stream_insert(&w.in, 1, 1);
	stream_insert(&w.in, 2, 2);
	stream_insert(&w.in, 2, 3);
	stream_insert(&w.in, 1, 4);
	stream_commit(&w.in, 5);

	ck_assert_int_eq(walk(&w), FILTER_END);
	ck_assert_str_eq(tags(&w.out), "bxisic");
	in = outlet_all(&w.out);
	while (in.at < in.end && record_next(&in, &record, &w.err))
		if (record.tag == ELVIS_RECORD_SKIPPED)
			ck_assert(record_number(&record, &skipped, &w.err));
	ck_assert_uint_eq(skipped, 2);
	ck_assert_int_eq(w.filter.seq, 5);
	walk_free(&w);
}
END_TEST

START_TEST(a_transaction_with_nothing_for_the_link_leaves_no_bytes)
{
	struct walk w = walk_new();

	stream_begin(&w.in, 5);
	stream_context(&w.in, 1, 0);
	stream_insert(&w.in, 2, 2);
	stream_commit(&w.in, 5);

	ck_assert_int_eq(walk(&w), FILTER_END);
	ck_assert_uint_eq(outlet_length(&w.out), 0);
	ck_assert_int_eq(w.filter.seq, 5);
	walk_free(&w);
}
END_TEST

/* A8: neither what was made at the target nor what came through it goes back there. */
START_TEST(nothing_goes_back_where_it_came_from)
{
	struct walk w = walk_new();

	stream_begin(&w.in, 5);
	stream_context(&w.in, 2, 2);
	stream_insert(&w.in, 1, 1);
	stream_context(&w.in, 7, 2);
	stream_insert(&w.in, 1, 2);
	stream_context(&w.in, 7, 3);
	stream_insert(&w.in, 1, 3);
	stream_commit(&w.in, 5);

	ck_assert_int_eq(walk(&w), FILTER_END);
	ck_assert_str_eq(tags(&w.out), "bxsic");
	walk_free(&w);
}
END_TEST

START_TEST(a_link_to_no_node_carries_what_was_made_here)
{
	struct walk w = walk_new();

	w.filter.target = 0;
	stream_begin(&w.in, 5);
	stream_context(&w.in, 1, 0);
	stream_insert(&w.in, 1, 1);
	stream_commit(&w.in, 5);

	ck_assert_int_eq(walk(&w), FILTER_END);
	ck_assert_str_eq(tags(&w.out), "bxic");
	walk_free(&w);
}
END_TEST

START_TEST(a_local_link_forwards_nothing)
{
	struct walk w = walk_new();

	w.filter.local_only = true;
	stream_begin(&w.in, 5);
	stream_context(&w.in, 3, 3);
	stream_insert(&w.in, 1, 1);
	stream_context(&w.in, 1, 0);
	stream_insert(&w.in, 1, 2);
	stream_commit(&w.in, 5);

	ck_assert_int_eq(walk(&w), FILTER_END);
	ck_assert_str_eq(tags(&w.out), "bxsic");
	walk_free(&w);
}
END_TEST

START_TEST(of_a_truncate_the_links_tables_are_left)
{
	struct walk w = walk_new();
	struct elvis_bytes in;
	struct record record = { .tag = 0 };
	struct record_truncate truncate = { .n = 0 };

	stream_begin(&w.in, 5);
	stream_context(&w.in, 1, 0);
	stream_truncate(&w.in, 2, 1);
	stream_commit(&w.in, 5);

	ck_assert_int_eq(walk(&w), FILTER_END);
	ck_assert_str_eq(tags(&w.out), "bxtc");
	in = outlet_all(&w.out);
	while (record.tag != ELVIS_RECORD_TRUNCATE)
		ck_assert(record_next(&in, &record, &w.err));
	ck_assert(record_truncate(&record, &truncate, &w.err));
	ck_assert_uint_eq(truncate.n, 1);
	walk_free(&w);
}
END_TEST

START_TEST(a_context_stated_again_goes_along_only_where_nothing_was_left_out)
{
	struct walk w = walk_new();

	stream_begin(&w.in, 5);
	stream_context(&w.in, 1, 0);
	stream_insert(&w.in, 1, 1);
	stream_context(&w.in, 1, 0);
	stream_insert(&w.in, 1, 2);
	stream_context(&w.in, 1, 0);
	stream_insert(&w.in, 2, 3);
	stream_insert(&w.in, 1, 4);
	stream_commit(&w.in, 5);

	ck_assert_int_eq(walk(&w), FILTER_END);
	ck_assert_str_eq(tags(&w.out), "bxixisic");
	walk_free(&w);
}
END_TEST

START_TEST(a_context_that_no_change_followed_does_not_go_along)
{
	struct walk w = walk_new();
	struct elvis_bytes in;
	struct record record;
	struct record_context context = { .origin = 0 };

	w.filter.local_only = true;
	stream_begin(&w.in, 5);
	stream_context(&w.in, 3, 3);
	stream_context(&w.in, 1, 0);
	stream_insert(&w.in, 1, 1);
	stream_context(&w.in, 4, 4);
	stream_context(&w.in, 1, 0);
	stream_insert(&w.in, 1, 2);
	stream_commit(&w.in, 5);

	ck_assert_int_eq(walk(&w), FILTER_END);
	ck_assert_str_eq(tags(&w.out), "bxixic");
	in = outlet_all(&w.out);
	while (in.at < in.end && record_next(&in, &record, &w.err))
		if (record.tag == ELVIS_RECORD_CONTEXT) {
			ck_assert(record_context(&record, &context, &w.err));
			ck_assert_uint_eq(context.origin, 1);
		}
	walk_free(&w);
}
END_TEST

START_TEST(what_goes_through_whole_is_not_copied)
{
	struct walk w = walk_new();
	struct elvis_bytes in, out;

	for (int64_t seq = 5; seq < 8; seq++) {
		stream_begin(&w.in, seq);
		stream_context(&w.in, 1, 0);
		stream_insert(&w.in, 1, 1);
		stream_context(&w.in, 1, 0);
		stream_insert(&w.in, 3, 2);
		stream_context(&w.in, 4, 3);
		stream_insert(&w.in, 1, 3);
		stream_commit(&w.in, seq);
	}

	ck_assert_int_eq(walk(&w), FILTER_END);
	in = stream_bytes(&w.in);
	out = outlet_all(&w.out);
	ck_assert_ptr_eq(out.at, in.at);
	ck_assert_ptr_eq(out.end, in.end);
	walk_free(&w);
}
END_TEST

START_TEST(a_transaction_that_begins_after_one_left_out_is_not_copied_either)
{
	struct walk w = walk_new();
	struct elvis_bytes in, out;
	size_t before;

	stream_begin(&w.in, 5);
	stream_context(&w.in, 1, 0);
	stream_insert(&w.in, 2, 1);
	stream_commit(&w.in, 5);
	before = w.in.length;
	stream_begin(&w.in, 6);
	stream_context(&w.in, 1, 0);
	stream_insert(&w.in, 1, 1);
	stream_commit(&w.in, 6);

	ck_assert_int_eq(walk(&w), FILTER_END);
	in = stream_bytes(&w.in);
	out = outlet_all(&w.out);
	ck_assert_ptr_eq(out.at, in.at + before);
	ck_assert_ptr_eq(out.end, in.end);
	walk_free(&w);
}
END_TEST

START_TEST(a_cut_is_made_between_transactions_only)
{
	struct walk w = walk_new();
	struct elvis_bytes in;

	for (int64_t seq = 5; seq < 8; seq++) {
		stream_begin(&w.in, seq);
		stream_context(&w.in, 1, 0);
		stream_insert(&w.in, 1, 1);
		stream_insert(&w.in, 1, 2);
		stream_commit(&w.in, seq);
	}
	in = stream_bytes(&w.in);
	w.filter.cut.limit = 1;

	for (int64_t seq = 5; seq < 8; seq++) {
		ck_assert_int_eq(filter_run(&w.filter, &in, &w.out, &w.err), FILTER_CUT);
		ck_assert_int_eq(w.filter.seq, seq);
		ck_assert_int_eq(w.filter.at, seq * 10);
	}
	ck_assert_int_eq(filter_run(&w.filter, &in, &w.out, &w.err), FILTER_END);
	ck_assert_str_eq(tags(&w.out), "bxiicbxiicbxiic");
	walk_free(&w);
}
END_TEST

START_TEST(a_transaction_goes_on_in_the_next_piece)
{
	struct walk w = walk_new();

	stream_begin(&w.in, 5);
	stream_context(&w.in, 1, 0);
	stream_insert(&w.in, 2, 1);
	ck_assert_int_eq(walk(&w), FILTER_END);
	strbuf_reset(&w.in);
	stream_context(&w.in, 1, 0);
	stream_insert(&w.in, 1, 2);
	stream_commit(&w.in, 5);
	ck_assert_int_eq(walk(&w), FILTER_END);

	ck_assert_str_eq(tags(&w.out), "bxsic");
	walk_free(&w);
}
END_TEST

START_TEST(a_gap_stops_who_cannot_pass_it_on)
{
	struct walk w = walk_new();

	stream_begin(&w.in, 5);
	stream_context(&w.in, 1, 0);
	stream_gap(&w.in, 2);
	stream_gap(&w.in, 3);
	stream_insert(&w.in, 1, 1);
	stream_gap(&w.in, 1);

	ck_assert_int_eq(walk(&w), FILTER_FAILED);
	ck_assert_int_eq(w.err.class, ERR_REFUSED);
	ck_assert_str_eq(tags(&w.out), "bxsi");

	outlet_reset(&w.out);
	filter_start(&w.filter, 0);
	w.filter.gaps_pass = true;
	ck_assert_int_eq(walk(&w), FILTER_END);
	ck_assert_str_eq(tags(&w.out), "bxsgig");
	walk_free(&w);
}
END_TEST

static void
refused(void (*make)(struct strbuf *))
{
	struct walk w = walk_new();

	make(&w.in);
	ck_assert_int_eq(walk(&w), FILTER_FAILED);
	ck_assert_int_eq(w.err.class, ERR_REFUSED);
	walk_free(&w);
}

static void
change_outside(struct strbuf *in)
{
	stream_context(in, 1, 0);
	stream_insert(in, 1, 1);
}

static void
change_without_context(struct strbuf *in)
{
	stream_begin(in, 5);
	stream_insert(in, 1, 1);
}

static void
end_of_another(struct strbuf *in)
{
	stream_begin(in, 5);
	stream_commit(in, 6);
}

static void
begin_within(struct strbuf *in)
{
	stream_begin(in, 5);
	stream_begin(in, 6);
}

static void
out_of_order(struct strbuf *in)
{
	stream_begin(in, 5);
	stream_commit(in, 5);
	stream_begin(in, 5);
}

static void
cut_off(struct strbuf *in)
{
	stream_begin(in, 5);
	in->length--;
}

static void
unknown(struct strbuf *in)
{
	put_record(in, 0x7f, "", 0);
}

START_TEST(what_makes_no_sense_is_refused)
{
	refused(change_outside);
	refused(change_without_context);
	refused(end_of_another);
	refused(begin_within);
	refused(out_of_order);
	refused(cut_off);
	refused(unknown);
}
END_TEST

START_TEST(what_is_too_large_to_pass_on_is_refused_with_a_reason)
{
	struct walk w = walk_new();

	outlet_free(&w.out);
	outlet_init(&w.out, 30);
	stream_begin(&w.in, 5);
	stream_context(&w.in, 1, 0);
	stream_insert(&w.in, 1, 1);
	stream_insert(&w.in, 1, 2);

	ck_assert_int_eq(walk(&w), FILTER_FAILED);
	ck_assert_int_eq(w.err.class, ERR_REFUSED);
	walk_free(&w);
}
END_TEST

UNIT_MAIN("filter",
	  changes_of_other_tables_are_counted_and_left_out,
	  a_transaction_with_nothing_for_the_link_leaves_no_bytes,
	  nothing_goes_back_where_it_came_from,
	  a_link_to_no_node_carries_what_was_made_here,
	  a_local_link_forwards_nothing,
	  of_a_truncate_the_links_tables_are_left,
	  a_context_stated_again_goes_along_only_where_nothing_was_left_out,
	  a_context_that_no_change_followed_does_not_go_along,
	  what_goes_through_whole_is_not_copied,
	  a_transaction_that_begins_after_one_left_out_is_not_copied_either,
	  a_cut_is_made_between_transactions_only,
	  a_transaction_goes_on_in_the_next_piece,
	  a_gap_stops_who_cannot_pass_it_on,
	  what_makes_no_sense_is_refused,
	  what_is_too_large_to_pass_on_is_refused_with_a_reason)
