/*
 * fleet.c - stations and wires.
 */
#include "daemon/fleet.h"

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "daemon/station.h"
#include "daemon/wire.h"

struct fleet {
	const struct conf *conf;
	struct plugin_set *plugins;
	int stop_fd;		/* readable: whoever waits gives up */
	struct station **stations;
	size_t n_stations;
	struct wire **wires;
	size_t n_wires;
};

/* Two lists in one; its items stay where they are */
static struct conf_strings
joined(const struct conf_strings *first, const struct conf_strings *then)
{
	const char **items = mem_zalloc((first->count + then->count + 1) * sizeof(*items));

	for (size_t i = 0; i < first->count; i++)
		items[i] = first->items[i];
	for (size_t i = 0; i < then->count; i++)
		items[first->count + i] = then->items[i];
	return (struct conf_strings){ .items = items, .count = first->count + then->count };
}

static struct plugin_set *
find_plugins(const struct conf *conf, const struct plugin_dirs *dirs)
{
	struct conf_strings policies = joined(&dirs->policies, &conf->settings.policy_dirs);
	struct conf_strings sinks = joined(&dirs->sinks, &conf->settings.sink_dirs);
	struct plugin_set *plugins = plugin_set_new(policies.items, policies.count, sinks.items,
						    sinks.count);

	free((void *) (uintptr_t) policies.items);
	free((void *) (uintptr_t) sinks.items);
	return plugins;
}

static struct station *
station_for(struct fleet *fleet, const struct conf_node *node)
{
	for (size_t i = 0; i < fleet->n_stations; i++)
		if (station_node(fleet->stations[i]) == node)
			return fleet->stations[i];
	return fleet->stations[fleet->n_stations++] =
		station_new(fleet->conf, node, fleet->stop_fd);
}

bool
fleet_new(struct fleet **made, const struct conf *conf, const struct plugin_dirs *dirs,
	  struct breadcrumbs *crumbs, struct err *err)
{
	struct fleet *fleet = mem_zalloc(sizeof(*fleet));

	fleet->conf = conf_ref(conf);
	fleet->plugins = find_plugins(conf, dirs);
	fleet->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fleet->stations = mem_zalloc((conf->n_links + 1) * sizeof(*fleet->stations));
	fleet->wires = mem_zalloc((conf->n_links + 1) * sizeof(*fleet->wires));
	for (size_t i = 0; i < conf->n_links; i++) {
		const struct conf_link *link = &conf->links[i];

		if (!wire_new(&fleet->wires[i], conf, link, station_for(fleet, link->from),
			      fleet->plugins, crumbs, fleet->stop_fd, err)) {
			fleet_free(fleet);
			return false;
		}
		fleet->n_wires++;
	}
	*made = fleet;
	return true;
}

const struct conf *
fleet_conf(const struct fleet *fleet)
{
	return fleet->conf;
}

struct plugin_set *
fleet_plugins(const struct fleet *fleet)
{
	return fleet->plugins;
}

/* So that who decided what can be traced to the very bytes that did. */
static void
tell_plugin(void *context, const struct plugin *plugin)
{
	const char *kind = plugin_kind(plugin) == ELVIS_PLUGIN_POLICY ? "policy" : "sink";
	AUTO_FREE char *subject = mem_printf("%s %s", kind, plugin_name(plugin));

	(void) context;
	log_info(subject, "version %s, %s, sha256 %s", plugin_version(plugin),
		 plugin_file(plugin), plugin_hash(plugin));
}

bool
fleet_start(struct fleet *fleet, struct err *err)
{
	plugin_set_each(fleet->plugins, tell_plugin, NULL);
	for (size_t i = 0; i < fleet->n_stations; i++)
		if (!station_start(fleet->stations[i], err))
			return false;
	for (size_t i = 0; i < fleet->n_wires; i++)
		if (!wire_start(fleet->wires[i], err))
			return false;
	return true;
}

void
fleet_tick(struct fleet *fleet)
{
	for (size_t i = 0; i < fleet->n_wires; i++)
		wire_tick(fleet->wires[i]);
}

/* Until then (clock_wall_us(); 0: for good) */
static bool
wires_ended(struct fleet *fleet, int64_t until)
{
	bool all = true;

	for (size_t i = 0; i < fleet->n_wires; i++)
		all &= wire_ended(fleet->wires[i], until);
	return all;
}

void
fleet_end(struct fleet *fleet, int grace_ms)
{
	for (size_t i = 0; i < fleet->n_wires; i++)
		wire_finish(fleet->wires[i]);
	if (!wires_ended(fleet, clock_wall_us() + grace_ms * CLOCK_MS)) {
		(void) !eventfd_write(fleet->stop_fd, 1);
		for (size_t i = 0; i < fleet->n_stations; i++)
			cache_stop(station_cache(fleet->stations[i]));
		(void) !wires_ended(fleet, 0);
	}
	for (size_t i = 0; i < fleet->n_stations; i++)
		station_end(fleet->stations[i]);
}

void
fleet_free(struct fleet *fleet)
{
	if (fleet == NULL)
		return;
	fleet_end(fleet, 0);
	for (size_t i = 0; i < fleet->n_wires; i++)
		wire_free(fleet->wires[i]);
	for (size_t i = 0; i < fleet->n_stations; i++)
		station_free(fleet->stations[i]);
	free(fleet->wires);
	free(fleet->stations);
	plugin_set_free(fleet->plugins);
	close(fleet->stop_fd);
	conf_unref(fleet->conf);
	free(fleet);
}
