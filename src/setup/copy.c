#include "setup/copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "setup/crew.h"
#include "setup/fill.h"
#include "setup/sequence.h"
#include "setup/start.h"

/* How long nothing may have been applied before a link told to pause counts as paused */
#define QUIET_MS 2000

/* One table of the link that is to be filled */
struct work {
	const struct inventory_table *from, *to;
	size_t number;	/* in the order they were found, from 1 */
	bool done;	/* by an earlier run */
	bool filled;	/* and to be emptied first */
};

struct copier {
	struct site *site;
	const struct conf_link *link;
	const struct copy_options *options;
	struct arena *arena;
	struct err *err;
	struct conn *control;	/* at the source: states and snapshots */
	struct conn *source;	/* at the source: holds the snapshot */
	struct conn *target;
	struct work *works;
	size_t n_works, n_done;
	struct fill_job job;
	struct fill *fill;	/* in who fills tables */
};

static bool
is_asked_for(const struct copier *c, const struct inventory_table *table)
{
	if (conf_link_rule(c->link, table->schema, table->name) == NULL)
		return false;
	for (size_t i = 0; i < c->options->n_tables; i++)
		if (pattern_matches(&c->options->tables[i], table->schema, table->name))
			return true;
	return c->options->n_tables == 0;
}

static bool
is_attached(const struct inventory_table *table, const char *not_as)
{
	return table->role != NULL && strcmp(table->role, not_as) != 0;
}

static bool
add_work(struct copier *c, const struct inventory_table *from)
{
	const struct inventory_table *to =
		inventory_table(&site_node(c->site, c->link->to)->inventory, from->schema,
				from->name);

	if (to == NULL)
		return err_set(c->err, ERR_CONFIG, "table %s.%s is not there on '%s'; create it "
			       "first", from->schema, from->name, c->link->to->name);
	if (!is_attached(from, "replica") || to->role == NULL)
		return err_set(c->err, ERR_CONFIG, "table %s.%s is not attached yet on '%s'; run "
			       "elvisctl apply first", from->schema, from->name,
			       to->role == NULL ? c->link->to->name : c->link->from->name);
	c->works[c->n_works] = (struct work){ .from = from, .to = to,
					      .number = c->n_works + 1 };
	c->n_works++;
	return true;
}

static bool
choose_tables(struct copier *c)
{
	const struct inventory *source = &site_node(c->site, c->link->from)->inventory;

	c->works = arena_zalloc(c->arena, (source->n_tables + 1) * sizeof(*c->works));
	for (size_t i = 0; i < source->n_tables; i++)
		if (is_asked_for(c, &source->tables[i]) && !add_work(c, &source->tables[i]))
			return false;
	if (c->n_works == 0)
		return err_set(c->err, ERR_CONFIG, "no table of link '%s' is meant; elvisctl check "
			       "shows which it has", c->link->name);
	return true;
}

/* A table that an earlier run has filled has its snapshot recorded. */
static bool
find_done(struct copier *c)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	params_uuid(&params, c->link->uuid);
	if (!conn_run(c->target, "SELECT relid FROM elvis.position_table WHERE link = $1",
		      &params, &result, c->err))
		return false;
	for (int i = 0; i < PQntuples(result); i++)
		for (size_t j = 0; j < c->n_works; j++)
			if (c->works[j].to->oid == (uint32_t) result_i32(result, i, 0))
				c->works[j].done = true;
	return true;
}

static bool
check_empty(struct copier *c)
{
	const struct site_node *target = site_node(c->site, c->link->to);

	for (size_t i = 0; i < c->n_works; i++) {
		struct work *work = &c->works[i];

		if (work->done)
			continue;
		if (!table_filled(target->conn, target->node, work->to, c->arena, &work->filled,
				  c->err))
			return false;
		if (work->filled && !c->options->truncate)
			return err_set(c->err, ERR_CONFIG, "table %s.%s on '%s' has rows already; "
				       "copy --truncate empties it first, and elvisctl apply "
				       "--adopt starts without a copy when both sides hold the "
				       "same", work->to->schema, work->to->name,
				       c->link->to->name);
	}
	return true;
}

