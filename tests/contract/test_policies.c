/*
 * Every policy that was built, held to the interface's promises, and the check itself to
 * finding what is wrong.
 */
#include "modules.h"

#include <pthread.h>

#include "model/verdict.h"
#include "plugin/contract.h"
#include "plugin/policy.h"
#include "plugin/sample.h"

static const struct setting_list no_settings = { .count = 0 };

static const struct plugin *
find(struct plugin_set *set, const char *name)
{
	struct err err = ERR_INIT;
	const struct plugin *plugin;

	ck_assert_msg(plugin_set_find(set, ELVIS_PLUGIN_POLICY, name, &plugin, &err), "%s",
		      err.text);
	return plugin;
}

/* Calls with each policy that was built, loaded. */
static void (*policy_visit)(const struct plugin *);
static struct plugin_set *shipped;

static void
visit_shipped(const char *place, const char *name)
{
	module_copy(place, name);
	policy_visit(find(shipped, name));
}

static void
each_shipped(void (*visit)(const struct plugin *))
{
	modules_setup();
	shipped = modules_set();
	policy_visit = visit;
	ck_assert_uint_ge(modules_each("ELVIS_POLICIES", visit_shipped), 5);
	plugin_set_free(shipped);
	modules_teardown();
}

static void
demand(void *context, bool kept, const char *promise, const char *detail)
{
	ck_assert_msg(kept, "%s: %s: %s", (const char *) context, promise, detail);
}

static void
demand_all(const struct plugin *plugin)
{
	char *name = (char *) (uintptr_t) plugin_name(plugin);

	ck_assert(contract_check(plugin, &no_settings, demand, name));
}

START_TEST(every_shipped_policy_keeps_every_promise)
{
	each_shipped(demand_all);
}
END_TEST

/* Two threads --------------------------------------------------------------------- */

struct thinker {
	const struct plugin *plugin;
	struct setting_list settings;
	uint32_t said[64];
};

static void *
think(void *context)
{
	struct thinker *thinker = context;
	struct arena *arena = arena_new();
	struct samples samples = samples_make(arena);
	struct err err = ERR_INIT;
	struct policy *policy;

	if (!policy_open(&policy, thinker->plugin, &thinker->settings, "here_there",
			 samples.table, NULL, &err))
		return context;
	for (int round = 0; round < 200; round++) {
		for (size_t i = 0; i < samples.n; i++) {
			struct elvis_verdict verdict;

			if (!policy_decide(policy, samples.of[i].conflict, &verdict, &err))
				return context;
			thinker->said[i] = verdict.action;
		}
	}
	policy_close(policy);
	arena_free(arena);
	return NULL;
}

static void
think_in_two_threads(const struct plugin *plugin)
{
	struct arena *arena = arena_new();
	struct thinker alone = { .plugin = plugin,
				 .settings = contract_settings(plugin, &no_settings, arena) };
	struct thinker both[2] = { alone, alone };
	pthread_t threads[2];

	ck_assert_ptr_null(think(&alone));
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, think, &both[i]), 0);
	for (int i = 0; i < 2; i++) {
		void *failed;

		pthread_join(threads[i], &failed);
		ck_assert_ptr_null(failed);
		ck_assert_mem_eq(both[i].said, alone.said, sizeof(alone.said));
	}
	arena_free(arena);
}

START_TEST(instances_in_two_threads_do_not_meet)
{
	each_shipped(think_in_two_threads);
}
END_TEST

/* What it says of itself ------------------------------------------------------------- */

static void
demand_help(const struct plugin *plugin)
{
	ck_assert_uint_gt(strlen(plugin_summary(plugin)), 10);
	ck_assert_uint_gt(strlen(plugin_version(plugin)), 0);
	for (const struct elvis_option *option = plugin_options(plugin); option->name; option++)
		ck_assert_uint_gt(strlen(option->help), 10);
}

START_TEST(every_option_says_what_it_does)
{
	each_shipped(demand_help);
}
END_TEST

START_TEST(every_kind_has_a_sample)
{
	AUTO_ARENA struct arena *arena = arena_new();
	struct samples samples = samples_make(arena);
	bool seen[ELVIS_CONFLICT_KIND_END] = { false };

	for (size_t i = 0; i < samples.n; i++)
		seen[samples.of[i].conflict->kind] = true;
	for (uint32_t kind = 1; kind < ELVIS_CONFLICT_KIND_END; kind++)
		ck_assert_msg(seen[kind], "kind %u has none", kind);
}
END_TEST

/* Is this, lines and all, in elvis-policy(3)? */
static bool
in_manual(const char *wanted)
{
	char path[1024], *page;
	size_t length;
	FILE *file;
	bool found;

	snprintf(path, sizeof(path), "%s/docs/elvis-policy.3", getenv("ELVIS_SRCDIR"));
	file = fopen(path, "r");
	ck_assert_msg(file != NULL, "%s", path);
	page = calloc(1, 65536);
	length = fread(page, 1, 65535, file);
	fclose(file);
	found = length > 0 && strstr(page, wanted) != NULL;
	free(page);
	return found;
}

