#include "model/cut.h"

#include "unit.h"

#define LENGTH 100
#define TABLES 1000
#define LIMIT 20000
#define MOST 2000000

/* What it has when it has enough of each of 20 tables: 16 kB, and the rest of a change */
#define OF_TWENTY ((20 * 16384 / LENGTH + 1) * LENGTH)

struct load {
	struct cut cut;
	struct cut_share shares[TABLES];
	size_t bytes;
};

static void
load_start(struct load *load)
{
	*load = (struct load){ .cut = { .limit = LIMIT, .most = MOST } };
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
	ck_assert_uint_eq(bytes_of(1, false), LIMIT);
	ck_assert_uint_eq(bytes_of(1, true), LIMIT);
	ck_assert_uint_eq(bytes_of(16, false), LIMIT);
}
END_TEST

START_TEST(of_many_tables_it_grows_until_it_has_something_of_each)
{
	ck_assert_uint_eq(bytes_of(20, false), OF_TWENTY);
	ck_assert_uint_eq(bytes_of(20, true), OF_TWENTY);
}
END_TEST

START_TEST(it_grows_no_further_than_it_may)
{
	struct load load;

	ck_assert_uint_eq(bytes_of(200, false), MOST);
	load_start(&load);
	load.cut.most = 1;
	while (!put(&load, (int) load.bytes / LENGTH % 20, false))
		;
	ck_assert_uint_eq(load.bytes, LIMIT);
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
	ck_assert_uint_eq(load.shares[0].rewritten, LIMIT);
	ck_assert_uint_lt(load.bytes, 2 * LIMIT + 10 * LENGTH);
}
END_TEST

/* Each table is a lock or several: no more than twice as many as without it. */
START_TEST(ever_new_tables_end_it)
{
	ck_assert_uint_eq(bytes_of(TABLES, false), (2 * LIMIT / LENGTH + 1) * LENGTH);
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
	ck_assert_uint_eq(load.bytes, OF_TWENTY);
	ck_assert_uint_eq(load.shares[0].rewritten, 164 * LENGTH);
}
END_TEST

START_TEST(what_has_no_table_to_be_counted_ends_at_the_limit)
{
	struct cut cut = { .limit = LIMIT, .most = MOST };

	cut_start(&cut);
	ck_assert(!cut_is_due(&cut, LIMIT - 1));
	ck_assert(cut_is_due(&cut, LIMIT));
}
END_TEST

UNIT_MAIN("cut",
	  of_few_tables_it_is_full_at_the_limit,
	  of_many_tables_it_grows_until_it_has_something_of_each,
	  it_grows_no_further_than_it_may,
	  one_table_rewritten_ends_it_at_the_limit,
	  ever_new_tables_end_it,
	  each_target_transaction_is_counted_by_itself,
	  what_has_no_table_to_be_counted_ends_at_the_limit)
