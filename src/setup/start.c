#include "setup/start.h"

#include <string.h>

bool
start_subscribe(const struct site *site, const struct conf_link *link,
		struct start_point *point, struct err *err)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	params_uuid(&params, link->uuid);
	params_text(&params, link->name);
	params_text(&params, link->to ? link->to->name : link->sink.use);
	if (!conn_run(site_node(site, link->from)->conn,
		      "SELECT id, token FROM elvis.subscribe($1, $2, $3)", &params, &result,
		      err))
		return err_wrap(err, "link '%s' at '%s'", link->name, link->from->name);
	point->id = result_i64(result, 0, 0);
	point->token = result_i64(result, 0, 1);
	return true;
}

/* The source's incarnation is asked anew: the node may have been set up a moment ago. */
static bool
incarnation_of(const struct site *site, const struct conf_node *node, int64_t *incarnation,
	       struct err *err)
{
	AUTO_RESULT PGresult *result = NULL;

	if (!conn_run(site_node(site, node)->conn,
		      "SELECT incarnation FROM elvis.node_state()", NULL, &result, err))
		return err_wrap(err, "node '%s'", node->name);
	*incarnation = result_i64(result, 0, 0);
	return true;
}

bool
start_position(const struct site *site, const struct conf_link *link,
	       const struct start_point *point, struct err *err)
{
	struct params params = PARAMS_NONE;
	int64_t incarnation = 0;

	if (link->to == NULL)
		return true;
	if (!incarnation_of(site, link->from, &incarnation, err))
		return false;
	params_uuid(&params, link->uuid);
	params_text(&params, link->name);
	params_i32(&params, (int32_t) link->from->id);
	params_i64(&params, incarnation);
	params_i64(&params, point->id);
	params_i64(&params, point->token);
	return conn_run(site_node(site, link->to)->conn,
			"SELECT elvis.link_start($1, $2, $3, $4, $5, $6)", &params, NULL, err) ||
	       err_wrap(err, "link '%s' at '%s'", link->name, link->to->name);
}

bool
start_set_state(const struct site *site, const struct conf_link *link, const char *state,
		const char *reason, struct err *err)
{
	struct params params = PARAMS_NONE;

	params_uuid(&params, link->uuid);
	params_text(&params, state);
	params_text(&params, reason);
	return conn_run(site_node(site, link->from)->conn,
			"SELECT elvis.set_link_state($1, $2, $3)", &params, NULL, err) ||
	       err_wrap(err, "link '%s' at '%s'", link->name, link->from->name);
}

bool
table_filled(struct conn *conn, const struct conf_node *node,
	     const struct inventory_table *table, struct arena *arena, bool *filled,
	     struct err *err)
{
	AUTO_RESULT PGresult *result = NULL;
	const char *name = table_sql(arena, table->schema, table->name);

	if (!conn_run(conn,
		      arena_printf(arena, "SELECT EXISTS (SELECT FROM %s%s)",
				   table->partitioned ? "" : "ONLY ", name), NULL, &result,
		      err))
		return err_wrap(err, "table %s on '%s'", name, node->name);
	*filled = result_bool(result, 0, 0);
	return true;
}

/* Looks at one table at one node. */
static bool
look(const struct site_node *node, const struct inventory_table *table, struct arena *arena,
     const char **words, struct err *err)
{
	bool filled;

	if (!table_filled(node->conn, node->node, table, arena, &filled, err))
		return false;
	if (filled)
		*words = arena_printf(arena, "%s.%s on '%s'", table->schema, table->name,
				      node->node->name);
	return true;
}

bool
start_forbidden(const struct site *site, const struct topology *topology,
		const struct conf_link *link, struct arena *arena, const char **words,
		struct err *err)
{
	const struct site_node *source = site_node(site, link->from);
	const struct site_node *target = site_node(site, link->to);
	size_t number = (size_t) (link->to - site->conf->nodes);

	*words = NULL;
	for (size_t i = 0; i < site->n_tables && *words == NULL; i++) {
		const char *schema = site->tables[i].schema, *name = site->tables[i].name;
		const struct inventory_table *here =
			inventory_table(&source->inventory, schema, name);
		const struct inventory_table *there =
			inventory_table(&target->inventory, schema, name);

		if (here == NULL || conf_link_rule(link, schema, name) == NULL)
			continue;
		if (!look(source, here, arena, words, err))
			return false;
		if (*words == NULL && there != NULL &&
		    topology_role(topology, number, i) != ROLE_MASTER &&
		    !look(target, there, arena, words, err))
			return false;
	}
	return true;
}