/* All in one statement: some may refer to others. */
static bool
empty_tables(struct copier *c)
{
	struct params params = PARAMS_NONE;
	const char *list = NULL;

	for (size_t i = 0; i < c->n_works; i++) {
		const struct work *work = &c->works[i];

		if (work->filled)
			list = arena_printf(c->arena, "%s%s%s%s", list ? list : "",
					    list ? ", " : "",
					    work->to->partitioned ? "" : "ONLY ",
					    table_sql(c->arena, work->to->schema,
						      work->to->name));
	}
	if (list == NULL)
		return true;
	params_i32(&params, (int32_t) c->link->from->id);
	return conn_command(c->target, "BEGIN", c->err) &&
	       conn_run(c->target, "SELECT elvis.begin_copy($1)", &params, NULL, c->err) &&
	       conn_command(c->target, arena_printf(c->arena, "TRUNCATE %s", list), c->err) &&
	       conn_command(c->target, "COMMIT", c->err);
}

static bool
set_state(struct copier *c, const char *state, const char *reason)
{
	return start_set_state(c->site, c->link, state, reason, c->err);
}

static bool
is_waiting_for_copy(const struct inventory_subscriber *subscriber)
{
	return subscriber != NULL && strcmp(subscriber->state, "paused") == 0 &&
	       subscriber->reason != NULL &&
	       strncmp(subscriber->reason, COPY_REASON, strlen(COPY_REASON)) == 0;
}

/* Its first position: from now on the link only waits for its tables. */
static bool
begin_link(struct copier *c)
{
	struct start_point point;

	return start_subscribe(c->site, c->link, &point, c->err) &&
	       set_state(c, "paused", COPY_REASON "; elvisctl copy goes on with it") &&
	       start_position(c->site, c->link, &point, c->err);
}

/* Is the link's daemon in a transaction at the target, and when did its last one end? */
static bool
applying_since(struct copier *c, bool *applying, int64_t *position_at)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	params_uuid(&params, c->link->uuid);
	params_text(&params, c->link->name);
	if (!conn_run(c->target,
		      "SELECT EXISTS (SELECT FROM pg_stat_activity a JOIN pg_locks l USING (pid)"
		      "               WHERE a.datname = current_database()"
		      "                 AND a.application_name = left('elvisd ' || $2, 63)"
		      "                 AND l.relation = 'elvis.position'::regclass"
		      "                 AND l.mode = 'RowExclusiveLock'),"
		      "       (SELECT p.at FROM elvis.position p WHERE p.link = $1)",
		      &params, &result, c->err))
		return false;
	*applying = result_bool(result, 0, 0);
	*position_at = result_time(result, 0, 1);
	return true;
}

/* A running daemon hears of the pause within a second; it has when nothing is applied any more. */
static bool
wait_quiet(struct copier *c)
{
	int64_t quiet_since = clock_mono_ms(), last = -1;

	while (clock_mono_ms() - quiet_since < QUIET_MS) {
		int64_t at;
		bool applying;

		if (!applying_since(c, &applying, &at))
			return false;
		if (applying || at != last)
			quiet_since = clock_mono_ms();
		last = at;
		clock_nap_ms(100);
	}
	return true;
}

/* A link that has delivered already stands still while tables join it. */
static bool
pause_link(struct copier *c, const struct inventory_subscriber *subscriber)
{
	if (strcmp(subscriber->state, "running") != 0)
		return true;
	return set_state(c, "paused", COPY_REASON "; elvisctl copy goes on with it") &&
	       wait_quiet(c);
}

/*
 * New: neither side knows the link, or an earlier run ended before its position was recorded.
 * Waiting: an earlier run ended after that.
 */
static bool
prepare_link(struct copier *c, bool *is_new)
{
	const struct inventory_subscriber *subscriber = inventory_subscriber(
		&site_node(c->site, c->link->from)->inventory, c->link->uuid);
	const struct inventory_position *position = inventory_position(
		&site_node(c->site, c->link->to)->inventory, c->link->uuid);

	*is_new = position == NULL || is_waiting_for_copy(subscriber);
	if (position != NULL && subscriber == NULL)
		return err_set(c->err, ERR_CONFIG, "link '%s' has a position on '%s' but '%s' "
			       "keeps no log for it; elvisctl forget %s first", c->link->name,
			       c->link->to->name, c->link->from->name, c->link->name);
	if (!*is_new && c->options->n_tables == 0)
		return err_set(c->err, ERR_CONFIG, "link '%s' has started already; name the "
			       "tables that joined it with --table", c->link->name);
	if (position != NULL && *is_new && !find_done(c))
		return false;
	return check_empty(c) &&
	       (position == NULL ? begin_link(c) : pause_link(c, subscriber)) &&
	       empty_tables(c);
}

