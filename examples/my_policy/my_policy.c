/*
 * my_policy: of two versions of an order the one that got further stays.
 *
 *	policy = { use = "my_policy"; column = "state"; steps = ["new", "paid", "shipped"]; };
 *
 * An order only ever moves forward through its steps, so the greater step is the later
 * one, whatever clocks say; and both nodes find the same one.  Where both got equally far
 * the rows themselves decide, in an order that is the same everywhere.  What this policy
 * does not know, a state that is no step or a row that is gone, it leaves to the next.
 *
 * That two nodes end alike takes that every change moves the order on: one that sets a
 * column and then sets it back leaves a row that looks as if it had never been changed.
 */
#include <stdlib.h>

#include <elvis/order.h>
#include <elvis/policy.h>

enum { OPTION_COLUMN, OPTION_STEPS };

static const struct elvis_option options[] = {
	[OPTION_COLUMN] = { .name = "column",
			    .type = ELVIS_OPTION_COLUMN,
			    .required = true,
			    .help = "the column that holds the step" },
	[OPTION_STEPS] = { .name = "steps",
			   .type = ELVIS_OPTION_STRINGS,
			   .required = true,
			   .help = "the steps, first to last" },
	{ .name = NULL },
};

struct my_policy {
	const char *column;
	const struct elvis_setting *steps;
};

/* Once for each link and table.  What comes from the settings lives until close. */
static bool
open(const struct elvis_host *host, const struct elvis_settings *settings, void **state)
{
	struct my_policy *mine = malloc(sizeof(*mine));

	if (mine == NULL) {
		host->fail(host, "out of memory");
		return false;
	}
	mine->column = elvis_setting(settings, OPTION_COLUMN)->string;
	mine->steps = elvis_setting(settings, OPTION_STEPS);
	*state = mine;
	return true;
}

/* The number of the step that a version of the row has reached; -1: it is none. */
static int
step_of(const struct my_policy *mine, const struct elvis_value *value)
{
	if (value->state != ELVIS_VALUE_TEXT)
		return -1;
	for (size_t i = 0; i < mine->steps->n_strings; i++)
		if (strcmp(mine->steps->strings[i], value->text) == 0)
			return (int) i;
	return -1;
}

/* May use nothing but what it is handed: it runs on several threads, with rows locked. */
static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	const struct my_policy *mine = state;
	int column = elvis_column_number(conflict->table, mine->column);
	int remote, local, order;

	if (column < 0 || conflict->local == NULL)
		return true;
	remote = step_of(mine, &conflict->remote->values[column]);
	local = step_of(mine, &conflict->local->values[column]);
	if (remote < 0 || local < 0)
		return true;

	order = remote - local;
	if (order == 0)
		order = elvis_row_cmp(conflict->table, conflict->remote->values,
				      conflict->local->values);
	verdict->action = order > 0 ? ELVIS_APPLY_REMOTE : ELVIS_KEEP_LOCAL;
	verdict->reason = order > 0 ? "the incoming row got further" : "the local row got further";
	return true;
}

ELVIS_POLICY("my_policy",
	     .version = "1.0",
	     .summary = "the version that got further stays",
	     .options = options,
	     .kinds = ELVIS_ON(INSERT_EXISTS) | ELVIS_ON(UPDATE_DIFFERS),
	     .needs = ELVIS_NEEDS_LARGE_VALUES,
	     .converges = ELVIS_CONVERGES_TWO_NODES,
	     .open = open,
	     .decide = decide,
	     .close = free);
