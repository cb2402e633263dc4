/*
 * last_writer_wins: of two versions of a row the one whose column is greater stays, a
 * column that the application sets at every write: a time, or a version that counts up.
 *
 * Why it converges with any number of nodes: it is ordered, so the target compares on
 * every change, also where the before image fits, because a fit by value is no proof of
 * order (a row that went 1 -> 2 -> 1 fits as if it had never been changed).  The order
 * is total: on a tie of the column the greater row image stays.  The greatest version
 * ever written is then the same whatever the order in which changes arrive, and it is
 * always written whole, for which large values must be captured too.
 *
 * What it leaves to the next policy of the chain: everything about rows that are gone.
 * A deleted row has no column to compare, and of a row that is missing nobody knows
 * here whether it was deleted or has not come yet.  Whatever is answered, there are
 * schedules in which nodes end different; which of them cannot happen in a database,
 * its owner knows and says by the chain.  Likewise rows in the way on other unique
 * keys: to delete one of two rows is more than choosing a version.
 *
 * Where the clocks of the writers differ, the node whose clock is ahead wins; that is
 * in the column and not for a policy to see.
 */
#include <stdlib.h>

#include <elvis/order.h>
#include <elvis/policy.h>

enum { OPTION_COLUMN };

static const struct elvis_option options[] = {
	[OPTION_COLUMN] = { .name = "column",
			    .type = ELVIS_OPTION_COLUMN,
			    .required = true,
			    .help = "whose greater value is the later version" },
	{ .name = NULL },
};

struct state {
	const char *column;
};

static bool
open(const struct elvis_host *host, const struct elvis_settings *settings, void **made)
{
	struct state *state = malloc(sizeof(*state));

	if (state == NULL) {
		host->fail(host, "out of memory");
		return false;
	}
	state->column = elvis_setting(settings, OPTION_COLUMN)->string;
	*made = state;
	return true;
}

/*
 * What the target would do by itself, for when it asks: a policy earlier in the chain
 * wanted to see the rows.  Where the order of the column's type is not to be had from
 * text, this abstains.
 */
static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	const struct state *mine = state;
	const struct elvis_table *table = conflict->table;
	int i = elvis_column_number(table, mine->column);
	int order;

	if (i < 0 || conflict->local == NULL ||
	    !elvis_value_cmp(table->columns[i]->type, &conflict->remote->values[i],
			     &conflict->local->values[i], &order))
		return true;
	verdict->reason = "later";
	if (order == 0) {
		verdict->reason = "same time, greater row";
		order = elvis_row_cmp(table, conflict->remote->values,
				      conflict->local->values);
	}
	verdict->action = order > 0 ? ELVIS_APPLY_REMOTE : ELVIS_KEEP_LOCAL;
	return true;
}

static void
answers(void *state, const struct elvis_table *table, struct elvis_answers *answers)
{
	const struct state *mine = state;
	const struct elvis_answer greater = { .rule = ELVIS_ANSWER_GREATER_WINS,
					      .column = mine->column };

	(void) table;
	elvis_answer_set(answers, ELVIS_INSERT_EXISTS, greater);
	elvis_answer_set(answers, ELVIS_UPDATE_DIFFERS, greater);
}

ELVIS_POLICY("last_writer_wins",
	     .version = "1.0",
	     .summary = "the version of the row whose column is greater stays",
	     .options = options,
	     .kinds = ELVIS_ON(INSERT_EXISTS) | ELVIS_ON(UPDATE_DIFFERS),
	     .needs = ELVIS_NEEDS_LARGE_VALUES,
	     .converges = ELVIS_CONVERGES_ALWAYS,
	     .ordered = true,
	     .open = open,
	     .decide = decide,
	     .close = free,
	     .answers = answers);
