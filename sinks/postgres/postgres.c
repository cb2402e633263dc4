/*
 * postgres.c - the sink that drives elvis.apply() in another database.
 *
 * A target transaction is a transaction there, with the link's position in it.
 */
#include "parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/mem.h"
#include "pg/query.h"

enum { OPT_CONNINFO };

static const struct elvis_option options[] = {
	[OPT_CONNINFO] = {
		.name = "conninfo", .type = ELVIS_OPTION_STRING, .required = true,
		.help = "the database, as libpq takes it; without passwords, for which there are "
			"service and password files",
	},
	{ .name = NULL },
};

enum elvis_result
postgres_failed(struct postgres *p, const struct err *err)
{
	p->host->fail(p->host, "%s", err->text);
	switch (err->class) {
	case ERR_NONE:
	case ERR_RETRY:
		return ELVIS_SINK_RETRY;
	case ERR_CONFIG:
		return ELVIS_SINK_FATAL;
	case ERR_CONFLICT:
	case ERR_REFUSED:
	case ERR_BUG:
		return ELVIS_SINK_STOPPED;
	}
	return ELVIS_SINK_STOPPED;
}

static void
postgres_close(void *state)
{
	struct postgres *p = state;

	conn_close(p->conn);
	hash_free(p->tables);
	arena_free(p->arena);
	arena_free(p->question);
	strbuf_free(&p->bytes);
	for (size_t i = 0; i < ARRAY_LEN(p->ring); i++)
		strbuf_free(&p->ring[i].records);
	free(p);
}

/* The database is the node the link leads to, and no copy of it; stored bytes fit when both ends
 * say that they do. */
static bool
meet_target(struct postgres *p, struct err *err)
{
	AUTO_RESULT PGresult *result = NULL;
	const struct elvis_link *link = p->link;

	if (!conn_run(p->conn, "SELECT id, name, genuine, detail, elvis.signature() "
		      "FROM elvis.node_state()", NULL, &result, err))
		return false;
	if (PQntuples(result) != 1 || !result_bool(result, 0, 2))
		return err_set(err, ERR_REFUSED, "%s", PQntuples(result) == 1 ?
			       result_text(result, 0, 3) : "this database is not a node");
	if (link->target != 0 && link->target != (uint32_t) result_i32(result, 0, 0))
		return err_set(err, ERR_CONFIG, "the database is node %d (%s), the link leads to "
			       "node %u", result_i32(result, 0, 0), result_text(result, 0, 1),
			       link->target);
	p->form = strcmp(result_text(result, 0, 4), link->source_signature) == 0 ?
		ELVIS_FORM_STORED : ELVIS_FORM_BINARY;
	return true;
}

static enum elvis_result
postgres_open(const struct elvis_host *host, const struct elvis_link *link,
	      const struct elvis_settings *settings, void **state)
{
	struct postgres *p = mem_zalloc(sizeof(*p));
	struct err err = ERR_INIT;
	char application[64];
	struct conn_options conn_options = {
		.conninfo = elvis_setting(settings, OPT_CONNINFO)->string,
		/* only what is flushed is confirmed, so no commit need wait for it */
		.synchronous_commit = "off",
		.application = application,
		.stop_fd = link->stop_fd,
	};
	enum elvis_result result = ELVIS_SINK_OK;

	snprintf(application, sizeof(application), "elvisd %s", link->name);
	p->host = host;
	p->link = link;
	p->tables = hash_new();
	p->arena = arena_new();
	p->question = arena_new();
	strbuf_init(&p->bytes, FRAME_MAX);
	for (size_t i = 0; i < ARRAY_LEN(p->ring); i++)
		strbuf_init(&p->ring[i].records, FRAME_MAX);
	if (!conn_open(&p->conn, &conn_options, &err) || !meet_target(p, &err)) {
		result = postgres_failed(p, &err);
		postgres_close(p);
		return result;
	}
	*state = p;
	return result;
}

static void
read_position(const PGresult *result, struct elvis_position *position, bool *known)
{
	*known = PQntuples(result) == 1 && result_bool(result, 0, 0);
	*position = (struct elvis_position){ .from_id = 0 };
	if (!*known)
		return;
	position->from_id = result_i64(result, 0, 1);
	position->from_token = result_i64(result, 0, 2);
	position->to_id = result_i64(result, 0, 3);
	position->to_token = result_i64(result, 0, 4);
	position->seq = result_i64(result, 0, 5);
}

