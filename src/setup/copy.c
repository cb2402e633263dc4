#include "setup/copy.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "setup/crew.h"
#include "setup/fill.h"
#include "setup/sequence.h"
#include "setup/split.h"
#include "setup/start.h"

/* How long nothing may have been applied before a link told to pause counts as paused */
#define QUIET_MS 2000

/* The size of a page, where a guess will do */
#define PAGE_BYTES 8192

/* One table of the link that is to be filled */
struct work {
	const struct inventory_table *from, *to;
	size_t number;	/* in the order they were found, from 1 */
	bool done;	/* by an earlier run */
	bool begun;	/* by one that was cut off: what rows there are, are its */
	bool filled;	/* and to be emptied first */
	size_t parts, parts_left;
	int64_t bytes;	/* that were passed on so far */
};

/* What one process copies at a time: a table, or some of its pages */
struct part {
	struct work *work;
	struct pump_pages pages;
	int64_t weight;	/* bytes, roughly */
	int64_t bytes;	/* that were passed on so far */
};

/* What the target has recorded of a table that earlier runs have copied, or some parts of it */
struct mark {
	uint32_t table;
	bool unfinished;
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
	struct mark *marks;
	size_t n_marks;
	struct work *works;
	size_t n_works;
	struct part *parts;
	size_t n_parts;
	struct fill_job job;
	struct fill *fill;	/* in who fills tables */
};

static bool
read_marks(struct copier *c)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	/* without a position nothing was copied, and the extension may not be there */
	if (inventory_position(&site_node(c->site, c->link->to)->inventory, c->link->uuid) == NULL)
		return true;
	params_uuid(&params, c->link->uuid);
	if (!conn_run(c->target,
		      "SELECT relid::oid, parts_left > 0 FROM elvis.position_table WHERE link = $1",
		      &params, &result, c->err))
		return false;
	c->n_marks = (size_t) PQntuples(result);
	c->marks = arena_zalloc(c->arena, (c->n_marks + 1) * sizeof(*c->marks));
	for (size_t i = 0; i < c->n_marks; i++)
		c->marks[i] = (struct mark){
			.table = (uint32_t) result_i32(result, (int) i, 0),
			.unfinished = result_bool(result, (int) i, 1),
		};
	return true;
}

static const struct mark *
mark_of(const struct copier *c, const struct inventory_table *to)
{
	for (size_t i = 0; i < c->n_marks; i++)
		if (c->marks[i].table == to->oid)
			return &c->marks[i];
	return NULL;
}

/* Does another link bring rows to it?  One that the configuration does not know may. */
static bool
is_shared(const struct copier *c, const struct inventory_table *to)
{
	const struct inventory *target = &site_node(c->site, c->link->to)->inventory;
	const struct conf *conf = c->site->conf;
	size_t known = 0;

	for (size_t i = 0; i < conf->n_links; i++) {
		const struct conf_link *link = &conf->links[i];

		if (link->to != c->link->to)
			continue;
		known += inventory_position(target, link->uuid) != NULL;
		if (link != c->link && conf_link_rule(link, to->schema, to->name) != NULL)
			return true;
	}
	return known < target->n_positions;
}

/*
 * May it be seen half filled?  Only where all of its rows are the link's, so that whoever finds it
 * so may empty it; and not where they would be passed on, for others to do likewise.
 */
static bool
is_ours(const struct copier *c, const struct inventory_table *to)
{
	return strcmp(to->role, "replica") == 0 && !is_shared(c, to);
}

/* Has an earlier copy left some of its rows, and all that are there? */
static bool
is_left(const struct copier *c, const struct work *work)
{
	return work->begun && is_ours(c, work->to);
}

/* A table is not left half filled because it is not named this time. */
static bool
is_asked_for(const struct copier *c, const struct inventory_table *table,
	     const struct mark *mark)
{
	if (conf_link_rule(c->link, table->schema, table->name) == NULL)
		return false;
	for (size_t i = 0; i < c->options->n_tables; i++)
		if (pattern_matches(&c->options->tables[i], table->schema, table->name))
			return true;
	return c->options->n_tables == 0 || (mark != NULL && mark->unfinished);
}

static bool
is_attached(const struct inventory_table *table, const char *not_as)
{
	return table->role != NULL && strcmp(table->role, not_as) != 0;
}

