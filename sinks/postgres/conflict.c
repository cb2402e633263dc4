/*
 * conflict.c - the target asks: the link's policies answer, and what they say is sent back.
 */
#include "parts.h"

#include "base/mem.h"
#include "model/conflict.h"
#include "model/table.h"
#include "model/verdict.h"
#include "pg/query.h"

static const struct elvis_table *
table_of(void *context, uint64_t version)
{
	const struct postgres *p = context;
	const struct told *told = hash_get_u64(p->tables, version);

	return told != NULL ? told->table : NULL;
}

/* Whoever answers a kind beforehand for that table */
static const char *
policy_of(const struct postgres *p, uint64_t version, uint32_t kind)
{
	const struct told *told = hash_get_u64(p->tables, version);

	return told != NULL && kind < told->rules->n_answers &&
		told->rules->policies[kind] != NULL ? told->rules->policies[kind] : "strict";
}

/*
 * Records a stop in a transaction of its own: it is to outlive the rollback.  Failing to must not
 * hide why the link stops.
 */
static void
record_stop(struct postgres *p, struct elvis_bytes bytes, const struct elvis_conflict *conflict,
	    const char *policy, const char *reason)
{
	struct params params = PARAMS_NONE;
	struct err err = ERR_INIT;
	AUTO_STRBUF struct strbuf columns;
	AUTO_STRBUF struct strbuf key;

	strbuf_init(&columns, FRAME_MAX);
	strbuf_init(&key, FRAME_MAX);
	table_columns_literal(&columns, conflict->table);
	table_key_literal(&key, conflict->table);
	params_bytes(&params, bytes.at, (size_t) (bytes.end - bytes.at));
	params_uuid(&params, p->link->uuid);
	params_text(&params, conflict->table->schema);
	params_text(&params, conflict->table->name);
	params_literal(&params, columns.data);
	params_literal(&params, key.data);
	params_text(&params, verdict_name(ELVIS_STOP));
	params_text(&params, policy);
	params_text(&params, reason);
	if (!conn_command(p->conn, "ROLLBACK", &err) ||
	    !conn_run(p->conn, "SELECT elvis.record_resolution($1, $2, $3, $4, $5::text[], "
		      "$6::int[], $7, $8, $9)", &params, NULL, &err))
		p->host->log(p->host, ELVIS_LOG_WARNING,
			     "the conflict could not be recorded: %s", err.text);
	p->began = false;
}

static enum elvis_result
stop(struct postgres *p, struct elvis_bytes bytes, const struct elvis_conflict *conflict,
     const char *policy, const char *reason)
{
	record_stop(p, bytes, conflict, policy, reason);
	p->host->fail(p->host, "%s on table %s.%s, change %lld.%llu: %s says stop%s%s",
		      kind_name(conflict->kind), conflict->table->schema, conflict->table->name,
		      (long long) conflict->seq, (unsigned long long) conflict->ordinal, policy,
		      reason != NULL ? ": " : "", reason != NULL ? reason : "");
	return ELVIS_SINK_STOPPED;
}

static enum elvis_result
try_later(struct postgres *p, const struct elvis_conflict *conflict, const char *policy)
{
	p->host->fail(p->host, "%s on table %s.%s: %s says to try again later",
		      kind_name(conflict->kind), conflict->table->schema, conflict->table->name,
		      policy);
	return ELVIS_SINK_RETRY;
}

/* Asks, and has the walk go on with the answer.  *result is what elvis.answer() told then. */
static enum elvis_result
ask(struct postgres *p, struct elvis_bytes bytes, const struct elvis_conflict *conflict,
    PGresult **result)
{
	struct elvis_verdict verdict = { .action = ELVIS_ABSTAIN };
	struct params params = PARAMS_NONE;
	struct err err = ERR_INIT;
	const char *policy = NULL;

	if (!p->link->ask(p->link, conflict, &verdict, &policy)) {
		p->host->fail(p->host, "the conflict could not be put to the table's policies");
		return ELVIS_SINK_RETRY;
	}
	if (verdict.action == ELVIS_STOP)
		return stop(p, bytes, conflict, policy, verdict.reason);
	if (verdict.action == ELVIS_RETRY)
		return try_later(p, conflict, policy);
	strbuf_reset(&p->bytes);
	if (!put_verdict(&p->bytes, &verdict, policy, conflict->table)) {
		p->host->fail(p->host, "the row that %s made is too large", policy);
		return ELVIS_SINK_STOPPED;
	}
	params_bytes(&params, p->bytes.data, p->bytes.length);
	if (!conn_run(p->conn, "SELECT state, changes, conflict FROM elvis.answer($1)", &params,
		      result, &err))
		return postgres_failed(p, &err);
	return ELVIS_SINK_OK;
}

/* What elvis.apply() or elvis.answer() told: goes on until the walk is done, or cannot be. */
enum elvis_result
conflict_settle(struct postgres *p, PGresult *result)
{
	enum elvis_result outcome = ELVIS_SINK_OK;

	while (outcome == ELVIS_SINK_OK && result_char(result, 0, 0) != 'd') {
		AUTO_RESULT PGresult *old = result;
		struct elvis_conflict *conflict;
		struct err err = ERR_INIT;
		struct elvis_bytes bytes;
		const char *policy;
		size_t length;

		result = NULL;
		bytes.at = result_bytes(old, 0, 2, &length);
		bytes.end = bytes.at + length;
		arena_reset(p->question);
		conflict = conflict_decode(bytes, table_of, p, p->question, &err);
		if (conflict == NULL)
			return postgres_failed(p, &err);
		policy = policy_of(p, conflict->table->version, conflict->kind);
		switch (result_char(old, 0, 0)) {
		case 'a':
			outcome = ask(p, bytes, conflict, &result);
			break;
		case 'r':
			outcome = try_later(p, conflict, policy);
			break;
		default:
			/* of messages only a gap's is known to hold nothing of a row */
			outcome = stop(p, bytes, conflict, policy,
				       conflict->kind == ELVIS_GAP && conflict->message != NULL ?
				       conflict->message : kind_text(conflict->kind));
			break;
		}
	}
	PQclear(result);
	return outcome;
}
