/* elvisctl pause, resume, skip and forget: what an operator tells a link. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/commands.h"
#include "model/subscriber.h"
#include "setup/copy.h"
#include "setup/site.h"
#include "setup/start.h"

/* A link with its two ends asked */
struct addressed {
	const struct conf_link *link;
	struct site *site;
	const struct inventory_subscriber *subscriber;	/* NULL: not subscribed */
};

static bool
site_reached(const struct site *site, const struct conf_node *node, struct err *err)
{
	if (site_node(site, node)->conn != NULL)
		return true;
	*err = site_node(site, node)->err;
	return false;
}

/* Opens the site, which addressed_close() ends even after a failure. */
static bool
addressed_open(struct addressed *a, struct ctl *ctl, struct err *err)
{
	*a = (struct addressed){ .link = ctl_link(ctl, ctl->argv[0], err) };
	if (a->link == NULL)
		return false;
	a->site = site_open(ctl->conf, "elvisctl");
	if (!site_reached(a->site, a->link->from, err))
		return false;
	a->subscriber = inventory_subscriber(&site_node(a->site, a->link->from)->inventory,
					     a->link->uuid);
	return true;
}

static void
addressed_close(struct addressed *a)
{
	site_close(a->site);
}

static bool
is_subscribed(const struct addressed *a, struct err *err)
{
	return a->subscriber != NULL ||
	       err_set(err, ERR_CONFIG, "link '%s' has not started at '%s'; see elvisctl plan",
		       a->link->name, a->link->from->name);
}

static bool
set_state(const struct addressed *a, const char *state, const char *reason, struct err *err)
{
	return start_set_state(a->site, a->link, state, reason, err);
}

static enum ctl_exit
finish(struct addressed *a, bool ok, const struct err *err, const char *what)
{
	if (ok)
		printf("link '%s' %s\n", a->link->name, what);
	addressed_close(a);
	return ok ? CTL_OK : exit_of(err);
}

/* A stop says more than a pause, and is not to be covered by one. */
static bool
may_pause(const struct addressed *a, struct err *err)
{
	return strcmp(a->subscriber->state, "stopped") != 0 ||
	       err_set(err, ERR_REFUSED, "link '%s' has stopped already: %s", a->link->name,
		       a->subscriber->reason ? a->subscriber->reason : "no reason recorded");
}

static enum ctl_exit
run_pause(struct ctl *ctl, struct err *err)
{
	struct addressed a;
	bool ok = addressed_open(&a, ctl, err) && is_subscribed(&a, err) &&
		  may_pause(&a, err) &&
		  set_state(&a, "paused", ctl->reason ? ctl->reason : "paused by an operator",
			    err);

	return finish(&a, ok, err, "is paused; its log is kept at the source");
}

static bool
may_resume(const struct addressed *a, const struct ctl *ctl, struct err *err)
{
	const char *reason = a->subscriber->reason;

	if (reason == NULL || strncmp(reason, COPY_REASON, strlen(COPY_REASON)) != 0 ||
	    (ctl->given & OPTION_ACCEPT) != 0)
		return true;
	return err_set(err, ERR_REFUSED, "link '%s' is paused because %s; elvisctl copy %s goes "
		       "on with it, resume --accept runs the link without", a->link->name,
		       reason, a->link->name);
}

/* What an unfinished copy has left is the table's, such as it is. */
static bool
accept_copy(const struct addressed *a, const struct ctl *ctl, struct err *err)
{
	struct params params = PARAMS_NONE;

	if ((ctl->given & OPTION_ACCEPT) == 0 || a->link->to == NULL)
		return true;
	params_uuid(&params, a->link->uuid);
	return site_reached(a->site, a->link->to, err) &&
	       (conn_run(site_node(a->site, a->link->to)->conn,
			 "SELECT elvis.table_forget(link, relid) FROM elvis.position_table"
			 " WHERE link = $1 AND parts_left > 0", &params, NULL, err) ||
		err_wrap(err, "link '%s' at '%s'", a->link->name, a->link->to->name));
}

/* A daemon that does not run now is to know that its link was resumed although it had stopped. */
static const char *
known_reason(const struct addressed *a, struct arena *arena)
{
	const char *reason = a->subscriber->reason;

	if (strcmp(a->subscriber->state, "stopped") != 0 || reason == NULL)
		return NULL;
	return arena_printf(arena, REASON_RESUMED "%s", reason);
}

static enum ctl_exit
run_resume(struct ctl *ctl, struct err *err)
{
	struct addressed a;
	bool ok = addressed_open(&a, ctl, err) && is_subscribed(&a, err) &&
		  may_resume(&a, ctl, err) && accept_copy(&a, ctl, err) &&
		  set_state(&a, "running", known_reason(&a, ctl->arena), err);

	return finish(&a, ok, err, "runs");
}

/* The change that a link has stopped at, as its target has recorded it */
struct stop {
	int64_t seq, ordinal;
	const char *words;
};

