#include "model/cut.h"

#include "unit.h"

#define LENGTH 10
#define TABLES 1000

struct load {
	struct cut cut;
	struct cut_share shares[TABLES];
	size_t bytes;
};

static void
load_start(struct load *load)
{
	*load = (struct load){ .cut = { .limit = 1000, .most = 100000 } };
	cut_start(&load->cut);
}

/* One change of that table; is the target transaction full? */
static bool
put(struct load *load, int table, bool rewrites)
{
	cut_count(&load->cut, &load->shares[table], rewrites, LENGTH);
	load->bytes += LENGTH;
	return cut_is_due(&load->cut, load->bytes);
}

/* Changes of `tables` tables in turn until it is full; how many bytes it has then */
static size_t
bytes_of(int tables, bool rewrites)
{
	struct load load;
	int i = 0;

	load_start(&load);
	while (!put(&load, i++ % tables, rewrites))
		;
	return load.bytes;
}

START_TEST(of_few_tables_it_is_full_at_the_limit)
{
	ck_assert_uint_eq(bytes_of(1, false), 1000);
	ck_assert_uint_eq(bytes_of(1, true), 1000);
	ck_assert_uint_eq(bytes_of(16, false), 1000);
}
END_TEST

START_TEST(of_many_tables_it_grows_until_it_has_some_changes_of_each)
{
	ck_assert_uint_eq(bytes_of(20, false), 20 * 64 * LENGTH);
	ck_assert_uint_eq(bytes_of(20, true), 20 * 64 * LENGTH);
}
END_TEST

START_TEST(it_grows_no_further_than_it_may)
{
	struct load load;

	ck_assert_uint_eq(bytes_of(200, false), 100000);
	load_start(&load);
	load.cut.most = 1;
	while (!put(&load, (int) load.bytes / LENGTH % 20, false))
		;
	ck_assert_uint_eq(load.bytes, 1000);
}
END_TEST

/* Rows updated over and over: no more versions of them than a table alone would have. */
START_TEST(one_table_rewritten_ends_it_at_the_limit)
{
	struct load load;
	int i = 0;

	load_start(&load);
	while (!put(&load, i % 2 == 0 ? 0 : 1 + i / 2 % 500, i % 2 == 0))
		i++;
	ck_assert_uint_eq(load.shares[0].rewritten, 1000);
	ck_assert_uint_lt(load.bytes, 2100);
}
END_TEST

/* Each table is a lock or several: no more than twice as many as without it. */
START_TEST(ever_new_tables_end_it)
{
	ck_assert_uint_eq(bytes_of(TABLES, false), (2 * 100 + 1) * LENGTH);
}
END_TEST

START_TEST(each_target_transaction_is_counted_by_itself)
{
	struct load load;
	int i = 0;

	load_start(&load);
	put(&load, 0, true);
	cut_start(&load.cut);
	load.bytes = 0;
	while (!put(&load, i++ % 20, true))
		;
	ck_assert_uint_eq(load.bytes, 20 * 64 * LENGTH);
	ck_assert_uint_eq(load.shares[0].rewritten, 64 * LENGTH);
}
END_TEST

START_TEST(what_has_no_table_to_be_counted_ends_at_the_limit)
{
	struct cut cut = { .limit = 1000, .most = 100000 };

	cut_start(&cut);
	ck_assert(!cut_is_due(&cut, 999));
	ck_assert(cut_is_due(&cut, 1000));
}
END_TEST

UNIT_MAIN("cut",
	  of_few_tables_it_is_full_at_the_limit,
	  of_many_tables_it_grows_until_it_has_some_changes_of_each,
	  it_grows_no_further_than_it_may,
	  one_table_rewritten_ends_it_at_the_limit,
	  ever_new_tables_end_it,
	  each_target_transaction_is_counted_by_itself,
	  what_has_no_table_to_be_counted_ends_at_the_limit)
