#include "plugin/contract.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <elvis/order.h>

#include "base/arena.h"
#include "model/verdict.h"
#include "plugin/policy.h"
#include "plugin/sample.h"

/* One promise being tried */
struct trial {
	const struct plugin *plugin;
	struct setting_list settings;
	struct samples samples;
	struct policy *first, *second;
	struct arena *arena;
	char seen[1024]; /* against the promise; "": nothing yet */
};

static bool PRINTF_LIKE(2, 3)
broken(struct trial *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(t->seen, sizeof(t->seen), format, args);
	va_end(args);
	return false;
}

/* Settings ----------------------------------------------------------------------- */

static bool
is_set(const struct setting_list *settings, const char *name)
{
	for (size_t i = 0; i < settings->count; i++)
		if (strcmp(settings->items[i].name, name) == 0)
			return true;
	return false;
}

static struct setting
make_setting(const struct elvis_option *option)
{
	static const char *const amount[] = { SAMPLE_AMOUNT_COLUMN };
	struct setting setting = { .name = option->name, .file = "sample" };

	switch (option->type) {
	case ELVIS_OPTION_BOOL:
		setting.type = SETTING_BOOL;
		break;
	case ELVIS_OPTION_INT:
		setting.type = SETTING_INT;
		setting.integer = option->min < option->max ? option->min : 1;
		break;
	case ELVIS_OPTION_FLOAT:
		setting.type = SETTING_FLOAT;
		setting.real = 1.0;
		break;
	case ELVIS_OPTION_STRING:
		setting.type = SETTING_STRING;
		setting.string = option->choices != NULL ? option->choices[0] : "sample";
		break;
	case ELVIS_OPTION_COLUMN:
		setting.type = SETTING_STRING;
		setting.string = SAMPLE_TIME_COLUMN;
		break;
	case ELVIS_OPTION_STRINGS:
	case ELVIS_OPTION_COLUMNS:
		setting.type = SETTING_STRINGS;
		setting.strings = amount;
		setting.n_strings = 1;
		break;
	}
	return setting;
}

struct setting_list
contract_settings(const struct plugin *plugin, const struct setting_list *given,
		  struct arena *arena)
{
	const struct elvis_option *options = plugin_options(plugin);
	struct setting *items;
	size_t n = 0;

	while (options[n].name != NULL)
		n++;
	items = arena_alloc(arena, sizeof(*items) * (given->count + n + 1));
	n = given->count;
	if (n > 0)
		memcpy(items, given->items, sizeof(*items) * n);
	for (; options->name != NULL; options++)
		if (options->required && !is_set(given, options->name))
			items[n++] = make_setting(options);
	return (struct setting_list){ .items = items, .count = n };
}

/* What was said, compared --------------------------------------------------------- */

static bool
same_value(const struct elvis_value *a, const struct elvis_value *b)
{
	return a->state == b->state && a->length == b->length &&
	       (a->state != ELVIS_VALUE_TEXT || memcmp(a->text, b->text, a->length) == 0);
}

static bool
same_row(const struct elvis_table *table, const struct elvis_value *a,
	 const struct elvis_value *b)
{
	if (a == NULL || b == NULL)
		return a == b;
	for (size_t i = 0; i < table->n_columns; i++)
		if (!same_value(&a[i], &b[i]))
			return false;
	return true;
}

/* A copy that outlives the next question. */
static struct elvis_verdict
keep(struct trial *t, const struct elvis_verdict *verdict)
{
	struct elvis_verdict kept = *verdict;
	size_t n = t->samples.table->n_columns;
	struct elvis_value *row;

	kept.reason = NULL;
	if (verdict->row == NULL)
		return kept;
	row = arena_memdup(t->arena, verdict->row, sizeof(*row) * n);
	for (size_t i = 0; i < n; i++)
		if (row[i].state == ELVIS_VALUE_TEXT)
			row[i].text = arena_strndup(t->arena, row[i].text, row[i].length);
	kept.row = row;
	return kept;
}

/* A policy that needs large values is not asked where one was not captured. */
static bool
is_met(const struct trial *t, const struct elvis_conflict *conflict)
{
	if ((plugin_policy(t->plugin)->needs & ELVIS_NEEDS_LARGE_VALUES) == 0)
		return true;
	for (size_t i = 0; i < conflict->table->n_columns; i++)
		if (conflict->remote->values[i].state == ELVIS_VALUE_NOT_CAPTURED)
			return false;
	return true;
}

