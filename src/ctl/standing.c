#include "ctl/standing.h"

#include <string.h>

#include "base/clock.h"

static struct conn *
source_of(const struct standing *standing, const struct site *site)
{
	return site_node(site, standing->link->from)->conn;
}

static const char *
text_or_null(struct arena *arena, const PGresult *result, int row, int column)
{
	return result_null(result, row, column)
		       ? NULL
		       : arena_strdup(arena, result_text(result, row, column));
}

/* What the source says; a link to a sink has its position there too. */
static bool
ask_subscriber(struct standing *s, const struct site *site, struct arena *arena,
	       int64_t *known_at, struct err *err)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	s->subscribed = false;
	s->state = "new";
	s->reason = NULL;
	params_uuid(&params, s->link->uuid);
	params_text(&params, s->link->from->name);
	if (!conn_run(source_of(s, site),
		      "SELECT state, reason, confirmed_id, confirmed_seq, confirmed_at,"
		      "       EXISTS (SELECT FROM pg_stat_activity a"
		      "               WHERE a.application_name = left('elvisd ' || $2, 63)"
		      "                 AND a.datname = current_database())"
		      "  FROM elvis.subscriber WHERE link = $1", &params, &result, err))
		return false;
	if (PQntuples(result) == 0)
		return true;
	s->subscribed = true;
	s->state = text_or_null(arena, result, 0, 0);
	s->reason = text_or_null(arena, result, 0, 1);
	s->daemon = result_bool(result, 0, 5);
	if (s->link->to != NULL)
		return true;
	s->started = true;
	s->at_id = result_i64(result, 0, 2);
	s->seq = result_i64(result, 0, 3);
	*known_at = result_time(result, 0, 4);
	return true;
}

static bool
ask_position(struct standing *s, const struct site *site, int64_t *known_at, struct err *err)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	params_uuid(&params, s->link->uuid);
	if (!conn_run(site_node(site, s->link->to)->conn,
		      "SELECT from_id, seq, coalesce(source_at, at) FROM elvis.position"
		      " WHERE link = $1", &params, &result, err))
		return false;
	s->started = PQntuples(result) > 0;
	if (!s->started)
		return true;
	s->at_id = result_i64(result, 0, 0);
	s->seq = result_i64(result, 0, 1);
	*known_at = result_time(result, 0, 2);
	return true;
}

/* The newest snapshot, taken if there is something behind the one that is known */
static bool
newer_than(struct conn *source, int64_t known, int64_t *newest, struct err *err)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	params_i64(&params, known);
	if (!conn_run(source, "SELECT id FROM elvis.wait_snapshot($1, 0, 0)", &params, &result,
		      err))
		return false;
	*newest = result_i64(result, 0, 0);
	return true;
}

/*
 * The first snapshot that is told may have been there before what has been committed since, and
 * the second may have been under way then; the third was taken after the second was there.
 */
static bool
ask_newest(struct standing *s, const struct site *site, struct err *err)
{
	int64_t known = s->at_id;

	for (int i = 0; i < 3; i++) {
		if (!newer_than(source_of(s, site), known, &s->newest_id, err))
			return false;
		if (s->newest_id <= known)
			break;
		known = s->newest_id;
	}
	return true;
}

static bool
ask_ends(struct standing *s, const struct site *site, struct arena *arena, int64_t *known_at,
	 struct err *err)
{
	if (!ask_subscriber(s, site, arena, known_at, err))
		return err_wrap(err, "node '%s'", s->link->from->name);
	if (s->link->to != NULL && !ask_position(s, site, known_at, err))
		return err_wrap(err, "node '%s'", s->link->to->name);
	return true;
}

static bool
is_set_up(const struct site *site, const struct conf_node *node)
{
	return node == NULL || site_node(site, node)->inventory.id != 0;
}

static bool
is_reached(const struct site *site, const struct conf_node *node, struct err *err)
{
	if (node == NULL || site_node(site, node)->conn != NULL)
		return true;
	*err = site_node(site, node)->err;
	return false;
}

bool
standing_ask(struct standing *standing, const struct site *site, const struct conf_link *link,
	     struct arena *arena, struct err *err)
{
	int64_t known_at = 0;

	*standing = (struct standing){ .link = link, .state = "new" };
	if (!is_reached(site, link->from, err) || !is_reached(site, link->to, err))
		return false;
	if (!is_set_up(site, link->from) || !is_set_up(site, link->to))
		return true;
	if (!ask_ends(standing, site, arena, &known_at, err))
		return false;
	if (!standing->started || !standing->subscribed)
		return true;
	if (!ask_newest(standing, site, err))
		return err_wrap(err, "node '%s'", link->from->name);
	standing->behind = standing->newest_id > standing->at_id;
	if (standing->behind && known_at > 0)
		standing->lag = (double) (clock_wall_us() - known_at) / CLOCK_S;
	if (standing->lag < 0)
		standing->lag = 0;
	return true;
}

bool
standing_follow(struct standing *standing, const struct site *site, struct arena *arena,
		struct err *err)
{
	int64_t known_at = 0;

	if (!ask_ends(standing, site, arena, &known_at, err))
		return false;
	standing->behind = standing->newest_id > standing->at_id;
	return true;
}
