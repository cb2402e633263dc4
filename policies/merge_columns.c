/*
 * merge_columns: each column is taken from whoever changed it.
 *
 * Of an UPDATE that meets a row changed here, the columns that it changed are written
 * if they are here as they were there before; the others stay.  Where both sides have
 * changed one column to different values this abstains, and the next policy of the
 * chain decides about the whole row.
 *
 * Two nodes that change different columns of a row end alike, each with both changes.
 * With a third the same change may meet different rows on its ways, and where it
 * collides on one way and not on the other nobody here can tell.  So two nodes.
 */
#include <stdlib.h>

#include <elvis/order.h>
#include <elvis/policy.h>

struct state {
	const struct elvis_host *host;
};

static bool
open(const struct elvis_host *host, const struct elvis_settings *settings, void **made)
{
	struct state *state = malloc(sizeof(*state));

	(void) settings;
	if (state == NULL) {
		host->fail(host, "out of memory");
		return false;
	}
	state->host = host;
	*made = state;
	return true;
}

/* What is not captured has not changed. */
static bool
was_changed(const struct elvis_conflict *conflict, size_t column)
{
	const struct elvis_value *after = &conflict->remote->values[column];

	return after->state != ELVIS_VALUE_NOT_CAPTURED &&
	       !elvis_value_same(&conflict->before[column], after);
}

/* What the change leaves or what is here already need not be written. */
static bool
merge_column(const struct elvis_conflict *conflict, size_t column, struct elvis_value *merged)
{
	const struct elvis_value *after = &conflict->remote->values[column];
	const struct elvis_value *local = &conflict->local->values[column];

	if (conflict->table->columns[column]->generated || !was_changed(conflict, column) ||
	    elvis_value_same(local, after))
		return true;
	/* a key that changes is another row to the other node: not for a merge */
	if (conflict->table->columns[column]->in_key ||
	    !elvis_value_same(local, &conflict->before[column]))
		return false;
	*merged = *after;
	return true;
}

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	const struct state *mine = state;
	size_t n = conflict->table->n_columns;
	struct elvis_value *row;

	if (conflict->before == NULL || conflict->local == NULL)
		return true;
	row = mine->host->alloc(mine->host, sizeof(*row) * n);
	for (size_t i = 0; i < n; i++)
		if (!merge_column(conflict, i, &row[i]))
			return true;
	verdict->action = ELVIS_MERGE;
	verdict->row = row;
	verdict->reason = "different columns";
	return true;
}

ELVIS_POLICY("merge_columns",
	     .version = "1.0",
	     .summary = "each column is taken from whoever changed it",
	     .kinds = ELVIS_ON(UPDATE_DIFFERS),
	     .needs = ELVIS_NEEDS_BEFORE,
	     .converges = ELVIS_CONVERGES_TWO_NODES,
	     .open = open,
	     .decide = decide,
	     .close = free);