START_TEST(the_manual_has_every_kind_and_verdict)
{
	char list[VERDICT_LIST_SIZE], wanted[512];

	for (uint32_t kind = 1; kind < ELVIS_CONFLICT_KIND_END; kind++) {
		snprintf(wanted, sizeof(wanted), "\n.B %s\n%s.\nVerdicts: %s.\n", kind_name(kind),
			 kind_text(kind), verdict_list(list, kind));
		ck_assert_msg(in_manual(wanted), "not there:%s", wanted);
	}
	for (uint32_t action = 0; action < ELVIS_VERDICT_END; action++) {
		snprintf(wanted, sizeof(wanted), "\n.TP\n.B %s\n", verdict_name(action));
		ck_assert_msg(in_manual(wanted), "not there:%s", wanted);
	}
}
END_TEST

/* The check itself ----------------------------------------------------------------- */

struct findings {
	const char *promise;
	bool broken;
};

static void
find_broken(void *context, bool kept, const char *promise, const char *detail)
{
	struct findings *findings = context;

	if (strcmp(promise, findings->promise) == 0) {
		findings->broken = !kept;
		ck_assert_msg(kept == (detail[0] == '\0'), "%s: %s", promise, detail);
	}
}

static void
is_found(const char *name, const char *promise)
{
	struct findings findings = { .promise = promise };
	struct plugin_set *set;

	modules_setup();
	module_copy("tests/plugins", name);
	set = modules_set();
	ck_assert(!contract_check(find(set, name), &no_settings, find_broken, &findings));
	ck_assert_msg(findings.broken, "%s passes: %s", name, promise);
	plugin_set_free(set);
	modules_teardown();
}

START_TEST(what_is_broken_is_found)
{
	is_found("misbehaves", "opens, more than once at a time");
	is_found("counts", "says the same of the same conflict");
	is_found("hoards", "keeps nothing of a conflict");
	is_found("contradicts", "says when asked what it answered beforehand");
	is_found("biased", "lets the same row survive on both nodes");
}
END_TEST

/* What is checked of every verdict --------------------------------------------------- */

static struct samples samples;
static struct err err;

static struct policy *
misbehave(struct plugin_set *set, const char *how)
{
	struct setting item = { .name = "how", .type = SETTING_STRING, .string = how,
				.file = "elvis.conf", .line = 3 };
	const struct setting_list settings = { .items = &item, .count = 1 };
	struct policy *policy = NULL;

	err = (struct err) ERR_INIT;
	(void) !policy_open(&policy, find(set, "misbehaves"), &settings, "here_there",
			    samples.table, NULL, &err);
	return policy;
}

static const struct elvis_conflict *
sample_of(enum elvis_conflict_kind kind, bool last)
{
	const struct elvis_conflict *found = NULL;

	for (size_t i = 0; i < samples.n; i++)
		if (samples.of[i].conflict->kind == kind && (found == NULL || last))
			found = samples.of[i].conflict;
	return found;
}

static void
is_stopped(struct plugin_set *set, const char *how, const struct elvis_conflict *conflict,
	   const char *sentence)
{
	struct policy *policy = misbehave(set, how);
	struct elvis_verdict verdict;

	ck_assert_ptr_nonnull(policy);
	ck_assert_msg(!policy_decide(policy, conflict, &verdict, &err), "%s passes", how);
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_msg(strstr(err.text, sentence) != NULL, "%s: %s", how, err.text);
	policy_close(policy);
}

static void
is_refused_answer(struct plugin_set *set, const char *how, const char *sentence)
{
	struct elvis_answer of[ELVIS_CONFLICT_KIND_END];
	struct elvis_answers answers = { .count = ELVIS_CONFLICT_KIND_END, .of = of };
	struct policy *policy = misbehave(set, how);

	ck_assert(!policy_answers(policy, samples.table, &answers, &err));
	ck_assert_msg(strstr(err.text, sentence) != NULL, "%s: %s", how, err.text);
	policy_close(policy);
}

START_TEST(a_verdict_that_cannot_be_carried_out_is_a_policy_error)
{
	AUTO_ARENA struct arena *arena = arena_new();
	const struct elvis_conflict *differs, *partly;
	struct plugin_set *set;

	modules_setup();
	module_copy("tests/plugins", "misbehaves");
	set = modules_set();
	samples = samples_make(arena);
	differs = sample_of(ELVIS_UPDATE_DIFFERS, false);
	partly = sample_of(ELVIS_UPDATE_MISSING, true);

	is_stopped(set, "fail", differs, "failed: no verdict for row 7");
	is_stopped(set, "fail_silently", differs, "failed: it did not say why");
	is_stopped(set, "nonsense", differs, "(4711); wanted");
	is_stopped(set, "unsuitable", differs, "said insert_remote (4); wanted");
	is_stopped(set, "merge_nothing", differs, "without a row");
	is_stopped(set, "merge_open", differs, "column \"title\" has no writable value");
	is_stopped(set, "merge_absent", differs, "column \"title\" has no writable value");
	is_stopped(set, "insert_partly", partly, "\"document\" was not captured");
	is_refused_answer(set, "answer_nonsense", "by rule 99");
	is_refused_answer(set, "answer_merge", "only decide() can merge");
	is_refused_answer(set, "answer_unknown_column", "wanted a column of public.sample");

	ck_assert_ptr_null(misbehave(set, "refuse"));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "I want none of it"));
	ck_assert_ptr_null(misbehave(set, "politely"));
	ck_assert_int_eq(err.class, ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.text, "elvis.conf:3"));
	plugin_set_free(set);
	modules_teardown();
}
END_TEST