static bool
add_work(struct copier *c, const struct inventory_table *from,
	 const struct inventory_table *to, const struct mark *mark)
{
	if (to == NULL)
		return err_set(c->err, ERR_CONFIG, "table %s.%s is not there on '%s'; create it "
			       "first", from->schema, from->name, c->link->to->name);
	if (!is_attached(from, "replica") || to->role == NULL)
		return err_set(c->err, ERR_CONFIG, "table %s.%s is not attached yet on '%s'; run "
			       "elvisctl apply first", from->schema, from->name,
			       to->role == NULL ? c->link->to->name : c->link->from->name);
	c->works[c->n_works] = (struct work){
		.from = from, .to = to, .number = c->n_works + 1,
		.done = mark != NULL && !mark->unfinished,
		.begun = mark != NULL && mark->unfinished,
	};
	c->n_works++;
	return true;
}

static bool
choose_tables(struct copier *c)
{
	const struct inventory *source = &site_node(c->site, c->link->from)->inventory;
	const struct inventory *target = &site_node(c->site, c->link->to)->inventory;

	c->works = arena_zalloc(c->arena, (source->n_tables + 1) * sizeof(*c->works));
	for (size_t i = 0; i < source->n_tables; i++) {
		const struct inventory_table *from = &source->tables[i];
		const struct inventory_table *to =
			inventory_table(target, from->schema, from->name);
		const struct mark *mark = to ? mark_of(c, to) : NULL;

		if (is_asked_for(c, from, mark) && !add_work(c, from, to, mark))
			return false;
	}
	if (c->n_works == 0)
		return err_set(c->err, ERR_CONFIG, "no table of link '%s' is meant; elvisctl check "
			       "shows which it has", c->link->name);
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
		if (work->filled && !c->options->truncate && !is_left(c, work))
			return err_set(c->err, ERR_CONFIG, "table %s.%s on '%s' has rows already; "
				       "copy --truncate empties it first, and elvisctl apply "
				       "--adopt starts without a copy when both sides hold the "
				       "same", work->to->schema, work->to->name,
				       c->link->to->name);
	}
	return true;
}

static const char *
rows_of(struct copier *c, const struct work *work)
{
	return arena_printf(c->arena, "%s%s", work->to->partitioned ? "" : "ONLY ",
			    table_sql(c->arena, work->to->schema, work->to->name));
}

/* All in one statement: some may refer to others. */
static bool
truncate_tables(struct copier *c)
{
	const char *list = NULL;

	for (size_t i = 0; i < c->n_works; i++) {
		const struct work *work = &c->works[i];

		if (work->filled && !is_left(c, work))
			list = arena_printf(c->arena, "%s%s%s", list ? list : "",
					    list ? ", " : "", rows_of(c, work));
	}
	return list == NULL ||
	       conn_command(c->target, arena_printf(c->arena, "TRUNCATE %s", list), c->err);
}

/*
 * What an earlier copy has left of a table, and parts of it that are still under way, which are
 * waited for.  The server does not truncate what other tables refer to without them, which hold
 * what is theirs, or nothing yet; when rows are deleted, the role has no keys looked at.
 */
static bool
empty_left(struct copier *c, const struct work *work)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;
	const char *rows = rows_of(c, work);

	params_i64(&params, work->to->oid);
	if (!conn_run(c->target, "SELECT EXISTS (SELECT FROM pg_constraint WHERE contype = 'f'"
		      " AND confrelid = $1::oid AND conrelid <> confrelid)", &params, &result,
		      c->err))
		return false;
	if (!result_bool(result, 0, 0))
		return conn_command(c->target, arena_printf(c->arena, "TRUNCATE %s", rows), c->err);
	return conn_command(c->target, arena_printf(c->arena, "LOCK TABLE %s IN SHARE ROW EXCLUSIVE"
						    " MODE", rows), c->err) &&
	       conn_command(c->target, arena_printf(c->arena, "DELETE FROM %s", rows), c->err);
}

static bool
empty_lefts(struct copier *c)
{
	for (size_t i = 0; i < c->n_works; i++)
		if (is_left(c, &c->works[i]) && !empty_left(c, &c->works[i]))
			return false;
	return true;
}

/* The unfinished copies that go with the rows; their processes, if any are left, find out. */
static bool
forget_begun(struct copier *c)
{
	for (size_t i = 0; i < c->n_works; i++) {
		const struct inventory_table *to = c->works[i].to;
		struct params params = PARAMS_NONE;

		params_uuid(&params, c->link->uuid);
		params_literal(&params, table_sql(c->arena, to->schema, to->name));
		if (c->works[i].begun &&
		    !conn_run(c->target, "SELECT elvis.table_forget($1, $2::regclass)", &params,
			      NULL, c->err))
			return false;
	}
	return true;
}

