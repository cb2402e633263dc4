/*
 * skip: a change that does not fit is left out, whatever does not fit about it, and
 * recorded in elvis.resolution.
 *
 * The record is all that is left of the change, so that the target differs from the
 * source from then on, also where only one node writes.  For targets that are allowed
 * to: a copy that is looked at, an archive whose rows are never changed.
 */
#include <elvis/policy.h>

/* Of a policy that has failed nothing is known, not even that the rest may be skipped. */
static uint32_t
verdict_on(uint32_t kind)
{
	return kind == ELVIS_POLICY_ERROR ? ELVIS_STOP : ELVIS_KEEP_LOCAL;
}

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	(void) state;
	verdict->action = verdict_on(conflict->kind);
	return true;
}

static void
answers(void *state, const struct elvis_table *table, struct elvis_answers *answers)
{
	(void) state;
	(void) table;
	for (uint32_t kind = 1; kind < answers->count; kind++) {
		struct elvis_answer answer = { .rule = ELVIS_ANSWER_VERDICT,
					       .verdict = verdict_on(kind) };

		elvis_answer_set(answers, kind, answer);
	}
}

ELVIS_POLICY("skip",
	     .version = "1.0",
	     .summary = "the change is left out and recorded, whatever the conflict",
	     .converges = ELVIS_CONVERGES_ONE_WAY,
	     .decide = decide,
	     .answers = answers);
