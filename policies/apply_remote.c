/*
 * apply_remote: the target becomes what the source says, as far as one row can.
 *
 * One way: two nodes that both write would swap their rows, each taking the other's.
 */
#include <stdlib.h>

#include <elvis/policy.h>

enum { OPTION_REPLACE };

static const struct elvis_option options[] = {
	[OPTION_REPLACE] = { .name = "replace",
			     .type = ELVIS_OPTION_BOOL,
			     .fallback = "false",
			     .help = "delete rows in the way on other unique keys" },
	{ .name = NULL },
};

/* What a constraint or a type refuses is not made right by wanting it. */
#define KINDS \
	(ELVIS_ON(INSERT_EXISTS) | ELVIS_ON(UPDATE_EXISTS) | \
	 ELVIS_ON(MULTIPLE_UNIQUE_CONFLICTS) | ELVIS_ON(UPDATE_MISSING) | \
	 ELVIS_ON(UPDATE_DIFFERS) | ELVIS_ON(DELETE_MISSING) | ELVIS_ON(DELETE_DIFFERS))

struct state {
	bool replace;
};

static bool
open(const struct elvis_host *host, const struct elvis_settings *settings, void **made)
{
	struct state *state = malloc(sizeof(*state));

	if (state == NULL) {
		host->fail(host, "out of memory");
		return false;
	}
	state->replace = elvis_setting(settings, OPTION_REPLACE)->boolean;
	*made = state;
	return true;
}

/* An UPDATE of a missing row has all of it, unless a large value was not captured. */
static bool
is_whole(const struct elvis_conflict *conflict)
{
	for (size_t i = 0; i < conflict->table->n_columns; i++)
		if (conflict->remote->values[i].state == ELVIS_VALUE_NOT_CAPTURED)
			return false;
	return true;
}

static uint32_t
verdict_on_blockers(const struct state *state)
{
	return state->replace ? ELVIS_REPLACE_BLOCKERS : ELVIS_ABSTAIN;
}

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	switch (conflict->kind) {
	case ELVIS_INSERT_EXISTS:
	case ELVIS_UPDATE_DIFFERS:
	case ELVIS_DELETE_DIFFERS:
		verdict->action = ELVIS_APPLY_REMOTE;
		break;
	case ELVIS_DELETE_MISSING:
		/* no row is what the source wants */
		verdict->action = ELVIS_KEEP_LOCAL;
		break;
	case ELVIS_UPDATE_MISSING:
		if (is_whole(conflict))
			verdict->action = ELVIS_INSERT_REMOTE;
		break;
	case ELVIS_UPDATE_EXISTS:
	case ELVIS_MULTIPLE_UNIQUE_CONFLICTS:
		verdict->action = verdict_on_blockers(state);
		break;
	}
	return true;
}

/* Whether a row is whole shows only when it is here: update_missing is asked about. */
static void
answers(void *state, const struct elvis_table *table, struct elvis_answers *answers)
{
	const struct elvis_answer apply = { .rule = ELVIS_ANSWER_VERDICT,
					    .verdict = ELVIS_APPLY_REMOTE };
	const struct elvis_answer keep = { .rule = ELVIS_ANSWER_VERDICT,
					   .verdict = ELVIS_KEEP_LOCAL };
	const struct elvis_answer blockers = { .rule = ELVIS_ANSWER_VERDICT,
					       .verdict = verdict_on_blockers(state) };

	(void) table;
	elvis_answer_set(answers, ELVIS_INSERT_EXISTS, apply);
	elvis_answer_set(answers, ELVIS_UPDATE_DIFFERS, apply);
	elvis_answer_set(answers, ELVIS_DELETE_DIFFERS, apply);
	elvis_answer_set(answers, ELVIS_DELETE_MISSING, keep);
	elvis_answer_set(answers, ELVIS_UPDATE_EXISTS, blockers);
	elvis_answer_set(answers, ELVIS_MULTIPLE_UNIQUE_CONFLICTS, blockers);
}

ELVIS_POLICY("apply_remote",
	     .version = "1.0",
	     .summary = "the incoming change is made, over what is here",
	     .options = options,
	     .kinds = KINDS,
	     .converges = ELVIS_CONVERGES_ONE_WAY,
	     .open = open,
	     .decide = decide,
	     .close = free,
	     .answers = answers);
