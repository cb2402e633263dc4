#include "daemon/survey.h"

#include "base/log.h"
#include "base/mem.h"
#include "conf/topology.h"
#include "setup/chain.h"
#include "setup/site.h"

/* A node that takes longer is one that a link has to wait for, too. */
#define CONNECT_MS 2000

static bool
is_attached(const struct site *site, const struct topology_table *table)
{
	for (size_t i = 0; i < site->conf->n_nodes; i++) {
		const struct inventory_table *there = inventory_table(
			&site->nodes[i].inventory, table->schema, table->name);

		if (there != NULL && there->role != NULL)
			return true;
	}
	return false;
}

/*
 * Only what is attached can do harm.  A table made since, that a pattern happens to match, is
 * looked at when elvisctl apply is asked to attach it, and keeps no daemon from starting.
 */
static bool
check_topology(const struct site *site, struct plugin_set *plugins, struct err *err)
{
	AUTO_FREE struct topology_table *tables =
		mem_zalloc((site->n_tables + 1) * sizeof(*tables));
	struct topology *topology;
	size_t n = 0;
	bool sound;

	for (size_t i = 0; i < site->n_tables; i++)
		if (is_attached(site, &site->tables[i]))
			tables[n++] = site->tables[i];
	topology = topology_new(site->conf, tables, n, chain_converges, plugins);
	sound = topology_sound(topology, TOPOLOGY_DANGER, err);
	topology_free(topology);
	return sound;
}

static void
warn_of_node(const struct site_node *node, const char *subject)
{
	if (node->conn == NULL) {
		log_warning(subject, "%s; its tables have not been looked at", node->err.text);
		return;
	}
	for (size_t i = 0; i < node->inventory.n_tables; i++) {
		const struct inventory_table *table = &node->inventory.tables[i];

		if (table->role != NULL && !table->armed)
			log_warning(subject, "node '%s': table %s.%s is a %s, but a trigger of "
				    "that is missing or disabled, and what is written meanwhile "
				    "goes unseen; elvisctl apply puts it back",
				    node->node->name, table->schema, table->name, table->role);
	}
}

bool
survey(const struct conf *conf, struct plugin_set *plugins, int stop_fd, const char *subject,
       struct err *err)
{
	struct conn_options how = {
		.application = subject, .stop_fd = stop_fd, .connect_ms = CONNECT_MS,
	};
	struct site *site = site_open_with(conf, &how);
	bool sound = check_topology(site, plugins, err);

	for (size_t i = 0; sound && i < conf->n_nodes; i++)
		warn_of_node(&site->nodes[i], subject);
	site_close(site);
	return sound;
}
