#include "setup/fill.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "setup/split.h"
#include "setup/start.h"

/* Between two calls of the listener */
#define TELL_MS 100

struct fill {
	const struct fill_job *job;
	struct conn *source, *target;
	struct arena *arena;	/* a table's */
	pump_listener *listener;
	void *context;
	int64_t bytes, told_ms;
};

static bool
open_sessions(struct fill *fill, int stop_fd, struct err *err)
{
	const struct conf_link *link = fill->job->link;
	struct conn_options options = { .application = "elvisctl copy", .stop_fd = stop_fd };

	options.conninfo = link->from->conninfo;
	if (!conn_open(&fill->source, &options, err))
		return err_wrap(err, "node '%s'", link->from->name);
	options.conninfo = link->to->conninfo;
	return conn_open(&fill->target, &options, err) ||
	       err_wrap(err, "node '%s'", link->to->name);
}

static bool
join_snapshot(struct fill *fill, struct err *err)
{
	const char *name = quote_text(fill->arena, fill->job->exported);

	return conn_command(fill->source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
			    err) &&
	       conn_command(fill->source, arena_printf(fill->arena, "SET TRANSACTION SNAPSHOT %s",
						       name), err) &&
	       conn_command(fill->source, "SET LOCAL idle_in_transaction_session_timeout = 0",
			    err) &&
	       (split_join(fill->job->locked, fill->source, fill->arena, err) ||
		err_wrap(err, "node '%s'", fill->job->link->from->name));
}

bool
fill_open(struct fill **made, const struct fill_job *job, int stop_fd, struct err *err)
{
	struct fill *fill = mem_zalloc(sizeof(*fill));

	fill->job = job;
	fill->arena = arena_new();
	if (!open_sessions(fill, stop_fd, err) || !join_snapshot(fill, err)) {
		fill_close(fill);
		return false;
	}
	*made = fill;
	return true;
}

void
fill_close(struct fill *fill)
{
	if (fill == NULL)
		return;
	conn_close(fill->source);
	conn_close(fill->target);
	arena_free(fill->arena);
	free(fill);
}

static void
hear_bytes(void *context, int64_t bytes)
{
	struct fill *fill = context;

	fill->bytes = bytes;
	if (clock_mono_ms() - fill->told_ms < TELL_MS)
		return;
	fill->listener(fill->context, bytes);
	fill->told_ms = clock_mono_ms();
}

static bool
begin(struct conn *target, struct err *err)
{
	return conn_command(target, "BEGIN", err) &&
	       conn_command(target, "SET LOCAL idle_in_transaction_session_timeout = 0", err);
}

/* Waits for the link where it is still at work, and so comes before any lock. */
static bool
record_table(const struct fill_job *job, struct conn *target, const struct inventory_table *to,
	     size_t parts, struct arena *arena, struct err *err)
{
	struct params params = PARAMS_NONE;

	params_uuid(&params, job->link->uuid);
	params_literal(&params, table_sql(arena, to->schema, to->name));
	params_literal(&params, job->copied);
	params_i64(&params, job->until_id);
	params_i32(&params, (int32_t) parts);
	return conn_run(target, "SELECT elvis.table_start($1, $2::regclass, $3::pg_snapshot, $4,"
				" $5)", &params, NULL, err);
}

static bool
record_part(struct fill *fill, const struct inventory_table *to, struct err *err)
{
	struct params params = PARAMS_NONE;

	params_uuid(&params, fill->job->link->uuid);
	params_literal(&params, table_sql(fill->arena, to->schema, to->name));
	params_i64(&params, fill->job->until_id);
	return conn_run(fill->target, "SELECT elvis.table_part($1, $2::regclass, $3)", &params,
			NULL, err);
}

static bool
pass_as_source(struct fill *fill, struct err *err)
{
	struct params params = PARAMS_NONE;

	params_i32(&params, (int32_t) fill->job->link->from->id);
	return conn_run(fill->target, "SELECT elvis.begin_copy($1)", &params, NULL, err);
}

/* Looked at once more under the lock: somebody may have written since. */
static bool
lock_empty(const struct fill_job *job, struct conn *target, const struct inventory_table *to,
	   struct arena *arena, struct err *err)
{
	const char *name = table_sql(arena, to->schema, to->name);
	const struct conf_node *node = job->link->to;
	bool filled;

	if (!conn_command(target, arena_printf(arena, "LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE",
					       name), err) ||
	    !table_filled(target, node, to, arena, &filled, err))
		return false;
	return !filled || err_set(err, ERR_CONFIG, "table %s on '%s' has been written meanwhile; "
				  "empty it and copy again", name, node->name);
}

static void
start_listening(struct fill *fill, pump_listener *listener, void *context)
{
	arena_reset(fill->arena);
	fill->listener = listener;
	fill->context = context;
	fill->bytes = 0;
}

static bool
pump(struct fill *fill, const struct inventory_table *from, const struct inventory_table *to,
     struct pump_pages pages, struct err *err)
{
	struct pump_form form;

	return pump_form(&form, fill->source, fill->target, from, to, fill->arena, err) &&
	       pump_rows(&form, fill->source, fill->target, from, to, pages, fill->arena,
			 hear_bytes, fill, err);
}

static bool
commit(struct fill *fill, struct err *err)
{
	if (!conn_command(fill->target, "COMMIT", err))
		return false;
	fill->listener(fill->context, fill->bytes);
	return true;
}

bool
fill_table(struct fill *fill, const struct inventory_table *from,
	   const struct inventory_table *to, pump_listener *listener, void *context,
	   struct err *err)
{
	const struct pump_pages all = { 0 };

	start_listening(fill, listener, context);
	return begin(fill->target, err) &&
	       record_table(fill->job, fill->target, to, 0, fill->arena, err) &&
	       pass_as_source(fill, err) &&
	       lock_empty(fill->job, fill->target, to, fill->arena, err) &&
	       pump(fill, from, to, all, err) && commit(fill, err);
}

bool
fill_expect(const struct fill_job *job, struct conn *target, const struct inventory_table *to,
	    size_t parts, struct arena *arena, struct err *err)
{
	return begin(target, err) && record_table(job, target, to, parts, arena, err) &&
	       lock_empty(job, target, to, arena, err) && conn_command(target, "COMMIT", err);
}

/* Recorded last: the other parts of the table wait from there to the end. */
bool
fill_part(struct fill *fill, const struct inventory_table *from,
	  const struct inventory_table *to, struct pump_pages pages, pump_listener *listener,
	  void *context, struct err *err)
{
	start_listening(fill, listener, context);
	return begin(fill->target, err) && pass_as_source(fill, err) &&
	       pump(fill, from, to, pages, err) && record_part(fill, to, err) &&
	       commit(fill, err);
}
