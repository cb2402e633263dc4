#include "engine/cache.h"

#include <pthread.h>

#include "fake_source.h"
#include "unit.h"

static struct fake_source
fake(void)
{
	return (struct fake_source){
		.source = { &fake_source_ops }, .changes = 1, .per_snapshot = 100, .piece = 10,
		.tables = 1, .origin = 1,
	};
}

static struct cursor
at(int64_t from, int64_t to, int64_t seq)
{
	return (struct cursor){ .from_id = from, .to_id = to, .seq = seq };
}

/* Takes a piece and gives it back; returns the cursor after it */
static struct cursor
pass(struct cache *cache, struct cursor cursor)
{
	const struct piece *piece;
	struct err err = ERR_INIT;

	ck_assert_msg(cache_take(cache, &cursor, 's', &piece, &err), "%s", err.text);
	cursor.seq = piece->seq;
	cursor.inside = piece->inside;
	cache_give_back(cache, piece);
	return cursor;
}

START_TEST(a_piece_is_read_once_for_all_and_goes_when_all_have_had_it)
{
	struct fake_source source = fake();
	struct cache *cache = cache_new(&source.source, 1 << 20);

	cache_join(cache);
	cache_join(cache);
	pass(cache, at(0, 1, 0));
	ck_assert_uint_gt(cache_bytes(cache), 0);
	pass(cache, at(0, 1, 0));

	ck_assert_uint_eq(cache_reads(cache), 1);
	ck_assert_uint_eq(cache_bytes(cache), 0);
	cache_leave(cache);
	cache_leave(cache);
	cache_free(cache);
}
END_TEST

START_TEST(who_waits_for_no_one_stays_within_the_bound)
{
	struct fake_source source = fake();
	struct cache *cache = cache_new(&source.source, 20000);
	struct cursor cursor = at(0, 1, 0);

	cache_join(cache);
	cache_join(cache);	/* it never comes */
	while (cursor.seq < 1000) {
		cursor = pass(cache, cursor);
		ck_assert_uint_lt(cache_bytes(cache), 20000);
	}
	cache_leave(cache);
	cache_leave(cache);
	ck_assert_uint_eq(cache_bytes(cache), 0);
	cache_free(cache);
}
END_TEST

START_TEST(a_link_far_behind_is_told_so_and_one_in_front_is_not)
{
	struct fake_source source = fake();
	struct cache *cache = cache_new(&source.source, 20000);
	struct cursor cursor = at(0, 1, 0), start = at(0, 1, 0);

	cache_join(cache);
	cache_join(cache);
	ck_assert(!cache_is_behind(cache, &start, 's'));
	while (cursor.seq < 1000)
		cursor = pass(cache, cursor);

	ck_assert(cache_is_behind(cache, &start, 's'));
	cursor.seq = 990;
	ck_assert(!cache_is_behind(cache, &cursor, 's'));
	cache_leave(cache);
	ck_assert(!cache_is_behind(cache, &start, 's'));	/* alone, nobody is behind */
	cache_leave(cache);
	cache_free(cache);
}
END_TEST

START_TEST(a_batch_that_others_have_read_is_found_by_its_beginning)
{
	struct fake_source source = fake();
	struct cache *cache = cache_new(&source.source, 1 << 20);
	struct snapshot from = { .id = 0 }, to = { .id = 0 };

	cache_join(cache);
	cache_join(cache);
	ck_assert(!cache_goal(cache, &from, 's', &to));
	pass(cache, at(0, 5, 0));
	ck_assert(cache_goal(cache, &from, 's', &to));
	ck_assert_int_eq(to.id, 5);
	ck_assert(!cache_goal(cache, &from, 't', &to));
	cache_leave(cache);
	cache_leave(cache);
	cache_free(cache);
}
END_TEST

START_TEST(what_was_read_ahead_is_not_read_again)
{
	struct fake_source source = fake();
	struct cache *cache = cache_new(&source.source, 1 << 20);
	struct cursor start = at(0, 1, 0), next = at(0, 1, 100);

	cache_join(cache);
	cache_ahead(cache, &start, 's');
	cache_ahead(cache, &next, 's');	/* has other things to do */
	pass(cache, start);
	pass(cache, next);
	ck_assert_uint_eq(cache_reads(cache), 2);
	cache_leave(cache);
	cache_free(cache);
}
END_TEST

static int released;

static void
count_released(void *owner)
{
	(void) owner;
	released++;
}

START_TEST(what_was_read_elsewhere_is_found_and_released_once)
{
	struct fake_source source = fake();
	struct cache *cache = cache_new(&source.source, 1 << 20);
	struct piece piece = { .seq = 1000, .finished = true, .release = count_released };
	struct cursor start = at(4, 5, 0);
	struct snapshot from = { .id = 4 }, to = { .id = 0 };

	cache_put(cache, &start, 's', &piece);
	ck_assert_int_eq(released, 1);	/* nobody is there to have it */

	cache_join(cache);
	cache_put(cache, &start, 's', &piece);
	cache_put(cache, &start, 's', &piece);	/* it is there already */
	ck_assert_int_eq(released, 2);
	ck_assert(cache_goal(cache, &from, 's', &to));
	ck_assert_int_eq(to.id, 5);
	ck_assert_int_eq(pass(cache, start).seq, 1000);
	ck_assert_int_eq(released, 3);
	ck_assert_int_eq(source.reads, 0);
	cache_leave(cache);
	cache_free(cache);
}
END_TEST

