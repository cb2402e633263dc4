/* Answers one thing beforehand and says another when asked. */
#include "good.h"

static void
answers(void *state, const struct elvis_table *table, struct elvis_answers *answers)
{
	(void) state;
	(void) table;
	elvis_answer_always(answers, ELVIS_STOP);
}

ELVIS_POLICY("contradicts", GOOD, .answers = answers);