static bool
ask(struct trial *t, struct policy *policy, const struct sample *sample,
    const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	struct err err = ERR_INIT;

	*verdict = (struct elvis_verdict){ .action = ELVIS_ABSTAIN };
	if (is_met(t, conflict) && !policy_decide(policy, conflict, verdict, &err))
		return broken(t, "%s: %s", sample->name, err.text);
	*verdict = keep(t, verdict);
	return true;
}

static bool
same_verdict(struct trial *t, const struct sample *sample, const struct elvis_verdict *a,
	     const struct elvis_verdict *b, const char *when)
{
	if (a->action != b->action)
		return broken(t, "%s: said %s, and %s %s", sample->name, verdict_name(a->action),
			      when, verdict_name(b->action));
	if (a->action == ELVIS_MERGE && !same_row(t->samples.table, a->row, b->row))
		return broken(t, "%s: merged one row, and %s another", sample->name, when);
	return true;
}

/* The promises -------------------------------------------------------------------- */

static bool
opens(struct trial *t)
{
	struct err err = ERR_INIT;

	if (!policy_open(&t->first, t->plugin, &t->settings, "here_there", t->samples.table, NULL,
			 &err))
		return broken(t, "%s", err.text);
	if (!policy_open(&t->second, t->plugin, &t->settings, "there_here", t->samples.table,
			 NULL, &err))
		return broken(t, "a second time: %s", err.text);
	return true;
}

static bool
suits(struct trial *t)
{
	struct elvis_verdict verdict;

	for (size_t i = 0; i < t->samples.n; i++) {
		const struct sample *sample = &t->samples.of[i];

		if (!ask(t, t->first, sample, sample->conflict, &verdict) ||
		    (sample->mirror != NULL &&
		     !ask(t, t->first, sample, sample->mirror, &verdict)))
			return false;
	}
	return true;
}

static bool
repeats_itself(struct trial *t)
{
	for (size_t i = 0; i < t->samples.n; i++) {
		const struct sample *sample = &t->samples.of[i];
		struct elvis_verdict once, twice, other;

		if (!ask(t, t->first, sample, sample->conflict, &once) ||
		    !ask(t, t->second, sample, sample->conflict, &other) ||
		    !ask(t, t->first, sample, sample->conflict, &twice) ||
		    !same_verdict(t, sample, &once, &twice, "asked again") ||
		    !same_verdict(t, sample, &once, &other, "in another instance"))
			return false;
	}
	return true;
}

/*
 * Asked about a conflict that is gone when it is asked about the same one in other memory:
 * what it has kept points to what is there no longer.
 */
static bool
keeps_nothing(struct trial *t)
{
	for (size_t i = 0; i < t->samples.n; i++) {
		struct arena *arena = arena_new();
		const struct sample *passing = &samples_make(arena).of[i];
		struct elvis_verdict once, twice;
		bool asked = ask(t, t->first, passing, passing->conflict, &once);

		arena_free(arena);
		if (!asked ||
		    !ask(t, t->first, &t->samples.of[i], t->samples.of[i].conflict, &twice) ||
		    !same_verdict(t, &t->samples.of[i], &once, &twice, "in other memory"))
			return false;
	}
	return true;
}

/* What the target does by a pushed-down answer, as a verdict; false: it would ask. */
static bool
foretold(const struct elvis_answer *answer, const struct elvis_conflict *conflict,
	 uint32_t *action)
{
	const struct elvis_table *table = conflict->table;
	int i, order;

	if (answer->rule == ELVIS_ANSWER_VERDICT) {
		*action = answer->verdict;
		return true;
	}
	if (answer->rule != ELVIS_ANSWER_GREATER_WINS || conflict->local == NULL)
		return false;
	i = elvis_column_number(table, answer->column);
	if (i < 0 || !elvis_value_cmp(table->columns[i]->type, &conflict->remote->values[i],
				      &conflict->local->values[i], &order))
		return false;
	if (order == 0)
		order = elvis_row_cmp(table, conflict->remote->values, conflict->local->values);
	*action = order > 0 ? ELVIS_APPLY_REMOTE : ELVIS_KEEP_LOCAL;
	return true;
}