static bool
empty_tables(struct copier *c)
{
	struct params params = PARAMS_NONE;
	bool any = false;

	for (size_t i = 0; i < c->n_works; i++)
		any |= c->works[i].filled || c->works[i].begun;
	params_i32(&params, (int32_t) c->link->from->id);
	return !any ||
	       (conn_command(c->target, "BEGIN", c->err) &&
		conn_run(c->target, "SELECT elvis.begin_copy($1)", &params, NULL, c->err) &&
		truncate_tables(c) && empty_lefts(c) && forget_begun(c) &&
		conn_command(c->target, "COMMIT", c->err));
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
	/* what has run since may have been copied before: it is to be filled anew */
	for (size_t i = 0; i < c->n_works && !*is_new; i++)
		c->works[i].done = false;
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
	const struct part *part = &c->parts[task];
	const struct work *work = part->work;

	return (work->parts > 1 ? fill_part(c->fill, work->from, work->to, part->pages,
					    tell_bytes, NULL, err)
				: fill_table(c->fill, work->from, work->to, tell_bytes, NULL,
					     err)) ||
	       err_wrap(err, "copying %s.%s", work->from->schema, work->from->name);
}

static void
tell(struct copier *c, const struct work *work)
{
	struct copy_progress progress = {
		.schema = work->from->schema, .table = work->from->name,
		.number = work->number, .of = c->n_works, .bytes = work->bytes,
		.skipped = work->done, .finished = work->parts_left == 0,
	};

	if (c->options->listener != NULL)
		c->options->listener(c->options->context, &progress);
}

static void
hear_bytes(void *context, size_t task, int64_t bytes)
{
	struct copier *c = context;
	struct part *part = &c->parts[task];

	part->work->bytes += bytes - part->bytes;
	part->bytes = bytes;
	tell(c, part->work);
}

static void
hear_done(void *context, size_t task, int64_t bytes)
{
	struct copier *c = context;

	c->parts[task].work->parts_left--;
	hear_bytes(context, task, bytes);
}

/* Parts -------------------------------------------------------------------------- */

/* The largest first: the last to be done should be short. */
static int
by_weight(const void *a, const void *b)
{
	const struct part *left = a, *right = b;

	if (left->weight != right->weight)
		return left->weight > right->weight ? -1 : 1;
	if (left->work->number != right->work->number)
		return left->work->number < right->work->number ? -1 : 1;
	return left->pages.begin < right->pages.begin ? -1 : 1;
}

static bool
add_parts(struct copier *c, struct work *work, const struct split *split)
{
	work->parts = work->parts_left = split->parts;
	for (size_t i = 0; i < split->parts && split->parts > 1; i++)
		c->parts[c->n_parts++] = (struct part){
			.work = work, .pages = split_pages(split, i),
			.weight = split->bytes / (int64_t) split->parts,
		};
	if (split->parts == 1) {
		c->parts[c->n_parts++] = (struct part){
			.work = work, .weight = work->from->pages * PAGE_BYTES,
		};
		return true;
	}
	return fill_expect(&c->job, c->target, work->to, split->parts, c->arena, c->err) ||
	       err_wrap(c->err, "copying %s.%s", work->from->schema, work->from->name);
}

static bool
divide_tables(struct copier *c)
{
	struct split *splits = arena_zalloc(c->arena, (c->n_works + 1) * sizeof(*splits));
	size_t n_parts = 0;

	for (size_t i = 0; i < c->n_works; i++)
		if (!c->works[i].done && is_ours(c, c->works[i].to))
			splits[i].table = c->works[i].from;
	if (!split_tables(splits, c->n_works, c->options->jobs, c->source, c->arena,
			  &c->job.locked, c->err))
		return err_wrap(c->err, "node '%s'", c->link->from->name);
	for (size_t i = 0; i < c->n_works; i++)
		n_parts += splits[i].parts;
	c->parts = arena_zalloc(c->arena, (n_parts + 1) * sizeof(*c->parts));
	for (size_t i = 0; i < c->n_works; i++)
		if (!c->works[i].done && !add_parts(c, &c->works[i], &splits[i]))
			return false;
	qsort(c->parts, c->n_parts, sizeof(*c->parts), by_weight);
	return true;
}

static bool
fill_tables(struct copier *c)
{
	struct crew_work crew = {
		.workers = c->options->jobs, .tasks = c->n_parts, .start = start_filling,
		.perform = perform, .told = hear_bytes, .done = hear_done, .context = c,
	};
	bool filled;

	for (size_t i = 0; i < c->n_works; i++)
		if (c->works[i].done)
			tell(c, &c->works[i]);
	filled = crew_run(&crew, c->err);
	fill_close(c->fill);
	return filled;
}

static bool
copy_all(struct copier *c, const struct inventory_subscriber *before)
{
	size_t moved;
	bool is_new;

	if (!read_marks(c) || !choose_tables(c) || !prepare_link(c, &is_new) ||
	    !open_snapshot(c) || !divide_tables(c) || !fill_tables(c))
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
