/*
 * keep_local: where the change meets a row that is here, that row stays.
 *
 * Unlike skip it says nothing where no row is met: a row that should be here and is
 * not, or a value that a constraint refuses, is for the next policy of the chain.
 *
 * Each of two nodes that both write keeps its own row, so they end different: one way.
 */
#include <elvis/policy.h>

#define KINDS \
	(ELVIS_ON(INSERT_EXISTS) | ELVIS_ON(UPDATE_EXISTS) | \
	 ELVIS_ON(MULTIPLE_UNIQUE_CONFLICTS) | ELVIS_ON(UPDATE_DIFFERS) | \
	 ELVIS_ON(DELETE_DIFFERS))

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	(void) state;
	(void) conflict;
	verdict->action = ELVIS_KEEP_LOCAL;
	return true;
}

static void
answers(void *state, const struct elvis_table *table, struct elvis_answers *answers)
{
	(void) state;
	(void) table;
	elvis_answer_always(answers, ELVIS_KEEP_LOCAL);
}

ELVIS_POLICY("keep_local",
	     .version = "1.0",
	     .summary = "a local row that is met stays as it is",
	     .kinds = KINDS,
	     .converges = ELVIS_CONVERGES_ONE_WAY,
	     .decide = decide,
	     .answers = answers);