static bool
find_stop(const struct addressed *a, struct stop *stop, struct arena *arena, struct err *err)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	params_uuid(&params, a->link->uuid);
	if (!conn_run(site_node(a->site, a->link->to)->conn,
		      "SELECT verdict, seq, ordinal, operation, table_schema || '.' || table_name,"
		      "       coalesce(kind, ''), coalesce(key::text, '')"
		      "  FROM elvis.resolution WHERE link = $1 ORDER BY id DESC LIMIT 1",
		      &params, &result, err))
		return err_wrap(err, "node '%s'", a->link->to->name);
	if (PQntuples(result) == 0 || strcmp(result_text(result, 0, 0), "stop") != 0)
		return err_set(err, ERR_REFUSED, "link '%s' did not stop at a change: %s; mend "
			       "that and elvisctl resume %s", a->link->name,
			       a->subscriber->reason ? a->subscriber->reason
						     : "no reason recorded",
			       a->link->name);
	*stop = (struct stop){
		.seq = result_i64(result, 0, 1), .ordinal = result_i64(result, 0, 2),
		.words = arena_printf(arena, "%s of %s %s (%s)", result_text(result, 0, 3),
				      result_text(result, 0, 4), result_text(result, 0, 6),
				      result_text(result, 0, 5)),
	};
	return true;
}

static bool
may_skip(const struct addressed *a, struct err *err)
{
	if (a->link->to == NULL)
		return err_set(err, ERR_CONFIG, "link '%s' leads to sink %s, which meets no "
			       "conflicts to skip", a->link->name, a->link->sink.use);
	if (strcmp(a->subscriber->state, "stopped") != 0)
		return err_set(err, ERR_REFUSED, "link '%s' is %s; only the change that stopped "
			       "a link can be skipped", a->link->name, a->subscriber->state);
	return site_reached(a->site, a->link->to, err);
}

static bool
skip_change(const struct addressed *a, const struct stop *stop, struct err *err)
{
	struct params params = PARAMS_NONE;

	params_uuid(&params, a->link->uuid);
	params_i64(&params, stop->seq);
	params_i64(&params, stop->ordinal);
	return conn_run(site_node(a->site, a->link->to)->conn,
			"SELECT elvis.skip_change($1, $2, $3)", &params, NULL, err) ||
	       err_wrap(err, "link '%s' at '%s'", a->link->name, a->link->to->name);
}

static enum ctl_exit
run_skip(struct ctl *ctl, struct err *err)
{
	struct addressed a;
	struct stop stop = { .words = "" };
	bool ok = addressed_open(&a, ctl, err) && is_subscribed(&a, err) &&
		  may_skip(&a, err) && find_stop(&a, &stop, ctl->arena, err) &&
		  skip_change(&a, &stop, err) && set_state(&a, "running", NULL, err);

	return finish(&a, ok, err,
		      arena_printf(ctl->arena, "runs and passes the %s", stop.words));
}

static bool
forget(const struct addressed *a, struct err *err)
{
	struct params params = PARAMS_NONE;

	params_uuid(&params, a->link->uuid);
	if (a->link->to != NULL &&
	    (!site_reached(a->site, a->link->to, err) ||
	     !conn_run(site_node(a->site, a->link->to)->conn, "SELECT elvis.link_forget($1)",
		       &params, NULL, err)))
		return err_wrap(err, "link '%s' at '%s'", a->link->name, a->link->to->name);
	return conn_run(site_node(a->site, a->link->from)->conn, "SELECT elvis.unsubscribe($1)",
			&params, NULL, err) ||
	       err_wrap(err, "link '%s' at '%s'", a->link->name, a->link->from->name);
}

static enum ctl_exit
run_forget(struct ctl *ctl, struct err *err)
{
	struct addressed a;
	bool ok = addressed_open(&a, ctl, err) && forget(&a, err);

	return finish(&a, ok, err, "has no position and no log any more; apply or copy begin it anew");
}

const struct cmd cmd_pause = {
	.name = "pause",
	.words = "LINK",
	.least_words = 1,
	.most_words = 1,
	.options = OPTION_REASON,
	.help = "hold a link; its log is kept",
	.run = run_pause,
};

const struct cmd cmd_resume = {
	.name = "resume",
	.words = "LINK",
	.least_words = 1,
	.most_words = 1,
	.options = OPTION_ACCEPT,
	.help = "let a paused or stopped link run again",
	.run = run_resume,
};

const struct cmd cmd_skip = {
	.name = "skip",
	.words = "LINK",
	.least_words = 1,
	.most_words = 1,
	.help = "let a stopped link pass the change it stopped at, and nothing else",
	.run = run_skip,
};

const struct cmd cmd_forget = {
	.name = "forget",
	.words = "LINK",
	.least_words = 1,
	.most_words = 1,
	.help = "drop what both ends know of a link, for it to begin anew",
	.run = run_forget,
};
