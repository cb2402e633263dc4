#include "plugin/policy.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/mem.h"
#include "model/verdict.h"
#include "plugin/host.h"
#include "plugin/settings.h"

struct policy {
	const struct plugin *plugin;
	const struct elvis_policy *calls; /* the plugin's */
	void *state;                      /* the plugin's */
	struct breadcrumb_slot *slot;
	struct arena *arena; /* as long as the instance */
	struct setting_list given;
	struct elvis_settings settings;
	struct host host;
};

static bool
read_settings(struct policy *policy, const struct elvis_table *table, struct err *err)
{
	return settings_read(&policy->settings, plugin_options(policy->plugin),
			     &policy->given, policy->host.who, policy->arena, err) &&
	       (table == NULL || policy_fits_table(policy, table, err));
}

static bool
open_plugin(struct policy *policy, struct err *err)
{
	bool opened = true;

	if (policy->calls->open == NULL)
		return true;
	breadcrumb_drop(policy->slot, plugin_name(policy->plugin), 0, 0);
	opened = policy->calls->open(&policy->host.lent, &policy->settings,
				     &policy->state);
	breadcrumb_wipe(policy->slot);
	if (!opened)
		err_set(err, ERR_REFUSED, "%s refuses to open: %s", policy->host.who,
			host_failure(&policy->host));
	host_forget(&policy->host);
	return opened;
}

static void
release(struct policy *policy)
{
	host_done(&policy->host);
	arena_free(policy->arena);
	plugin_unref(policy->plugin);
	free(policy);
}

bool
policy_open(struct policy **opened, const struct plugin *plugin,
	    const struct setting_list *settings, const char *link,
	    const struct elvis_table *table, struct breadcrumb_slot *slot,
	    struct err *err)
{
	struct policy *policy = mem_zalloc(sizeof(*policy));

	policy->plugin = plugin_ref(plugin);
	policy->calls = plugin_policy(plugin);
	policy->slot = slot;
	policy->arena = arena_new();
	policy->given = settings_copy(settings, policy->arena);
	host_init(&policy->host, link, "policy", plugin_name(plugin));

	if (!read_settings(policy, table, err) || !open_plugin(policy, err)) {
		release(policy);
		return false;
	}
	*opened = policy;
	return true;
}

void
policy_close(struct policy *policy)
{
	if (policy == NULL)
		return;
	if (policy->calls->close != NULL)
		policy->calls->close(policy->state);
	release(policy);
}

bool
policy_fits_table(const struct policy *policy, const struct elvis_table *table,
		  struct err *err)
{
	return settings_fit_table(&policy->settings, plugin_options(policy->plugin),
				  &policy->given, policy->host.who, table, err);
}

const char *
policy_name(const struct policy *policy)
{
	return plugin_name(policy->plugin);
}

const struct plugin *
policy_plugin(const struct policy *policy)
{
	return policy->plugin;
}

static bool
decides_kind(const struct policy *policy, uint32_t kind)
{
	return policy->calls->kinds == 0 || (policy->calls->kinds >> kind & 1) != 0;
}

/* How the sentences begin that say what a policy must not have said. */
static bool PRINTF_LIKE(4, 5) refuse_verdict(const struct policy *policy, uint32_t kind,
					     struct err *err, const char *format, ...)
{
	char what[512];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	return err_set(err, ERR_REFUSED, "%s, asked about %s, %s", policy->host.who,
		       kind_name(kind), what);
}

static bool
check_suits(const struct policy *policy, uint32_t kind, uint32_t action, struct err *err)
{
	char wanted[VERDICT_LIST_SIZE];

	if (verdict_suits(action, kind))
		return true;
	return refuse_verdict(policy, kind, err, "said %s (%u); wanted %s",
			      verdict_name(action), action, verdict_list(wanted, kind));
}