/* Begun after attach has committed, so whoever writes unseen by the snapshot is captured. */
static bool
open_snapshot(struct copier *c)
{
	AUTO_RESULT PGresult *result = NULL;
	AUTO_RESULT PGresult *until = NULL;

	if (!conn_command(c->source, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", c->err) ||
	    !conn_command(c->source, "SET LOCAL idle_in_transaction_session_timeout = 0",
			  c->err) ||
	    !conn_run(c->source, "SELECT pg_current_snapshot()::text, pg_export_snapshot()", NULL,
		      &result, c->err))
		return false;
	if (!conn_run(c->control, "SELECT id FROM elvis.take_snapshot()", NULL, &until, c->err))
		return false;
	c->job = (struct fill_job){
		.link = c->link,
		.copied = arena_strdup(c->arena, result_text(result, 0, 0)),
		.exported = arena_strdup(c->arena, result_text(result, 0, 1)),
		.until_id = result_i64(until, 0, 0),
	};
	return true;
}

/* Side by side ------------------------------------------------------------------- */

static bool
start_filling(void *context, int stop_fd, struct err *err)
{
	struct copier *c = context;

	return fill_open(&c->fill, &c->job, stop_fd, err);
}

static void
tell_bytes(void *context, int64_t bytes)
{
	(void) context;
	crew_tell(bytes);
}

static bool
perform(void *context, size_t task, struct err *err)
{
	struct copier *c = context;
	const struct work *work = &c->works[c->n_done + task];

	return fill_table(c->fill, work->from, work->to, tell_bytes, NULL, err) ||
	       err_wrap(err, "copying %s.%s", work->from->schema, work->from->name);
}

static void
tell(struct copier *c, struct work *work, int64_t bytes, bool finished)
{
	struct copy_progress progress = {
		.schema = work->from->schema, .table = work->from->name,
		.number = work->number, .of = c->n_works, .bytes = bytes,
		.skipped = work->done, .finished = finished,
	};

	if (c->options->listener != NULL)
		c->options->listener(c->options->context, &progress);
}

static void
hear_bytes(void *context, size_t task, int64_t bytes)
{
	struct copier *c = context;

	tell(c, &c->works[c->n_done + task], bytes, false);
}

static void
hear_done(void *context, size_t task, int64_t bytes)
{
	struct copier *c = context;

	tell(c, &c->works[c->n_done + task], bytes, true);
}

/* What is there already first, then the largest: the last to be done should be short. */
static int
by_size(const void *a, const void *b)
{
	const struct work *left = a, *right = b;

	if (left->done != right->done)
		return left->done ? -1 : 1;
	if (left->from->pages != right->from->pages)
		return left->from->pages > right->from->pages ? -1 : 1;
	return left->number < right->number ? -1 : 1;
}

static bool
fill_tables(struct copier *c)
{
	struct crew_work crew = {
		.workers = c->options->jobs, .start = start_filling, .perform = perform,
		.told = hear_bytes, .done = hear_done, .context = c,
	};
	bool filled;

	qsort(c->works, c->n_works, sizeof(*c->works), by_size);
	for (; c->n_done < c->n_works && c->works[c->n_done].done; c->n_done++)
		tell(c, &c->works[c->n_done], 0, true);
	crew.tasks = c->n_works - c->n_done;
	filled = crew_run(&crew, c->err);
	fill_close(c->fill);
	return filled;
}

static bool
copy_all(struct copier *c, const struct inventory_subscriber *before)
{
	size_t moved;
	bool is_new;

	if (!choose_tables(c) || !prepare_link(c, &is_new) || !open_snapshot(c) ||
	    !fill_tables(c))
		return false;
	if (!conn_command(c->source, "COMMIT", c->err) ||
	    !sequences_follow(c->site, c->link, &moved, c->err))
		return false;
	/* who was paused or stopped before for another reason stays so */
	return (!is_new && strcmp(before->state, "running") != 0) || set_state(c, "running", NULL);
}

bool
copy_link(struct site *site, const struct conf_link *link, const struct copy_options *options,
	  struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new();
	AUTO_CONN struct conn *source = NULL;
	struct copier c = {
		.site = site, .link = link, .options = options, .arena = arena, .err = err,
		.control = site_node(site, link->from)->conn,
	};

	if (link->to == NULL)
		return err_set(err, ERR_CONFIG, "link '%s' leads to sink %s; only nodes can be "
			       "filled by a copy", link->name, link->sink.use);
	c.target = site_node(site, link->to)->conn;
	if (!conn_open(&source, &(struct conn_options){
			.conninfo = link->from->conninfo, .application = "elvisctl copy",
			.stop_fd = -1,
		}, err))
		return err_wrap(err, "node '%s'", link->from->name);
	c.source = source;
	return copy_all(&c, inventory_subscriber(&site_node(site, link->from)->inventory,
						 link->uuid));
}