START_TEST(a_kind_that_is_not_decided_is_not_asked_about)
{
	AUTO_ARENA struct arena *arena = arena_new();
	struct elvis_answer of[ELVIS_CONFLICT_KIND_END];
	struct elvis_answers answers = { .count = ELVIS_CONFLICT_KIND_END, .of = of };
	struct elvis_verdict verdict = { .action = ELVIS_STOP };
	struct plugin_set *set;
	struct policy *policy;

	modules_setup();
	module_copy("policies", "delete_wins");
	set = modules_set();
	samples = samples_make(arena);
	ck_assert(policy_open(&policy, find(set, "delete_wins"), &no_settings, "here_there", NULL,
			      NULL, &err));

	ck_assert(policy_decide(policy, sample_of(ELVIS_INSERT_EXISTS, false), &verdict, &err));
	ck_assert_uint_eq(verdict.action, ELVIS_ABSTAIN);
	ck_assert(policy_answers(policy, samples.table, &answers, &err));
	ck_assert_uint_eq(of[ELVIS_INSERT_EXISTS].rule, ELVIS_ANSWER_VERDICT);
	ck_assert_uint_eq(of[ELVIS_INSERT_EXISTS].verdict, ELVIS_ABSTAIN);
	ck_assert_uint_eq(of[ELVIS_DELETE_DIFFERS].verdict, ELVIS_APPLY_REMOTE);
	policy_close(policy);
	plugin_set_free(set);
	modules_teardown();
}
END_TEST

/* What single policies make of the samples ------------------------------------------------- */

/* The merged value of a column; NULL: it merges nothing there. */
static const char *
merged(const char *name, const char *sample, const char *column)
{
	AUTO_ARENA struct arena *arena = arena_new();
	static char text[64];
	struct elvis_verdict verdict;
	struct setting_list settings;
	struct plugin_set *set;
	struct policy *policy;
	bool seen = false;
	int i;

	modules_setup();
	module_copy("policies", name);
	set = modules_set();
	samples = samples_make(arena);
	settings = contract_settings(find(set, name), &no_settings, arena);
	i = elvis_column_number(samples.table, column);
	text[0] = '\0';

	ck_assert(policy_open(&policy, find(set, name), &settings, "here_there", samples.table,
			      NULL, &err));
	for (size_t n = 0; n < samples.n; n++) {
		if (strcmp(samples.of[n].name, sample) != 0)
			continue;
		seen = true;
		ck_assert(policy_decide(policy, samples.of[n].conflict, &verdict, &err));
		if (verdict.action == ELVIS_MERGE && verdict.row[i].state == ELVIS_VALUE_TEXT)
			snprintf(text, sizeof(text), "%s", verdict.row[i].text);
	}
	ck_assert_msg(seen, "no sample: %s", sample);
	policy_close(policy);
	plugin_set_free(set);
	modules_teardown();
	return text[0] != '\0' ? text : NULL;
}

START_TEST(counters_add_up)
{
	/* from 10.00 one side has added 2.50, the other taken 0.25 */
	ck_assert_pstr_eq(merged("delta", "update_differs, both have counted", "amount"), "12.25");
	ck_assert_pstr_eq(merged("delta", "update_differs, they have changed different columns",
				 "amount"), "12.50");
	/* what does not count collides, so the whole row is somebody else's to decide */
	ck_assert_ptr_null(merged("delta", "update_differs, the incoming row is later", "amount"));
}
END_TEST

START_TEST(columns_come_from_whoever_changed_them)
{
	ck_assert_pstr_eq(merged("merge_columns",
				 "update_differs, they have changed different columns", "amount"),
			  "12.50");
	ck_assert_ptr_null(merged("merge_columns",
				  "update_differs, they have changed different columns", "title"));
	ck_assert_ptr_null(merged("merge_columns", "update_differs, both have counted", "amount"));
}
END_TEST

UNIT_MAIN("policies",
	  every_shipped_policy_keeps_every_promise,
	  instances_in_two_threads_do_not_meet,
	  every_option_says_what_it_does,
	  every_kind_has_a_sample,
	  the_manual_has_every_kind_and_verdict,
	  what_is_broken_is_found,
	  a_verdict_that_cannot_be_carried_out_is_a_policy_error,
	  a_kind_that_is_not_decided_is_not_asked_about,
	  counters_add_up,
	  columns_come_from_whoever_changed_them)