/* A value that can be written: text that ends where it says, or nothing at all. */
static bool
is_writable(const struct elvis_value *value)
{
	switch ((enum elvis_value_state) value->state) {
	case ELVIS_VALUE_NONE:
	case ELVIS_VALUE_NULL:
		return true;
	case ELVIS_VALUE_TEXT:
		return value->text != NULL &&
		       memchr(value->text, '\0', value->length) == NULL &&
		       value->text[value->length] == '\0';
	case ELVIS_VALUE_NOT_CAPTURED:
		return false;
	}
	return false;
}

static bool
check_merged(const struct policy *policy, const struct elvis_conflict *conflict,
	     const struct elvis_value *row, struct err *err)
{
	const struct elvis_table *table = conflict->table;

	if (row == NULL)
		return refuse_verdict(policy, conflict->kind, err,
				      "said merge without a row; wanted verdict->row");
	for (size_t i = 0; i < table->n_columns; i++) {
		const struct elvis_column *column = table->columns[i];

		if (!is_writable(&row[i]))
			return refuse_verdict(
				policy, conflict->kind, err,
				"merged a row whose column \"%s\" has no writable "
				"value; wanted text, null, or none for the local one",
				column->name);
		if (row[i].state == ELVIS_VALUE_NONE && conflict->local == NULL &&
		    !column->generated)
			return refuse_verdict(
				policy, conflict->kind, err,
				"merged a row without column \"%s\", and there is "
				"no local row to take it from",
				column->name);
	}
	return true;
}

/* A row can be inserted only if the log has all of it. */
static bool
check_whole(const struct policy *policy, const struct elvis_conflict *conflict,
	    struct err *err)
{
	const struct elvis_table *table = conflict->table;

	for (size_t i = 0; i < table->n_columns; i++)
		if (conflict->remote->values[i].state == ELVIS_VALUE_NOT_CAPTURED)
			return refuse_verdict(
				policy, conflict->kind, err,
				"said insert_remote, but the value of \"%s\" was "
				"not captured; let the table capture large values",
				table->columns[i]->name);
	return true;
}

static bool
check_verdict(const struct policy *policy, const struct elvis_conflict *conflict,
	      const struct elvis_verdict *verdict, struct err *err)
{
	if (!check_suits(policy, conflict->kind, verdict->action, err))
		return false;
	switch ((enum elvis_verdict_action) verdict->action) {
	case ELVIS_MERGE:
		return check_merged(policy, conflict, verdict->row, err);
	case ELVIS_INSERT_REMOTE:
		return check_whole(policy, conflict, err);
	case ELVIS_DELETE_LOCAL:
		return conflict->local != NULL ||
		       refuse_verdict(policy, conflict->kind, err,
				      "said delete_local, but there is no local row");
	case ELVIS_REPLACE_BLOCKERS:
		return conflict->n_blockers > 0 ||
		       refuse_verdict(policy, conflict->kind, err,
				      "said replace_blockers, but no row is in the way");
	case ELVIS_ABSTAIN:
	case ELVIS_APPLY_REMOTE:
	case ELVIS_KEEP_LOCAL:
	case ELVIS_RETRY:
	case ELVIS_STOP:
	case ELVIS_VERDICT_END:
		return true;
	}
	return true;
}

/* What it said it needs and was not given, it must not decide without. */
static bool
check_needs(const struct policy *policy, const struct elvis_conflict *conflict, struct err *err)
{
	const struct elvis_table *table = conflict->table;

	if ((policy->calls->needs & ELVIS_NEEDS_LARGE_VALUES) == 0 || conflict->remote == NULL)
		return true;
	for (size_t i = 0; i < table->n_columns; i++)
		if (conflict->remote->values[i].state == ELVIS_VALUE_NOT_CAPTURED)
			return refuse_verdict(policy, conflict->kind, err,
					      "needs large values, and that of \"%s\" was not "
					      "captured; elvisctl apply has the table capture them",
					      table->columns[i]->name);
	return true;
}

