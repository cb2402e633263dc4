/*
 * strict: every conflict stops the link, and an operator decides.
 *
 * The end of every chain, said or not.  It writes nothing that the nodes could differ
 * in, so it is safe in any topology: what has not been decided alike everywhere is not
 * decided.  Alone it is no way to let two nodes write, since it settles nothing: elvisctl
 * check asks for another policy then.
 */
#include <elvis/policy.h>

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	(void) state;
	(void) conflict;
	verdict->action = ELVIS_STOP;
	return true;
}

static void
answers(void *state, const struct elvis_table *table, struct elvis_answers *answers)
{
	(void) state;
	(void) table;
	elvis_answer_always(answers, ELVIS_STOP);
}

ELVIS_POLICY("strict",
	     .version = "1.0",
	     .summary = "every conflict stops the link",
	     .converges = ELVIS_CONVERGES_ALWAYS,
	     .decide = decide,
	     .answers = answers);