static bool
foretells(struct trial *t)
{
	struct elvis_answer of[ELVIS_CONFLICT_KIND_END];
	struct elvis_answers answers = { .count = ELVIS_CONFLICT_KIND_END, .of = of };
	struct err err = ERR_INIT;

	if (!policy_answers(t->first, t->samples.table, &answers, &err))
		return broken(t, "%s", err.text);
	for (size_t i = 0; i < t->samples.n; i++) {
		const struct sample *sample = &t->samples.of[i];
		struct elvis_verdict verdict;
		uint32_t action;

		if (!is_met(t, sample->conflict) ||
		    !foretold(&of[sample->conflict->kind], sample->conflict, &action))
			continue;
		if (!ask(t, t->first, sample, sample->conflict, &verdict))
			return false;
		if (verdict.action != action)
			return broken(t, "%s: answered %s beforehand, and %s when asked",
				      sample->name, verdict_name(action),
				      verdict_name(verdict.action));
	}
	return true;
}

/* The row that is there after the verdict; false: nothing is settled by it. */
static bool
survivor(struct trial *t, const struct elvis_conflict *conflict,
	 const struct elvis_verdict *verdict, const struct elvis_value **row)
{
	struct elvis_value *merged;
	size_t n = conflict->table->n_columns;

	switch ((enum elvis_verdict_action) verdict->action) {
	case ELVIS_APPLY_REMOTE:
		*row = conflict->remote->values;
		return true;
	case ELVIS_KEEP_LOCAL:
		*row = conflict->local->values;
		return true;
	case ELVIS_DELETE_LOCAL:
		*row = NULL;
		return true;
	case ELVIS_MERGE:
		merged = arena_memdup(t->arena, verdict->row, sizeof(*merged) * n);
		for (size_t i = 0; i < n; i++)
			if (merged[i].state == ELVIS_VALUE_NONE)
				merged[i] = conflict->local->values[i];
		*row = merged;
		return true;
	case ELVIS_ABSTAIN:
	case ELVIS_INSERT_REMOTE:
	case ELVIS_REPLACE_BLOCKERS:
	case ELVIS_RETRY:
	case ELVIS_STOP:
	case ELVIS_VERDICT_END:
		return false;
	}
	return false;
}

static bool
agrees_with_itself(struct trial *t)
{
	for (size_t i = 0; i < t->samples.n; i++) {
		const struct sample *sample = &t->samples.of[i];
		const struct elvis_value *row_here = NULL, *row_there = NULL;
		struct elvis_verdict here, there;
		bool settled_here, settled_there;

		if (sample->mirror == NULL)
			continue;
		if (!ask(t, t->first, sample, sample->conflict, &here) ||
		    !ask(t, t->second, sample, sample->mirror, &there))
			return false;
		settled_here = survivor(t, sample->conflict, &here, &row_here);
		settled_there = survivor(t, sample->mirror, &there, &row_there);
		if (settled_here != settled_there ||
		    (settled_here && !same_row(t->samples.table, row_here, row_there)))
			return broken(t, "%s: says %s, and %s on the other node, which leaves "
					 "them different",
				      sample->name, verdict_name(here.action),
				      verdict_name(there.action));
	}
	return true;
}

static bool
try(struct trial *t, bool (*keeps)(struct trial *), const char *promise,
    contract_report *report, void *context)
{
	bool kept;

	t->seen[0] = '\0';
	kept = keeps(t);
	report(context, kept, promise, t->seen);
	return kept;
}

bool
contract_check(const struct plugin *plugin, const struct setting_list *settings,
	       contract_report *report, void *context)
{
	AUTO_ARENA struct arena *arena = arena_new();
	struct trial trial = { .plugin = plugin, .arena = arena }, *t = &trial;
	bool kept;

	t->settings = contract_settings(plugin, settings, arena);
	t->samples = samples_make(arena);
	kept = try(t, opens, "opens, more than once at a time", report, context);
	if (kept) {
		kept &= try(t, suits, "gives every conflict a verdict that suits it, or none",
			    report, context);
		kept &= try(t, repeats_itself, "says the same of the same conflict", report,
			    context);
		kept &= try(t, keeps_nothing, "keeps nothing of a conflict", report, context);
		kept &= try(t, foretells, "says when asked what it answered beforehand", report,
			    context);
		if (plugin_policy(plugin)->converges != ELVIS_CONVERGES_ONE_WAY)
			kept &= try(t, agrees_with_itself,
				    "lets the same row survive on both nodes", report, context);
	}
	policy_close(t->first);
	policy_close(t->second);
	return kept;
}
