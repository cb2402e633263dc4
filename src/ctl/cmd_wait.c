/* elvisctl wait: until what is committed now has been delivered. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/commands.h"
#include "ctl/standing.h"

#define POLL_MS 50

struct waiting {
	struct ctl *ctl;
	struct site *site;
	struct standing *standings;
	size_t n_standings;
	int64_t until_ms;
};

/* A link that does not run will not catch up, whatever the time. */
static bool
can_catch_up(const struct standing *s, struct err *err)
{
	if (strcmp(s->state, "running") != 0)
		return err_set(err, ERR_REFUSED, "link '%s' is %s%s%s", s->link->name, s->state,
			       s->reason ? ": " : "; see elvisctl plan",
			       s->reason ? s->reason : "");
	if (!s->started)
		return err_set(err, ERR_REFUSED, "link '%s' has not started; see elvisctl plan",
			       s->link->name);
	return true;
}

static bool
begin(struct waiting *w, struct err *err)
{
	const struct conf *conf = w->ctl->conf;

	w->standings = arena_zalloc(w->ctl->arena, (conf->n_links + 1) * sizeof(*w->standings));
	for (size_t i = 0; i < conf->n_links; i++) {
		struct standing *s = &w->standings[w->n_standings];

		if (w->ctl->link != NULL && strcmp(w->ctl->link, conf->links[i].name) != 0)
			continue;
		if (!standing_ask(s, w->site, &conf->links[i], w->ctl->arena, err))
			return false;
		w->n_standings++;
	}
	return true;
}

static enum ctl_exit
wait_for(struct waiting *w, struct standing *s, struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new();

	for (;;) {
		if (!s->behind)
			return can_catch_up(s, err) ? CTL_OK : CTL_FAILED;
		if (!can_catch_up(s, err))
			return CTL_FAILED;
		if (clock_mono_ms() >= w->until_ms)
			break;
		clock_nap_ms(POLL_MS);
		arena_reset(arena);
		if (!standing_follow(s, w->site, arena, err))
			return exit_of(err);
	}
	err_set(err, ERR_REFUSED, "link '%s' is not there after %d s: at snapshot %lld, to reach "
		"%lld%s", s->link->name, w->ctl->timeout, (long long) s->at_id,
		(long long) s->newest_id, s->daemon ? "" : "; no elvisd is connected to its source");
	return CTL_LATE;
}

/* Until each link has delivered what its own source holds now. */
static enum ctl_exit
wait_once(struct waiting *w, struct err *err)
{
	enum ctl_exit status = CTL_OK;

	w->n_standings = 0;
	if (!begin(w, err))
		return exit_of(err);
	for (size_t i = 0; i < w->n_standings && status == CTL_OK; i++)
		status = wait_for(w, &w->standings[i], err);
	return status;
}

/* How many links a change passes at most, from `node` on, never meeting a node twice. */
static size_t
hops_from(const struct conf *conf, const struct conf_node *node, bool *met)
{
	size_t place = (size_t) (node - conf->nodes), longest = 0;

	met[place] = true;
	for (size_t i = 0; i < conf->n_links; i++) {
		const struct conf_link *link = &conf->links[i];
		size_t hops = 1;

		if (link->from != node || (link->to != NULL && met[link->to - conf->nodes]))
			continue;
		if (link->to != NULL)
			hops += hops_from(conf, link->to, met);
		longest = hops > longest ? hops : longest;
	}
	met[place] = false;
	return longest;
}

/*
 * A change that is to pass a relay is in its log only when it has got there: as often as the
 * longest way is long, everything has to be waited for.
 */
static size_t
rounds(const struct ctl *ctl)
{
	const struct conf *conf = ctl->conf;
	bool *met = arena_zalloc(ctl->arena, conf->n_nodes * sizeof(*met));
	bool relayed = false;
	size_t longest = 1;

	for (size_t i = 0; i < conf->n_links; i++)
		relayed |= conf->links[i].forward == CONF_FORWARD_ALL;
	if (ctl->link != NULL || !relayed)
		return 1;
	for (size_t i = 0; i < conf->n_nodes; i++) {
		size_t hops = hops_from(conf, &conf->nodes[i], met);

		longest = hops > longest ? hops : longest;
	}
	return longest;
}

static enum ctl_exit
run_wait(struct ctl *ctl, struct err *err)
{
	struct waiting w = {
		.ctl = ctl, .until_ms = clock_mono_ms() + (int64_t) ctl->timeout * 1000,
	};
	enum ctl_exit status = CTL_OK;

	if (ctl->link != NULL && ctl_link(ctl, ctl->link, err) == NULL)
		return CTL_CONFIG;
	w.site = site_open(ctl->conf, "elvisctl wait");
	for (size_t left = rounds(ctl); left > 0 && status == CTL_OK; left--)
		status = wait_once(&w, err);
	site_close(w.site);
	return status;
}

const struct cmd cmd_wait = {
	.name = "wait",
	.words = "",
	.options = OPTION_LINK | OPTION_TIMEOUT,
	.help = "until what is committed at the sources now has been delivered",
	.run = run_wait,
};
