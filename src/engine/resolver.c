/*
 * resolver.c - asking one after the other.
 */
#include "engine/resolver.h"

#include <string.h>

#include "base/strbuf.h"
#include "model/verdict.h"

static void
stop(struct elvis_verdict *verdict, const char *reason)
{
	*verdict = (struct elvis_verdict){ .action = ELVIS_STOP, .reason = reason };
}

/* One policy's word.  False: it has abstained. */
static bool
ask_one(const struct link_policy *policy, const struct elvis_conflict *conflict,
	struct arena *arena, struct elvis_verdict *verdict)
{
	char list[VERDICT_LIST_SIZE];
	struct err err = ERR_INIT;

	*verdict = (struct elvis_verdict){ .action = ELVIS_ABSTAIN };
	if (!policy->ops->decide(policy->self, conflict, verdict, &err)) {
		stop(verdict, arena_printf(arena, "policy_error: %s", err.text));
		return true;
	}
	if (!verdict_suits(verdict->action, conflict->kind))
		stop(verdict, arena_printf(arena, "policy_error: %s is no answer to %s, %s is",
					   verdict_name(verdict->action),
					   kind_name(conflict->kind),
					   verdict_list(list, conflict->kind)));
	else if (verdict->action == ELVIS_MERGE && verdict->row == NULL)
		stop(verdict, "policy_error: merge without a row");
	return verdict->action != ELVIS_ABSTAIN;
}

void
resolver_ask(const struct table_rules *table_rules, const struct elvis_conflict *conflict,
	     struct arena *arena, struct elvis_verdict *verdict, const char **policy)
{
	static const struct chain none;
	const struct chain *chain = conflict->kind < ELVIS_CONFLICT_KIND_END ?
		&table_rules->chains[conflict->kind] : &none;

	for (size_t i = 0; i < chain->n; i++) {
		*policy = chain->policies[i]->name;
		if (ask_one(chain->policies[i], conflict, arena, verdict))
			return;
	}
	*policy = POLICY_STRICT;
	stop(verdict, kind_text(conflict->kind));
}

/* "merge_columns, last_writer_wins, strict" */
static const char *
chain_name(const struct chain *chain, struct arena *arena)
{
	AUTO_STRBUF struct strbuf name;

	strbuf_init(&name, 4096);
	for (size_t i = 0; i < chain->n; i++)
		strbuf_printf(&name, "%s, ", chain->policies[i]->name);
	if (chain->n == 0 || strcmp(chain->policies[chain->n - 1]->name, POLICY_STRICT) != 0)
		strbuf_puts(&name, POLICY_STRICT);
	else
		name.data[name.length - 2] = '\0';
	return arena_strdup(arena, name.data);
}

static bool
answer_usable(const struct elvis_answer *answer, const struct elvis_table *table, uint32_t kind)
{
	switch ((enum elvis_answer_rule) answer->rule) {
	case ELVIS_ANSWER_ASK:
		return false;
	case ELVIS_ANSWER_VERDICT:
		return verdict_suits(answer->verdict, kind);
	case ELVIS_ANSWER_GREATER_WINS:
		return answer->column != NULL && elvis_column_number(table, answer->column) >= 0;
	}
	return false;
}

/* Of one chain and kind: the answer, and whose it is.  ASK with the whole chain's name when it
 * takes a question to know. */
static bool
combine(const struct chain *chain, const struct elvis_table *table, uint32_t kind,
	struct arena *arena, struct elvis_answer *answer, const char **policy, struct err *err)
{
	for (size_t i = 0; i < chain->n; i++) {
		const struct link_policy *asked = chain->policies[i];
		struct elvis_answer of[ELVIS_CONFLICT_KIND_END] = { { .rule = ELVIS_ANSWER_ASK } };
		struct elvis_answers answers = { .count = ELVIS_CONFLICT_KIND_END, .of = of };

		if (!asked->ops->answers(asked->self, table, &answers, err))
			return err_wrap(err, "policy %s", asked->name);
		if (of[kind].rule == ELVIS_ANSWER_VERDICT && of[kind].verdict == ELVIS_ABSTAIN)
			continue;
		if (!answer_usable(&of[kind], table, kind)) {
			*answer = (struct elvis_answer){ .rule = ELVIS_ANSWER_ASK };
			*policy = chain_name(chain, arena);
			return true;
		}
		*answer = of[kind];
		if (answer->column != NULL)
			answer->column = arena_strdup(arena, answer->column);
		*policy = arena_strdup(arena, asked->name);
		return true;
	}
	*answer = (struct elvis_answer){ .rule = ELVIS_ANSWER_VERDICT, .verdict = ELVIS_STOP };
	*policy = POLICY_STRICT;
	return true;
}

/* An ordered policy that is the first to decide updates is put to every change. */
static bool
is_ordered(const struct chain *chain, const struct elvis_answer *answer, const char *policy)
{
	if (answer->rule != ELVIS_ANSWER_GREATER_WINS)
		return false;
	for (size_t i = 0; i < chain->n; i++)
		if (strcmp(chain->policies[i]->name, policy) == 0)
			return chain->policies[i]->ordered;
	return false;
}

bool
resolver_rules(const struct table_rules *table_rules, const struct elvis_table *table,
	       struct arena *arena, const struct elvis_rules **made, struct err *err)
{
	struct elvis_rules *rules = arena_zalloc(arena, sizeof(*rules));
	struct elvis_answer *answers =
		arena_zalloc(arena, ELVIS_CONFLICT_KIND_END * sizeof(*answers));
	const char **policies = arena_zalloc(arena, ELVIS_CONFLICT_KIND_END * sizeof(*policies));

	for (uint32_t kind = 1; kind < ELVIS_CONFLICT_KIND_END; kind++)
		if (kind != ELVIS_GAP &&
		    !combine(&table_rules->chains[kind], table, kind, arena, &answers[kind],
			     &policies[kind], err))
			return false;
	/* no policy knows what a gap holds: the table's rule says whether it is passed */
	answers[ELVIS_GAP] = (struct elvis_answer){
		.rule = ELVIS_ANSWER_VERDICT,
		.verdict = table_rules->gap_stops ? ELVIS_STOP : ELVIS_KEEP_LOCAL,
	};
	policies[ELVIS_GAP] = POLICY_STRICT;
	rules->detect = table_rules->detect;
	if (is_ordered(&table_rules->chains[ELVIS_UPDATE_DIFFERS],
		       &answers[ELVIS_UPDATE_DIFFERS], policies[ELVIS_UPDATE_DIFFERS]))
		rules->detect = ELVIS_DETECT_ORDER;
	rules->n_ignored = table_rules->n_ignored;
	rules->ignored = table_rules->ignored;
	rules->n_answers = ELVIS_CONFLICT_KIND_END;
	rules->answers = answers;
	rules->policies = policies;
	*made = rules;
	return true;
}