static enum elvis_result
postgres_position(void *state, struct elvis_position *position, bool *known)
{
	struct postgres *p = state;
	struct params params = PARAMS_NONE;
	struct err err = ERR_INIT;
	AUTO_RESULT PGresult *result = NULL;

	params_uuid(&params, p->link->uuid);
	params_text(&params, p->link->name);
	params_i32(&params, (int32_t) p->link->source);
	params_i64(&params, p->link->incarnation);
	if (!conn_run(p->conn, "SELECT known, from_id, from_token, to_id, to_token, seq "
		      "FROM elvis.link_open($1, $2, $3, $4)", &params, &result, &err))
		return postgres_failed(p, &err);
	read_position(result, position, known);
	return ELVIS_SINK_OK;
}

/* Nothing known yet is position zero: there is nothing to confirm. */
static enum elvis_result
postgres_durable(void *state, struct elvis_position *position, bool *known)
{
	struct postgres *p = state;
	struct params params = PARAMS_NONE;
	struct err err = ERR_INIT;
	AUTO_RESULT PGresult *result = NULL;
	enum elvis_result finished = transaction_finish(p);

	if (finished != ELVIS_SINK_OK)
		return finished;
	params_uuid(&params, p->link->uuid);
	if (!conn_run(p->conn, "SELECT known, from_id, from_token, to_id, to_token, seq "
		      "FROM elvis.durable_position($1)", &params, &result, &err))
		return postgres_failed(p, &err);
	read_position(result, position, known);
	*known = true;
	return ELVIS_SINK_OK;
}

static enum elvis_result
postgres_table(void *state, const struct elvis_table *table, const struct elvis_rules *rules)
{
	struct postgres *p = state;
	struct told *told = hash_get_u64(p->tables, table->version);

	if (told == NULL) {
		told = arena_zalloc(p->arena, sizeof(*told));
		hash_put_u64(p->tables, table->version, told);
	}
	told->table = table;
	told->rules = rules;
	return ELVIS_SINK_OK;
}

static enum elvis_result
postgres_begin(void *state, const struct elvis_position *position)
{
	struct postgres *p = state;

	transaction_writing(p)->expected = *position;
	transaction_empty(transaction_writing(p));
	return ELVIS_SINK_OK;
}

static enum elvis_result
postgres_write(void *state, const struct elvis_piece *piece)
{
	struct postgres *p = state;
	struct transaction *t = transaction_writing(p);
	const uint8_t *at = piece->records;
	struct elvis_bytes records = { at, at + piece->length };

	if (!transaction_holds(p, t, piece->length))
		return transaction_send(p, t, records);
	strbuf_add(&t->records, piece->records, piece->length);
	return ELVIS_SINK_OK;
}

static enum elvis_result
postgres_commit(void *state, const struct elvis_position *next, int64_t at)
{
	struct postgres *p = state;
	struct transaction *t = transaction_writing(p);

	t->next = *next;
	t->at = at;
	return transaction_commit(p, t);
}

static enum elvis_result
postgres_settle(void *state)
{
	return transaction_finish(state);
}

/* With a statement still under way there is no way to say ROLLBACK: the session ends instead, and
 * the next call finds it lost. */
static void
postgres_rollback(void *state)
{
	struct postgres *p = state;
	struct err err = ERR_INIT;

	transaction_empty(transaction_writing(p));
	if (p->began && !p->flying && conn_alive(p->conn) && !conn_busy(p->conn))
		(void) !conn_command(p->conn, "ROLLBACK", &err);
	p->began = false;
}

static uint32_t
postgres_form(void *state)
{
	return ((struct postgres *) state)->form;
}

ELVIS_SINK("postgres",
	.version = "1.0",
	.summary = "another database with elvis, each batch one transaction with its position",
	.options = options,
	.format = ELVIS_SINK_RECORDS,
	.flags = ELVIS_SINK_KEEPS_POSITION | ELVIS_SINK_MEETS_CONFLICTS,
	.open = postgres_open,
	.position = postgres_position,
	.table = postgres_table,
	.begin = postgres_begin,
	.write = postgres_write,
	.commit = postgres_commit,
	.rollback = postgres_rollback,
	.durable = postgres_durable,
	.close = postgres_close,
	.form = postgres_form,
	.settle = postgres_settle);
