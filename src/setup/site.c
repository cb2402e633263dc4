#include "setup/site.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static struct conn_options
options_of(const struct site_node *node, const struct conn_options *how)
{
	struct conn_options options = *how;

	options.conninfo = node->node->conninfo;
	return options;
}

static void
lose_node(struct site_node *node)
{
	err_wrap(&node->err, "node '%s'", node->node->name);
	conn_close_at(&node->conn);
}

static void
approach_node(struct site_node *node, const struct conn_options *how)
{
	struct conn_options options = options_of(node, how);

	if (!conn_begin(&node->conn, &options, &node->err))
		lose_node(node);
}

/* All are connected to at the same time, so that whoever takes long holds up the others once. */
static void
connect_nodes(struct site *site, const struct conn_options *how)
{
	for (size_t i = 0; i < site->conf->n_nodes; i++)
		approach_node(&site->nodes[i], how);
	for (size_t i = 0; i < site->conf->n_nodes; i++) {
		struct site_node *node = &site->nodes[i];
		struct conn_options options = options_of(node, how);

		if (node->conn != NULL && !conn_finish(node->conn, &options, &node->err))
			lose_node(node);
	}
}

static void
ask_nodes(struct site *site)
{
	AUTO_FREE struct inquiry *inquiries =
		mem_zalloc((site->conf->n_nodes + 1) * sizeof(*inquiries));
	size_t n = 0;

	for (size_t i = 0; i < site->conf->n_nodes; i++) {
		struct site_node *node = &site->nodes[i];

		if (node->conn != NULL)
			inquiries[n++] = (struct inquiry){
				.conn = node->conn, .inventory = &node->inventory,
				.err = &node->err,
			};
	}
	inventory_read(inquiries, n, site->arena);
	for (size_t i = 0; i < site->conf->n_nodes; i++)
		if (site->nodes[i].conn != NULL && site->nodes[i].err.class != ERR_NONE)
			lose_node(&site->nodes[i]);
}

static int
compare_names(const void *a, const void *b)
{
	const struct topology_table *left = a, *right = b;
	int order = strcmp(left->schema, right->schema);

	return order != 0 ? order : strcmp(left->name, right->name);
}

static enum topology_presence
presence_at(const struct site_node *node, const struct topology_table *table,
	    struct conf_strings *columns)
{
	const struct inventory_table *found;

	if (node->conn == NULL)
		return TABLE_UNKNOWN;
	found = inventory_table(&node->inventory, table->schema, table->name);
	if (found == NULL)
		return TABLE_ABSENT;
	*columns = found->columns;
	return found->keyed ? TABLE_PRESENT : TABLE_KEYLESS;
}

/* Every name that some node has, once */
static struct topology_table *
all_names(struct site *site, size_t *count)
{
	size_t room = 1, n = 0;
	struct topology_table *tables;

	for (size_t i = 0; i < site->conf->n_nodes; i++)
		room += site->nodes[i].inventory.n_tables;
	tables = arena_zalloc(site->arena, room * sizeof(*tables));
	for (size_t i = 0; i < site->conf->n_nodes; i++)
		for (size_t j = 0; j < site->nodes[i].inventory.n_tables; j++) {
			tables[n].schema = site->nodes[i].inventory.tables[j].schema;
			tables[n++].name = site->nodes[i].inventory.tables[j].name;
		}
	qsort(tables, n, sizeof(*tables), compare_names);
	*count = 0;
	for (size_t i = 0; i < n; i++)
		if (*count == 0 || compare_names(&tables[*count - 1], &tables[i]) != 0)
			tables[(*count)++] = tables[i];
	return tables;
}

static void
gather_tables(struct site *site)
{
	size_t n_nodes = site->conf->n_nodes;
	struct topology_table *tables = all_names(site, &site->n_tables);

	for (size_t i = 0; i < site->n_tables; i++) {
		enum topology_presence *on =
			arena_zalloc(site->arena, (n_nodes + 1) * sizeof(*on));
		struct conf_strings *columns =
			arena_zalloc(site->arena, (n_nodes + 1) * sizeof(*columns));

		for (size_t j = 0; j < n_nodes; j++)
			on[j] = presence_at(&site->nodes[j], &tables[i], &columns[j]);
		tables[i].on = on;
		tables[i].columns = columns;
	}
	site->tables = tables;
}

struct site *
site_open_with(const struct conf *conf, const struct conn_options *how)
{
	struct site *site = mem_zalloc(sizeof(*site));

	site->conf = conf_ref(conf);
	site->arena = arena_new();
	site->nodes = mem_zalloc((conf->n_nodes + 1) * sizeof(*site->nodes));
	for (size_t i = 0; i < conf->n_nodes; i++)
		site->nodes[i].node = &conf->nodes[i];
	connect_nodes(site, how);
	ask_nodes(site);
	gather_tables(site);
	return site;
}

struct site *
site_open(const struct conf *conf, const char *application)
{
	return site_open_with(conf, &(struct conn_options){
			.application = application, .stop_fd = -1,
		});
}

void
site_close(struct site *site)
{
	if (site == NULL)
		return;
	for (size_t i = 0; i < site->conf->n_nodes; i++)
		conn_close(site->nodes[i].conn);
	free(site->nodes);
	arena_free(site->arena);
	conf_unref(site->conf);
	free(site);
}

bool
site_complete(const struct site *site, struct err *err)
{
	for (size_t i = 0; i < site->conf->n_nodes; i++)
		if (site->nodes[i].conn == NULL) {
			*err = site->nodes[i].err;
			return false;
		}
	return true;
}

struct site_node *
site_node(const struct site *site, const struct conf_node *node)
{
	return &site->nodes[node - site->conf->nodes];
}

static bool
identify(const char *conninfo, const char *application, struct arena *arena, uint32_t *id,
	 const char **name, struct err *err)
{
	AUTO_CONN struct conn *conn = NULL;
	struct inventory inventory;
	struct inquiry inquiry = { .inventory = &inventory, .err = err };

	if (!conn_open(&conn, &(struct conn_options){
			.conninfo = conninfo, .application = application, .stop_fd = -1,
		}, err))
		return false;
	inquiry.conn = conn;
	inventory_read(&inquiry, 1, arena);
	if (!inquiry.done)
		return false;
	if (inventory.id != 0) {
		*id = inventory.id;
		*name = inventory.name;
	}
	return true;
}

bool
site_identify(struct conf_arguments *arguments, struct arena *arena, const char *application,
	      struct err *err)
{
	if (arguments->from != NULL &&
	    !identify(arguments->from, application, arena, &arguments->from_id,
		      &arguments->from_name, err))
		return err_wrap(err, "--from");
	if (arguments->to != NULL &&
	    !identify(arguments->to, application, arena, &arguments->to_id,
		      &arguments->to_name, err))
		return err_wrap(err, "--to");
	return true;
}
