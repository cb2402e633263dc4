#include "engine/resolver.h"

#include "base/strbuf.h"
#include "unit.h"

/* A policy for the test: what it decides, and what it says beforehand */
struct opinion {
	uint32_t verdict;
	bool fails;
	struct elvis_answer answer;
	uint32_t only;		/* kind; 0: all */
	bool unordered;
	int asked;
};

static bool
decide(void *self, const struct elvis_conflict *conflict, struct elvis_verdict *verdict,
       struct err *err)
{
	struct opinion *opinion = self;

	opinion->asked++;
	if (opinion->fails)
		return err_set(err, ERR_REFUSED, "it does not feel well");
	if (opinion->only == 0 || opinion->only == conflict->kind)
		verdict->action = opinion->verdict;
	return true;
}

static bool
answers(void *self, const struct elvis_table *table, struct elvis_answers *of, struct err *err)
{
	const struct opinion *opinion = self;

	(void) table;
	(void) err;
	for (uint32_t kind = 1; kind < of->count; kind++)
		of->of[kind] = opinion->only == 0 || opinion->only == kind ? opinion->answer :
			(struct elvis_answer){ ELVIS_ANSWER_VERDICT, ELVIS_ABSTAIN, NULL };
	return true;
}

static const struct policy_ops ops = { decide, answers };

static const struct elvis_column id = { .name = "id", .type = "integer", .in_key = true };
static const struct elvis_column *const columns[] = { &id };
static const struct elvis_table table = {
	.version = 1, .schema = "public", .name = "t", .n_columns = 1, .columns = columns,
};

struct case_ {
	struct opinion first, second;
	struct link_policy policies[2];
	const struct link_policy *list[2];
	struct table_rules rules;
	struct arena *arena;
	struct elvis_verdict verdict;
	const char *policy;
};

static void
ask(struct case_ *c, uint32_t kind)
{
	struct elvis_conflict conflict = { .kind = kind, .table = &table };

	c->arena = arena_new();
	c->policies[0] = (struct link_policy){ &ops, &c->first, "first",
					       !c->first.unordered };
	c->policies[1] = (struct link_policy){ &ops, &c->second, "second", true };
	c->list[0] = &c->policies[0];
	c->list[1] = &c->policies[1];
	for (uint32_t k = 1; k < ELVIS_CONFLICT_KIND_END; k++)
		c->rules.chains[k] = (struct chain){ c->list, 2 };
	resolver_ask(&c->rules, &conflict, c->arena, &c->verdict, &c->policy);
}

START_TEST(the_next_is_asked_when_one_abstains)
{
	struct case_ c = { .second = { .verdict = ELVIS_KEEP_LOCAL } };

	ask(&c, ELVIS_UPDATE_DIFFERS);
	ck_assert_int_eq(c.verdict.action, ELVIS_KEEP_LOCAL);
	ck_assert_str_eq(c.policy, "second");
	ck_assert_int_eq(c.first.asked, 1);
	arena_free(c.arena);
}
END_TEST

START_TEST(the_first_word_counts)
{
	struct case_ c = { .first = { .verdict = ELVIS_APPLY_REMOTE },
			   .second = { .verdict = ELVIS_KEEP_LOCAL } };

	ask(&c, ELVIS_UPDATE_DIFFERS);
	ck_assert_int_eq(c.verdict.action, ELVIS_APPLY_REMOTE);
	ck_assert_int_eq(c.second.asked, 0);
	arena_free(c.arena);
}
END_TEST

START_TEST(the_end_of_every_chain_is_strict)
{
	struct case_ c = { .first = { .verdict = ELVIS_ABSTAIN } };

	ask(&c, ELVIS_DELETE_MISSING);
	ck_assert_int_eq(c.verdict.action, ELVIS_STOP);
	ck_assert_str_eq(c.policy, POLICY_STRICT);
	arena_free(c.arena);
}
END_TEST

START_TEST(a_verdict_that_does_not_suit_the_kind_stops_the_link)
{
	struct case_ c = { .first = { .verdict = ELVIS_INSERT_REMOTE },
			   .second = { .verdict = ELVIS_KEEP_LOCAL } };

	ask(&c, ELVIS_DELETE_DIFFERS);
	ck_assert_int_eq(c.verdict.action, ELVIS_STOP);
	ck_assert_str_eq(c.policy, "first");
	ck_assert_int_eq(c.second.asked, 0);
	arena_free(c.arena);
}
END_TEST

START_TEST(a_merge_without_a_row_stops_the_link)
{
	struct case_ c = { .first = { .verdict = ELVIS_MERGE } };

	ask(&c, ELVIS_UPDATE_DIFFERS);
	ck_assert_int_eq(c.verdict.action, ELVIS_STOP);
	arena_free(c.arena);
}
END_TEST

START_TEST(a_policy_that_fails_stops_the_link)
{
	struct case_ c = { .first = { .fails = true },
			   .second = { .verdict = ELVIS_KEEP_LOCAL } };

	ask(&c, ELVIS_UPDATE_DIFFERS);
	ck_assert_int_eq(c.verdict.action, ELVIS_STOP);
	ck_assert_str_eq(c.policy, "first");
	arena_free(c.arena);
}
END_TEST

/* What is pushed down is the answer of who would have been the first to answer. */

static const struct elvis_answer keep = { ELVIS_ANSWER_VERDICT, ELVIS_KEEP_LOCAL, NULL };
static const struct elvis_answer insert = { ELVIS_ANSWER_VERDICT, ELVIS_INSERT_REMOTE, NULL };
static const struct elvis_answer greater = { ELVIS_ANSWER_GREATER_WINS, 0, "id" };
static const struct elvis_answer nowhere = { ELVIS_ANSWER_GREATER_WINS, 0, "gone" };

