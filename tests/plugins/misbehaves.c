/*
 * Keeps the form and breaks promises, each when told to: for what can only be seen when a
 * policy is at work.
 */
#include <stdlib.h>

#include <elvis/policy.h>

enum { OPTION_HOW };

static const char *const ways[] = {
	"refuse", "fail", "fail_silently", "nonsense", "unsuitable", "merge_nothing",
	"merge_open", "merge_absent", "insert_partly", "answer_nonsense", "answer_merge",
	"answer_unknown_column", "never_return", "crash", NULL,
};

static const struct elvis_option options[] = {
	[OPTION_HOW] = { .name = "how", .type = ELVIS_OPTION_STRING, .required = true,
			 .choices = ways, .help = "which promise to break" },
	{ .name = NULL },
};

struct state {
	const struct elvis_host *host;
	const char *how;
};

static bool
told(const struct state *state, const char *how)
{
	return strcmp(state->how, how) == 0;
}

static bool
open(const struct elvis_host *host, const struct elvis_settings *settings, void **made)
{
	struct state *state = malloc(sizeof(*state));

	if (state == NULL)
		return false;
	state->host = host;
	state->how = elvis_setting(settings, OPTION_HOW)->string;
	if (told(state, "refuse")) {
		host->fail(host, "%s of it", "I want none");
		free(state);
		return false;
	}
	*made = state;
	return true;
}

static const struct elvis_value *
merged_row(const struct state *state, const struct elvis_conflict *conflict)
{
	static const char unterminated[3] = { 'a', 'b', 'c' };
	struct elvis_value *row = state->host->alloc(
		state->host, sizeof(*row) * conflict->table->n_columns);

	if (told(state, "merge_nothing"))
		return NULL;
	if (told(state, "merge_open"))
		row[1] = (struct elvis_value){ .state = ELVIS_VALUE_TEXT, .length = 2,
					       .text = unterminated };
	if (told(state, "merge_absent"))
		row[1] = (struct elvis_value){ .state = ELVIS_VALUE_NOT_CAPTURED };
	return row;
}

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	const struct state *mine = state;

	if (told(mine, "fail"))
		mine->host->fail(mine->host, "no verdict for row %d", 7);
	if (told(mine, "fail") || told(mine, "fail_silently"))
		return false;
	if (told(mine, "never_return"))
		for (;;)
			__asm__ volatile("");
	if (told(mine, "crash"))
		__builtin_trap();
	if (told(mine, "nonsense"))
		verdict->action = 4711;
	else if (told(mine, "unsuitable"))
		verdict->action = ELVIS_INSERT_REMOTE;
	else if (told(mine, "insert_partly"))
		verdict->action = ELVIS_INSERT_REMOTE;
	else
		verdict->action = ELVIS_MERGE;
	verdict->row = merged_row(mine, conflict);
	return true;
}

static void
answers(void *state, const struct elvis_table *table, struct elvis_answers *answers)
{
	const struct state *mine = state;
	struct elvis_answer answer = { .rule = ELVIS_ANSWER_ASK };

	(void) table;
	if (told(mine, "answer_nonsense"))
		answer.rule = 99;
	if (told(mine, "answer_merge"))
		answer = (struct elvis_answer){ .rule = ELVIS_ANSWER_VERDICT,
						.verdict = ELVIS_MERGE };
	if (told(mine, "answer_unknown_column"))
		answer = (struct elvis_answer){ .rule = ELVIS_ANSWER_GREATER_WINS,
						.column = "nowhere" };
	elvis_answer_set(answers, ELVIS_UPDATE_DIFFERS, answer);
}

ELVIS_POLICY("misbehaves", .version = "1", .summary = "breaks one promise", .options = options,
	     .open = open, .decide = decide, .close = free, .answers = answers);