bool
policy_decide(struct policy *policy, const struct elvis_conflict *conflict,
	      struct elvis_verdict *verdict, struct err *err)
{
	bool decided;

	*verdict = (struct elvis_verdict){ .action = ELVIS_ABSTAIN };
	if (!decides_kind(policy, conflict->kind))
		return true;
	if (!check_needs(policy, conflict, err))
		return false;

	host_forget(&policy->host);
	breadcrumb_drop(policy->slot, policy_name(policy), conflict->seq,
			conflict->ordinal);
	decided = policy->calls->decide(policy->state, conflict, verdict);
	breadcrumb_wipe(policy->slot);
	if (!decided)
		return refuse_verdict(policy, conflict->kind, err, "failed: %s",
				      host_failure(&policy->host));
	return check_verdict(policy, conflict, verdict, err);
}

static bool
has_two_rows(uint32_t kind)
{
	return kind == ELVIS_INSERT_EXISTS || kind == ELVIS_UPDATE_DIFFERS ||
	       kind == ELVIS_UPDATE_EXISTS || kind == ELVIS_MULTIPLE_UNIQUE_CONFLICTS;
}

static bool
check_answer(const struct policy *policy, uint32_t kind,
	     const struct elvis_answer *answer, const struct elvis_table *table,
	     struct err *err)
{
	switch ((enum elvis_answer_rule) answer->rule) {
	case ELVIS_ANSWER_ASK:
		return true;
	case ELVIS_ANSWER_VERDICT:
		if (answer->verdict == ELVIS_MERGE)
			return refuse_verdict(
				policy, kind, err,
				"answered merge beforehand; only decide() can merge");
		return check_suits(policy, kind, answer->verdict, err);
	case ELVIS_ANSWER_GREATER_WINS:
		if (!has_two_rows(kind))
			return refuse_verdict(
				policy, kind, err,
				"answered that the greater wins, where there are no "
				"two rows to compare");
		if (answer->column == NULL ||
		    elvis_column_number(table, answer->column) < 0)
			return refuse_verdict(
				policy, kind, err,
				"answered that the greater \"%s\" wins; wanted a "
				"column of %s.%s",
				answer->column != NULL ? answer->column : "",
				table->schema, table->name);
		return true;
	}
	return refuse_verdict(policy, kind, err, "answered by rule %u; wanted 0 to %d",
			      answer->rule, ELVIS_ANSWER_GREATER_WINS);
}

static bool
check_answers(const struct policy *policy, const struct elvis_table *table,
	      const struct elvis_answers *answers, struct err *err)
{
	for (uint32_t kind = 1; kind < answers->count; kind++)
		if (!check_answer(policy, kind, &answers->of[kind], table, err))
			return false;
	if (policy->calls->ordered &&
	    answers->of[ELVIS_UPDATE_DIFFERS].rule != ELVIS_ANSWER_GREATER_WINS)
		return refuse_verdict(
			policy, ELVIS_UPDATE_DIFFERS, err,
			"did not answer that the greater wins, although it is "
			"ordered");
	return true;
}

bool
policy_answers(struct policy *policy, const struct elvis_table *table,
	       struct elvis_answers *answers, struct err *err)
{
	memset(answers->of, 0, sizeof(*answers->of) * answers->count);
	host_forget(&policy->host);
	if (policy->calls->answers != NULL) {
		breadcrumb_drop(policy->slot, policy_name(policy), 0, 0);
		policy->calls->answers(policy->state, table, answers);
		breadcrumb_wipe(policy->slot);
	}
	for (uint32_t kind = 1; kind < answers->count; kind++)
		if (!decides_kind(policy, kind))
			answers->of[kind] =
				(struct elvis_answer){ .rule = ELVIS_ANSWER_VERDICT,
						       .verdict = ELVIS_ABSTAIN };
	return check_answers(policy, table, answers, err);
}
