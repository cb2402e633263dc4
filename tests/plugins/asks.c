/*
 * Says nothing beforehand and then what the column v of the incoming row begins with: keep, apply,
 * merge (both values, joined) or retry (apply at the third attempt).  Any other row: abstains.
 */
#include <stdio.h>
#include <stdlib.h>

#include <elvis/policy.h>

static bool
open(const struct elvis_host *host, const struct elvis_settings *settings, void **state)
{
	(void) settings;
	*state = (void *) (uintptr_t) host;
	return true;
}

static const struct elvis_value *
joined(const struct elvis_host *host, const struct elvis_conflict *c, int v)
{
	const struct elvis_value *local = &c->local->values[v], *remote = &c->remote->values[v];
	size_t size = (size_t) local->length + remote->length + 2;
	struct elvis_value *row = host->alloc(host, sizeof(*row) * c->table->n_columns);
	char *text = host->alloc(host, size);

	snprintf(text, size, "%s+%s", local->text, remote->text);
	row[v] = (struct elvis_value){ .state = ELVIS_VALUE_TEXT, .text = text,
				       .length = (uint32_t) strlen(text) };
	return row;
}

static bool
decide(void *state, const struct elvis_conflict *c, struct elvis_verdict *verdict)
{
	int v = elvis_column_number(c->table, "v");
	const char *word = c->remote->values[v].text;

	if (word == NULL)
		return true;
	if (strncmp(word, "keep", 4) == 0)
		verdict->action = ELVIS_KEEP_LOCAL;
	else if (strncmp(word, "apply", 5) == 0)
		verdict->action = ELVIS_APPLY_REMOTE;
	else if (strncmp(word, "retry", 5) == 0)
		verdict->action = c->attempt < 3 ? ELVIS_RETRY : ELVIS_APPLY_REMOTE;
	else if (strncmp(word, "merge", 5) == 0) {
		verdict->action = ELVIS_MERGE;
		verdict->row = joined(state, c, v);
	}
	verdict->reason = "it was asked for";
	return true;
}

ELVIS_POLICY("asks", .version = "1", .summary = "for a test", .open = open, .decide = decide);
