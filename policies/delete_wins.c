/*
 * delete_wins: a row that was deleted on one node and changed on another ends deleted
 * on both.
 *
 * Between two nodes this converges as long as the key of a deleted row is not used
 * again: the node that deleted leaves the other's change out, the other deletes in
 * spite of its change.  With a third node a change may come before the insert it builds
 * on, from another origin, and would be taken for a change of a deleted row; so two
 * nodes and no more.
 *
 * To be put behind a policy for changes against changes:
 *	policy = ({ use = "last_writer_wins"; column = "changed_at"; }, "delete_wins");
 */
#include <elvis/policy.h>

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	(void) state;
	verdict->action = conflict->kind == ELVIS_DELETE_DIFFERS ? ELVIS_APPLY_REMOTE :
								   ELVIS_KEEP_LOCAL;
	return true;
}

static void
answers(void *state, const struct elvis_table *table, struct elvis_answers *answers)
{
	(void) state;
	(void) table;
	elvis_answer_always(answers, ELVIS_KEEP_LOCAL);
	elvis_answer_set(answers, ELVIS_DELETE_DIFFERS,
			 (struct elvis_answer){ .rule = ELVIS_ANSWER_VERDICT,
						.verdict = ELVIS_APPLY_REMOTE });
}

ELVIS_POLICY("delete_wins",
	     .version = "1.0",
	     .summary = "a row deleted on one node and changed on another ends deleted",
	     .kinds = ELVIS_ON(UPDATE_MISSING) | ELVIS_ON(DELETE_MISSING) |
		      ELVIS_ON(DELETE_DIFFERS),
	     .converges = ELVIS_CONVERGES_TWO_NODES,
	     .decide = decide,
	     .answers = answers);