/* A4: numbers are given anew by a source that was set back, also those of tables' versions. */
START_TEST(what_another_source_may_have_said_is_forgotten)
{
	struct fake_source source = fake();
	struct cache *cache = cache_new(&source.source, 1 << 20);
	struct cursor start = at(0, 1, 0);
	struct snapshot from = { .id = 0 }, to;
	struct elvis_bytes before, after;
	const struct piece *in_hand;
	struct err err = ERR_INIT;

	cache_join(cache);
	cache_join(cache);
	pass(cache, at(0, 1, 10));
	ck_assert(cache_take(cache, &start, 's', &in_hand, &err));
	ck_assert(cache_describe(cache, 1, false, &before, &err));
	ck_assert(cache_goal(cache, &from, 's', &to));
	cache_renew(cache);

	ck_assert(!cache_goal(cache, &from, 's', &to));
	pass(cache, start);
	pass(cache, at(0, 1, 10));
	ck_assert_uint_eq(cache_reads(cache), 4);
	ck_assert(cache_describe(cache, 1, false, &after, &err));
	ck_assert_ptr_ne(before.at, after.at);
	ck_assert_uint_eq(before.end - before.at, after.end - after.at);
	cache_give_back(cache, in_hand);
	pass(cache, start);
	pass(cache, at(0, 1, 10));
	ck_assert_uint_eq(cache_reads(cache), 4);
	ck_assert_uint_eq(cache_bytes(cache), 0);
	cache_leave(cache);
	cache_leave(cache);
	cache_free(cache);
}
END_TEST

START_TEST(a_failed_read_is_told_to_who_wanted_it_and_tried_again)
{
	atomic_int calls = 0;
	struct fake_source source = fake();
	struct cache *cache = cache_new(&source.source, 1 << 20);
	struct cursor start = at(0, 1, 0), other = at(1, 2, 0);
	const struct piece *piece;
	struct elvis_bytes table;
	struct err err = ERR_INIT;

	source.calls = &calls;
	source.fail_at = 2;
	cache_join(cache);
	ck_assert(!cache_take(cache, &start, 's', &piece, &err));
	ck_assert_int_eq(err.class, ERR_RETRY);
	pass(cache, start);

	/* read ahead for somebody: its failure is not the business of who describes a table */
	cache_ahead(cache, &other, 's');
	source.fail_at = calls + 1;
	ck_assert(cache_describe(cache, 1, false, &table, &err));
	pass(cache, other);
	cache_leave(cache);
	cache_free(cache);
}
END_TEST

START_TEST(who_waits_when_it_ends_is_let_go)
{
	struct fake_source source = fake();
	struct cache *cache = cache_new(&source.source, 1 << 20);
	struct cursor start = at(0, 1, 0);
	const struct piece *piece;
	struct err err = ERR_INIT;

	cache_stop(cache);
	ck_assert(!cache_take(cache, &start, 's', &piece, &err));
	ck_assert_int_eq(err.class, ERR_RETRY);
	cache_free(cache);
}
END_TEST

/* Four links, one backlog: the source is asked for each piece once (T6). */

#define LINKS 4

static pthread_barrier_t together;

static void *
follow(void *context)
{
	struct cache *cache = context;
	struct cursor cursor = at(0, 1, 0);

	cache_join(cache);
	pthread_barrier_wait(&together);
	while (cursor.seq < 1000) {
		cursor = pass(cache, cursor);
		if (cursor.seq < 1000)
			cache_ahead(cache, &cursor, 's');
	}
	pthread_barrier_wait(&together);
	cache_leave(cache);
	return NULL;
}

START_TEST(four_links_cost_the_source_one)
{
	struct fake_source source = fake();
	struct cache *cache = cache_new(&source.source, 1 << 20);
	pthread_t threads[LINKS];

	pthread_barrier_init(&together, NULL, LINKS);
	for (int i = 0; i < LINKS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, follow, cache), 0);
	for (int i = 0; i < LINKS; i++)
		pthread_join(threads[i], NULL);

	ck_assert_int_eq(source.reads, 10);
	ck_assert_uint_eq(cache_bytes(cache), 0);
	cache_free(cache);
}
END_TEST

UNIT_MAIN("cache",
	  a_piece_is_read_once_for_all_and_goes_when_all_have_had_it,
	  who_waits_for_no_one_stays_within_the_bound,
	  a_link_far_behind_is_told_so_and_one_in_front_is_not,
	  a_batch_that_others_have_read_is_found_by_its_beginning,
	  what_was_read_ahead_is_not_read_again,
	  what_was_read_elsewhere_is_found_and_released_once,
	  what_another_source_may_have_said_is_forgotten,
	  a_failed_read_is_told_to_who_wanted_it_and_tried_again,
	  who_waits_when_it_ends_is_let_go,
	  four_links_cost_the_source_one)
