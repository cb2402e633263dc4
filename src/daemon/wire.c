/*
 * wire.c - a link made out of its parts.
 */
#include "daemon/wire.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/rulebook.h"
#include "pg/source.h"
#include "plugin/sink.h"

struct wire {
	const struct conf_link *conf;
	struct arena *arena;
	struct breadcrumbs *crumbs;
	struct breadcrumb_slot *slot;
	struct rulebook *book;
	struct sink *sink;
	struct source *own;
	struct link *link;
	pthread_t thread;
	bool started;
	bool crashed;		/* in a policy, in an earlier run */
};

/* The sink, as the engine calls it ----------------------------------------------- */

static bool
op_open(void *self, struct err *err)
{
	return sink_open(self, err);
}

static void
op_close(void *self)
{
	sink_close(self);
}

static bool
op_position(void *self, struct elvis_position *position, bool *known, struct err *err)
{
	return sink_position(self, position, known, err);
}

static bool
op_table(void *self, const struct elvis_table *table, const struct elvis_rules *rules,
	 struct err *err)
{
	return sink_table(self, table, rules, err);
}

static bool
op_begin(void *self, const struct elvis_position *position, struct err *err)
{
	return sink_begin(self, position, err);
}

static bool
op_write(void *self, const struct elvis_piece *piece, struct err *err)
{
	return sink_write(self, piece, err);
}

static bool
op_commit(void *self, const struct elvis_position *next, int64_t at, struct err *err)
{
	return sink_commit(self, next, at, err);
}

static void
op_rollback(void *self)
{
	sink_rollback(self);
}

static bool
op_durable(void *self, struct elvis_position *position, bool *known, struct err *err)
{
	return sink_durable(self, position, known, err);
}

static bool
op_settle(void *self, struct err *err)
{
	return sink_settle(self, err);
}

static int
op_form(void *self)
{
	return sink_format(self) == ELVIS_SINK_ROWS ? ELVIS_FORM_TEXT : (int) sink_form(self);
}

static const struct sink_ops sink_ops = {
	.open = op_open, .close = op_close, .position = op_position, .table = op_table,
	.begin = op_begin, .write = op_write, .commit = op_commit, .rollback = op_rollback,
	.durable = op_durable, .settle = op_settle, .form = op_form,
};

/* Making ------------------------------------------------------------------------ */

static void
list_priorities(const struct conf *conf, struct link_settings *settings, struct arena *arena)
{
	struct node_priority *list = arena_alloc(arena, (conf->n_nodes + 1) * sizeof(*list));

	for (size_t i = 0; i < conf->n_nodes; i++)
		list[i] = (struct node_priority){ conf->nodes[i].id, conf->nodes[i].priority };
	settings->priorities = list;
	settings->n_priorities = conf->n_nodes;
}

/* A target transaction of many tables is held in memory, one that is sent and one that is gathered:
 * each of them, of all links together, an eighth of what is kept of what they read, and none more
 * than 32 times target_bytes. */
static size_t
spread_bytes(const struct conf *conf, const struct conf_link *link)
{
	int64_t share = conf->settings.cache_size / 8 / (int64_t) conf->n_links;
	int64_t most = 32 * link->target_bytes;

	return (size_t) (share < most ? share : most);
}

static struct link *
make_link(const struct conf *conf, const struct conf_link *link, int stop_fd,
	  struct arena *arena)
{
	struct link_settings settings = {
		.name = link->name,
		.uuid = link->uuid,
		.target = link->to != NULL ? link->to->id : 0,
		.local_only = link->forward == CONF_FORWARD_LOCAL,
		.by_transaction = link->granularity == CONF_GRANULARITY_TRANSACTION,
		.target_bytes = (size_t) link->target_bytes,
		.spread_bytes = spread_bytes(conf, link),
		.confirm_ms = (int) conf->settings.confirm_interval,
		.retry_ms = (int) conf->settings.retry_max,
		.stop_fd = stop_fd,
	};

	list_priorities(conf, &settings, arena);
	return link_new(&settings);
}

