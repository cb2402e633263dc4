/* Remembers a table that was only lent, and takes it for the only one there can be. */
#include <stdlib.h>

#include <elvis/policy.h>

static bool
open(const struct elvis_host *host, const struct elvis_settings *settings, void **state)
{
	(void) host;
	(void) settings;
	*state = calloc(1, sizeof(const struct elvis_table *));
	return *state != NULL;
}

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	const struct elvis_table **first = state;

	if (*first == NULL)
		*first = conflict->table;
	verdict->action = *first == conflict->table ? ELVIS_KEEP_LOCAL : ELVIS_STOP;
	return true;
}

ELVIS_POLICY("hoards", .version = "1", .summary = "for a test", .open = open, .decide = decide,
	     .close = free);
