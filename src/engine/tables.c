/*
 * tables.c - what a link knows of the tables its source's log speaks of, and the questions that
 * its sink has about their conflicts.
 */
#include "engine/link_parts.h"

#include <string.h>

#include "engine/resolver.h"
#include "model/table.h"

static struct link_table *
table_learn(struct link *link, uint64_t version, struct err *err)
{
	struct link_table *known = arena_zalloc(link->session, sizeof(*known));
	bool portable = link->form != ELVIS_FORM_STORED;

	if (!cache_describe(link->ends.shared, version, portable, &known->described, err))
		return NULL;
	known->table = table_decode(known->described, link->session, err);
	if (known->table == NULL)
		return NULL;
	known->filter.schema = known->table->schema;
	known->filter.name = known->table->name;
	if (!link->ends.rules(link->ends.rules_context, known->table, &known->table_rules, err) ||
	    (known->table_rules->wanted &&
	     !resolver_rules(known->table_rules, known->table, link->session, &known->rules,
			     err))) {
		err_wrap(err, "table %s.%s", known->table->schema, known->table->name);
		return NULL;
	}
	known->filter.wanted = known->table_rules->wanted;
	known->filter.gap_stops = known->table_rules->gap_stops;
	hash_put_u64(link->tables, version, known);
	return known;
}

/* A sink of rows is called, a sink of records reads it in the stream as well. */
static bool
table_tell(struct link *link, struct link_table *known, struct err *err)
{
	const struct link_sink *sink = &link->ends.sink;

	if (!sink->ops->table(sink->self, known->table, known->rules, err))
		return false;
	if (sink->format == ELVIS_SINK_RECORDS)
		put_table(outlet_put(&link->out), known->described, known->rules);
	known->told = true;
	return true;
}

bool
tables_find(void *context, uint64_t version, struct filter_table **table, struct err *err)
{
	struct link *link = context;
	struct link_table *known = hash_get_u64(link->tables, version);

	if (known == NULL && (known = table_learn(link, version, err)) == NULL)
		return false;
	if (known->filter.wanted && !known->told && !table_tell(link, known, err))
		return false;
	*table = &known->filter;
	return true;
}

const struct elvis_table *
tables_shape(void *context, uint64_t version)
{
	struct link *link = context;
	struct link_table *known = hash_get_u64(link->tables, version);

	return known != NULL ? known->table : NULL;
}

/* Questions --------------------------------------------------------------------- */

static int32_t
node_priority(const struct link *link, uint32_t node)
{
	for (size_t i = 0; i < link->settings.n_priorities; i++)
		if (link->settings.priorities[i].node == node)
			return link->settings.priorities[i].priority;
	return 0;
}

static const struct elvis_side *
side_with_priority(const struct link *link, const struct elvis_side *side)
{
	struct elvis_side *copy;

	if (side == NULL)
		return NULL;
	copy = arena_memdup(link->question, side, sizeof(*side));
	copy->priority = node_priority(link, side->origin);
	return copy;
}

static const struct elvis_blocker *const *
blockers_with_priority(const struct link *link, const struct elvis_conflict *conflict)
{
	const struct elvis_blocker **list =
		arena_alloc(link->question, (conflict->n_blockers + 1) * sizeof(*list));

	for (size_t i = 0; i < conflict->n_blockers; i++) {
		struct elvis_blocker *copy = arena_memdup(link->question, conflict->blockers[i],
							  sizeof(*copy));

		copy->row = side_with_priority(link, copy->row);
		list[i] = copy;
	}
	return list;
}

/* How often this very conflict has come before, with the verdict to try again */
static uint32_t
attempts_before(const struct link *link, const struct elvis_conflict *conflict)
{
	return conflict->seq == link->retried_seq && conflict->ordinal == link->retried_ordinal ?
		link->retries : 0;
}

static void
remember_retry(struct link *link, const struct elvis_conflict *conflict)
{
	link->retries = attempts_before(link, conflict) + 1;
	link->retried_seq = conflict->seq;
	link->retried_ordinal = conflict->ordinal;
}

/* One change may meet several conflicts, one behind the other; more often than this its verdicts
 * lead nowhere. */
#define QUESTIONS_MAX 10

static bool
goes_nowhere(struct link *link, const struct elvis_conflict *conflict)
{
	if (conflict->seq != link->asked_seq || conflict->ordinal != link->asked_ordinal)
		link->questions = 0;
	link->asked_seq = conflict->seq;
	link->asked_ordinal = conflict->ordinal;
	return ++link->questions > QUESTIONS_MAX;
}

bool
tables_ask(const struct elvis_link *face, const struct elvis_conflict *asked,
	   struct elvis_verdict *verdict, const char **policy)
{
	struct link *link = face->context;
	struct link_table *known = hash_get_u64(link->tables, asked->table->version);
	struct elvis_conflict conflict = *asked;

	if (known == NULL || !known->filter.wanted)
		return false;
	arena_reset(link->question);
	conflict.link = link->settings.name;
	conflict.attempt = 1 + attempts_before(link, asked);
	conflict.remote = side_with_priority(link, asked->remote);
	conflict.local = side_with_priority(link, asked->local);
	conflict.blockers = blockers_with_priority(link, asked);
	resolver_ask(known->table_rules, &conflict, link->question, verdict, policy);
	if (goes_nowhere(link, asked))
		*verdict = (struct elvis_verdict){
			.action = ELVIS_STOP,
			.reason = "policy_error: the change still conflicts after ten verdicts",
		};
	if (verdict->action == ELVIS_RETRY) {
		remember_retry(link, asked);
		link->questions = 0;	/* it begins anew */
	}
	return true;
}