/* The settings of the sink; one that leads to a node gets that node's conninfo. */
static struct setting_list
sink_settings(const struct conf_link *link, struct arena *arena)
{
	struct setting *list;

	if (link->to == NULL)
		return link->sink.settings;
	list = arena_zalloc(arena, sizeof(*list));
	*list = (struct setting){
		.name = "conninfo", .type = SETTING_STRING, .string = link->to->conninfo,
		.file = link->to->file, .line = link->to->line,
	};
	return (struct setting_list){ .items = list, .count = 1 };
}

static bool
make_sink(struct wire *wire, struct plugin_set *plugins, struct err *err)
{
	const struct conf_plugin *conf = &wire->conf->sink;
	struct setting_list settings = sink_settings(wire->conf, wire->arena);
	const struct plugin *plugin;

	if (!plugin_set_find(plugins, ELVIS_PLUGIN_SINK, conf->use, &plugin, err))
		return err_wrap(err, "%s:%d", conf->file, conf->line);
	return sink_new(&wire->sink, plugin, &settings, link_face(wire->link), err);
}

static void
join(struct wire *wire, struct station *station)
{
	struct link_ends ends = {
		.sink = { &sink_ops, wire->sink, sink_format(wire->sink), sink_flags(wire->sink) },
		.shared = station_cache(station),
		.own = wire->own,
		.mailbox = station_mailbox(station),
		.rules = rulebook_find,
		.rules_context = wire->book,
	};

	link_join(wire->link, &ends);
}

bool
wire_new(struct wire **made, const struct conf *conf, const struct conf_link *link,
	 struct station *station, struct plugin_set *plugins, struct breadcrumbs *crumbs,
	 int stop_fd, struct err *err)
{
	struct wire *wire = mem_zalloc(sizeof(*wire));

	wire->conf = link;
	wire->crumbs = crumbs;
	wire->arena = arena_new();
	wire->slot = breadcrumb_take(crumbs, link->name);
	wire->own = station_reader(station);
	wire->link = make_link(conf, link, stop_fd, wire->arena);
	if (!rulebook_new(&wire->book, link, plugins, wire->slot, err) ||
	    !make_sink(wire, plugins, err)) {
		wire_free(wire);
		return false;
	}
	join(wire, station);
	*made = wire;
	return true;
}

void
wire_free(struct wire *wire)
{
	if (wire == NULL)
		return;
	link_free(wire->link);
	sink_free(wire->sink);
	rulebook_free(wire->book);
	source_free(wire->own);
	breadcrumb_give_back(wire->slot);
	arena_free(wire->arena);
	free(wire);
}

/* Working ----------------------------------------------------------------------- */

/* A policy that took the daemon down with it stops its link, and no other. */
static void
stop_crashed(struct wire *wire)
{
	struct breadcrumb crumb;
	AUTO_FREE char *reason = NULL;

	wire->crashed = breadcrumbs_found(wire->crumbs, wire->conf->name, &crumb);
	if (!wire->crashed)
		return;
	reason = mem_printf("policy_error: elvisd ended inside of policy %s, at change "
			    "%" PRId64 ".%" PRIu64, crumb.policy, crumb.seq, crumb.ordinal);
	link_stop(wire->link, reason);
}

void
wire_tick(struct wire *wire)
{
	if (!wire->crashed || link_stop_pending(wire->link))
		return;
	breadcrumbs_forget(wire->crumbs, wire->conf->name);
	wire->crashed = false;
}

static void *
run(void *context)
{
	struct wire *wire = context;

	link_run(wire->link);
	return NULL;
}

bool
wire_start(struct wire *wire, struct err *err)
{
	int failure;

	stop_crashed(wire);
	failure = pthread_create(&wire->thread, NULL, run, wire);

	wire->started = failure == 0;
	return wire->started || err_set(err, ERR_RETRY, "no thread for link %s: %s",
					wire->conf->name, strerror(failure));
}

void
wire_finish(struct wire *wire)
{
	link_finish(wire->link);
}

bool
wire_ended(struct wire *wire, int64_t until)
{
	struct timespec deadline = {
		.tv_sec = until / CLOCK_S, .tv_nsec = until % CLOCK_S * 1000,
	};

	if (wire->started && until == 0)
		wire->started = pthread_join(wire->thread, NULL) != 0;
	else if (wire->started)
		wire->started = pthread_timedjoin_np(wire->thread, NULL, &deadline) != 0;
	return !wire->started;
}