static const struct elvis_rules *
rules_of(struct case_ *c)
{
	const struct elvis_rules *rules = NULL;
	struct err err = ERR_INIT;

	ask(c, ELVIS_DELETE_MISSING);
	ck_assert(resolver_rules(&c->rules, &table, c->arena, &rules, &err));
	return rules;
}

START_TEST(an_answer_is_pushed_down_only_if_the_first_who_decides_that_kind_gives_one)
{
	struct case_ c = { .first = { .only = ELVIS_UPDATE_DIFFERS },
			   .second = { .answer = keep } };
	const struct elvis_rules *rules = rules_of(&c);

	ck_assert_int_eq(rules->answers[ELVIS_UPDATE_DIFFERS].rule, ELVIS_ANSWER_ASK);
	ck_assert_str_eq(rules->policies[ELVIS_UPDATE_DIFFERS], "first, second, strict");
	ck_assert_int_eq(rules->answers[ELVIS_DELETE_MISSING].verdict, ELVIS_KEEP_LOCAL);
	ck_assert_str_eq(rules->policies[ELVIS_DELETE_MISSING], "second");
	arena_free(c.arena);
}
END_TEST

START_TEST(an_answer_that_cannot_be_carried_out_is_a_question)
{
	struct case_ c = { .first = { .answer = insert }, .second = { .answer = keep } };
	const struct elvis_rules *rules = rules_of(&c);

	ck_assert_int_eq(rules->answers[ELVIS_DELETE_DIFFERS].rule, ELVIS_ANSWER_ASK);
	ck_assert_int_eq(rules->answers[ELVIS_UPDATE_MISSING].rule, ELVIS_ANSWER_VERDICT);
	arena_free(c.arena);

	c = (struct case_){ .first = { .answer = nowhere } };
	rules = rules_of(&c);
	ck_assert_int_eq(rules->answers[ELVIS_UPDATE_DIFFERS].rule, ELVIS_ANSWER_ASK);
	arena_free(c.arena);
}
END_TEST

START_TEST(a_chain_where_nobody_decides_is_known_to_stop)
{
	struct case_ c = { .first = { .only = ELVIS_UPDATE_DIFFERS },
			   .second = { .only = ELVIS_UPDATE_DIFFERS } };
	const struct elvis_rules *rules = rules_of(&c);

	ck_assert_int_eq(rules->answers[ELVIS_INSERT_EXISTS].rule, ELVIS_ANSWER_VERDICT);
	ck_assert_int_eq(rules->answers[ELVIS_INSERT_EXISTS].verdict, ELVIS_STOP);
	ck_assert_str_eq(rules->policies[ELVIS_INSERT_EXISTS], POLICY_STRICT);
	arena_free(c.arena);
}
END_TEST

START_TEST(an_ordered_policy_is_put_to_every_change)
{
	struct case_ c = { .first = { .answer = greater } };

	ck_assert_int_eq(rules_of(&c)->detect, ELVIS_DETECT_ORDER);
	arena_free(c.arena);

	c = (struct case_){ .first = { .answer = keep } };
	ck_assert_int_eq(rules_of(&c)->detect, ELVIS_DETECT_BEFORE_IMAGE);
	arena_free(c.arena);
}
END_TEST

START_TEST(an_ordered_policy_may_stand_behind_one_that_decides_other_kinds)
{
	struct case_ c = { .first = { .answer = keep, .only = ELVIS_DELETE_DIFFERS,
				      .unordered = true },
			   .second = { .answer = greater } };

	ck_assert_int_eq(rules_of(&c)->detect, ELVIS_DETECT_ORDER);
	arena_free(c.arena);

	/* one that wants to see the rows comes first: nobody is put to every change */
	c = (struct case_){ .first = { .answer = { .rule = ELVIS_ANSWER_ASK } },
			    .second = { .answer = greater } };
	ck_assert_int_eq(rules_of(&c)->detect, ELVIS_DETECT_BEFORE_IMAGE);
	arena_free(c.arena);
}
END_TEST

START_TEST(a_gap_is_passed_only_if_the_table_says_so)
{
	struct case_ c = { .rules = { .gap_stops = true }, .first = { .answer = keep } };

	ck_assert_int_eq(rules_of(&c)->answers[ELVIS_GAP].verdict, ELVIS_STOP);
	arena_free(c.arena);
	c = (struct case_){ .first = { .answer = keep } };
	ck_assert_int_eq(rules_of(&c)->answers[ELVIS_GAP].verdict, ELVIS_KEEP_LOCAL);
	arena_free(c.arena);
}
END_TEST

UNIT_MAIN("resolver",
	  the_next_is_asked_when_one_abstains,
	  the_first_word_counts,
	  the_end_of_every_chain_is_strict,
	  a_verdict_that_does_not_suit_the_kind_stops_the_link,
	  a_merge_without_a_row_stops_the_link,
	  a_policy_that_fails_stops_the_link,
	  an_answer_is_pushed_down_only_if_the_first_who_decides_that_kind_gives_one,
	  an_answer_that_cannot_be_carried_out_is_a_question,
	  a_chain_where_nobody_decides_is_known_to_stop,
	  an_ordered_policy_is_put_to_every_change,
	  an_ordered_policy_may_stand_behind_one_that_decides_other_kinds,
	  a_gap_is_passed_only_if_the_table_says_so)
