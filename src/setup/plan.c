#include "setup/plan.h"

#include <string.h>

#include "base/log.h"
#include "setup/start.h"

struct planner {
	struct site *site;
	const struct topology *topology;
	const struct plan_options *options;
	struct arena *arena;
	struct err *err;
	struct step *steps;
	size_t n_steps, room;
};

static void
add_step(struct planner *p, struct step step)
{
	if (p->n_steps == p->room) {
		struct step *more;

		p->room = p->room ? p->room * 2 : 64;
		more = arena_alloc(p->arena, p->room * sizeof(*more));
		for (size_t i = 0; i < p->n_steps; i++)
			more[i] = p->steps[i];
		p->steps = more;
	}
	p->steps[p->n_steps++] = step;
}

static bool
plan_extension(struct planner *p, const struct site_node *node)
{
	if (node->inventory.installed)
		return true;
	if (!node->inventory.available)
		return err_set(p->err, ERR_CONFIG,
			       "node '%s': its server has no extension elvis to create; install "
			       "elvis on that machine, with make install or its package",
			       node->node->name);
	add_step(p, (struct step){ .node = node->node, .words = "create the extension",
				   .sql = "CREATE EXTENSION elvis" });
	return true;
}

static bool
check_identity(struct planner *p, const struct site_node *node)
{
	const struct inventory *there = &node->inventory;
	const struct conf_node *node_conf = node->node;

	if (there->id != 0 && !there->genuine)
		return err_set(p->err, ERR_CONFIG,
			       "node '%s': %s; elvisctl same-node %s if it takes that node's "
			       "place, elvisctl adopt-node %s if it is another node from now on",
			       node_conf->name, there->detail, node_conf->name,
			       node_conf->name);
	if (there->id != 0 && there->id != node_conf->id)
		return err_set(p->err, ERR_CONFIG,
			       "%s:%d: node '%s' has id %u, but its database is node %u ('%s'), "
			       "which never changes; write id = %u", node_conf->file,
			       node_conf->line, node_conf->name, node_conf->id, there->id,
			       there->name, there->id);
	return true;
}

static bool
plan_node(struct planner *p, const struct site_node *node)
{
	const struct inventory *there = &node->inventory;
	const struct conf_node *wanted = node->node;

	if (!plan_extension(p, node) || !check_identity(p, node))
		return false;
	if (there->id != 0 && strcmp(there->name, wanted->name) == 0 &&
	    there->priority == wanted->priority)
		return true;
	add_step(p, (struct step){
		.node = wanted,
		.words = arena_printf(p->arena, there->id == 0
					? "become node %u, \"%s\", with priority %d"
					: "stay node %u, called \"%s\", with priority %d",
				      wanted->id, wanted->name, wanted->priority),
		.sql = arena_printf(p->arena, "SELECT elvis.setup_node(%u, %s, %d)",
				    wanted->id, quote_text(p->arena, wanted->name),
				    wanted->priority),
	});
	return true;
}

/* What the rules of the links at a node say about capturing a table there */
struct capture {
	const char *key;
	int64_t unchanged;
};

static bool
needs_large(const struct planner *p, const struct conf_rule *rule)
{
	const struct plan_options *options = p->options;

	for (int kind = 1; options->needs_large != NULL && kind < ELVIS_CONFLICT_KIND_END; kind++)
		if (options->needs_large(options->context,
					 conf_rule_chain(rule, (enum elvis_conflict_kind) kind)))
			return true;
	return false;
}

static struct capture
capture_wanted(const struct planner *p, const struct conf_node *node,
	       const struct topology_table *table)
{
	struct capture wanted = { .key = NULL, .unchanged = -1 };

	for (size_t i = 0; i < p->site->conf->n_links; i++) {
		const struct conf_link *link = &p->site->conf->links[i];
		const struct conf_rule *rule = conf_link_rule(link, table->schema, table->name);

		if (rule == NULL || (link->from != node && link->to != node))
			continue;
		if (wanted.key == NULL)
			wanted.key = rule->key;
		if (link->from != node)
			continue;
		if (rule->capture_unchanged > wanted.unchanged)
			wanted.unchanged = rule->capture_unchanged;
		if (needs_large(p, rule))
			wanted.unchanged = INT32_MAX;
	}
	return wanted;
}

static bool
same_text(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static void
plan_attach(struct planner *p, const struct site_node *node,
	    const struct topology_table *table, enum topology_role role)
{
	const struct inventory_table *there =
		inventory_table(&node->inventory, table->schema, table->name);
	struct capture wanted = capture_wanted(p, node->node, table);
	const char *name = table_sql(p->arena, table->schema, table->name);

	if (there == NULL)
		return;
	if (same_text(there->role, role_name(role)) && same_text(there->key, wanted.key) &&
	    there->capture_unchanged == wanted.unchanged && there->armed)
		return;
	add_step(p, (struct step){
		.node = node->node,
		.words = arena_printf(p->arena, "attach %s.%s as %s%s%s%s", table->schema,
				      table->name, role_name(role),
				      there->role ? ", was " : "", there->role ? there->role : "",
				      there->armed ? "" : " with a trigger missing or disabled: what "
				      "was written meanwhile is not captured"),
		.sql = arena_printf(p->arena, "SELECT elvis.attach(%s, '%s', %s, %s)",
				    quote_text(p->arena, name), role_name(role),
				    wanted.key ? quote_text(p->arena, wanted.key) : "NULL",
				    wanted.unchanged < 0
					    ? "NULL"
					    : arena_printf(p->arena, "%lld",
							   (long long) wanted.unchanged)),
	});
}

static void
plan_detach(struct planner *p, const struct site_node *node,
	    const struct topology_table *table, const struct inventory_table *there)
{
	const char *name = table_sql(p->arena, table->schema, table->name);

	if (p->options->prune)
		add_step(p, (struct step){
			.node = node->node,
			.words = arena_printf(p->arena, "detach %s.%s, was %s", table->schema,
					      table->name, there->role),
			.sql = arena_printf(p->arena, "SELECT elvis.detach(%s)",
					    quote_text(p->arena, name)),
		});
	else
		add_step(p, (struct step){
			.kind = STEP_STRANGER, .node = node->node,
			.words = arena_printf(p->arena, "%s.%s is attached as %s, but no link "
					      "here carries it; --prune detaches it",
					      table->schema, table->name, there->role),
		});
}

static void
plan_tables(struct planner *p, size_t number)
{
	const struct site_node *node = &p->site->nodes[number];

	for (size_t i = 0; i < p->site->n_tables; i++) {
		const struct topology_table *table = &p->site->tables[i];
		const struct inventory_table *there =
			inventory_table(&node->inventory, table->schema, table->name);
		enum topology_role role = topology_role(p->topology, number, i);

		if (role != ROLE_NONE)
			plan_attach(p, node, table, role);
		else if (there != NULL && there->role != NULL)
			plan_detach(p, node, table, there);
	}
}

/* NULL in *why: the link may start from now. */
static bool
rows_in_the_way(struct planner *p, const struct conf_link *link, const char **why)
{
	*why = NULL;
	return p->options->adopt || link->to == NULL ||
	       start_forbidden(p->site, p->topology, link, p->arena, why, p->err);
}

static struct step
copy_step(struct arena *arena, const struct conf_link *link, const char *why)
{
	return (struct step){
		.kind = STEP_COPY, .node = link->to, .link = link,
		.words = arena_printf(arena, "link '%s' waits: %s has rows; elvisctl copy %s "
				      "fills empty tables, elvisctl apply --adopt starts from now "
				      "when both sides hold the same already", link->name, why,
				      link->name),
	};
}

static struct step
start_step(struct arena *arena, const struct conf_link *link, bool adopt)
{
	const char *words = link->to == NULL
		? arena_printf(arena, "start link '%s' to sink %s from now on; rows that are there "
			       "already are not sent", link->name, link->sink.use)
		: arena_printf(arena, "start link '%s' to '%s' from now on, %s", link->name,
			       link->to->name,
			       adopt ? "trusting that both sides hold the same"
				     : "since there are no rows to copy");

	return (struct step){
		.kind = STEP_START, .node = link->from, .link = link, .words = words,
	};
}

/*
 * A table with rows at the source and none at the target has joined the link, or its rows are on
 * their way: to copy it is right in both cases.
 */
static bool
plan_joined_table(struct planner *p, const struct conf_link *link,
		  const struct inventory_table *here, const struct inventory_table *there)
{
	bool source_filled, target_filled = true;

	if (!table_filled(site_node(p->site, link->from)->conn, link->from, here, p->arena,
			  &source_filled, p->err))
		return false;
	if (source_filled && !table_filled(site_node(p->site, link->to)->conn, link->to, there,
					   p->arena, &target_filled, p->err))
		return false;
	if (!target_filled)
		add_step(p, (struct step){
			.kind = STEP_COPY_TABLE,
			.node = link->to, .link = link,
			.words = arena_printf(p->arena, "%s.%s of link '%s' has rows on '%s' and none "
					      "here; elvisctl copy %s --table '%s' fills it",
					      here->schema, here->name, link->name,
					      link->from->name, link->name,
					      table_sql(p->arena, here->schema, here->name)),
		});
	return true;
}

static bool
plan_joined_tables(struct planner *p, const struct conf_link *link)
{
	const struct inventory *source = &site_node(p->site, link->from)->inventory;
	const struct inventory *target = &site_node(p->site, link->to)->inventory;

	for (size_t i = 0; i < source->n_tables; i++) {
		const struct inventory_table *here = &source->tables[i];
		const struct inventory_table *there =
			inventory_table(target, here->schema, here->name);

		if (there != NULL && conf_link_rule(link, here->schema, here->name) != NULL &&
		    !plan_joined_table(p, link, here, there))
			return false;
	}
	return true;
}

/* A table that came by another link from the same node, which it has left for this one */
static void
plan_moved_table(struct planner *p, const struct conf_link *link, const char *schema,
		 const char *table, const char *from)
{
	const char *name = table_sql(p->arena, schema, table);

	if (p->options->adopt)
		add_step(p, (struct step){
			.node = link->to,
			.words = arena_printf(p->arena, "have link '%s' bring %s.%s in the place of "
					      "link '%s', trusting that all is there that this one "
					      "had to bring", link->name, schema, table, from),
			.sql = arena_printf(p->arena, "SELECT elvis.table_take('%s', %s)",
					    link->uuid, quote_text(p->arena, name)),
		});
	else
		add_step(p, (struct step){
			.kind = STEP_COPY_TABLE, .node = link->to, .link = link,
			.words = arena_printf(p->arena, "%s.%s was brought by link '%s' so far, so "
					      "link '%s' is refused here; elvisctl copy %s --table "
					      "'%s' --truncate moves it, and elvisctl apply --adopt "
					      "when both links have caught up and nothing is being "
					      "written", schema, table, from, link->name, link->name,
					      name),
		});
}

static bool
plan_moved_tables(struct planner *p, const struct conf_link *link)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	if (!site_node(p->site, link->to)->inventory.installed)
		return true;
	params_uuid(&params, link->uuid);
	params_i32(&params, (int32_t) link->from->id);
	if (!conn_run(site_node(p->site, link->to)->conn,
		      "SELECT DISTINCT n.nspname::text, c.relname::text, p.name"
		      "  FROM elvis.route r JOIN elvis.position p USING (link)"
		      "  JOIN pg_class c ON c.oid = r.relid"
		      "  JOIN pg_namespace n ON n.oid = c.relnamespace"
		      " WHERE r.link <> $1 AND p.source = $2 ORDER BY 1, 2", &params, &result,
		      p->err))
		return err_wrap(p->err, "node '%s'", link->to->name);
	for (int i = 0; i < PQntuples(result); i++) {
		const char *schema = result_text(result, i, 0), *table = result_text(result, i, 1);

		if (conf_link_rule(link, schema, table) != NULL)
			plan_moved_table(p, link, schema, table, result_text(result, i, 2));
	}
	return true;
}

static bool
plan_link(struct planner *p, const struct conf_link *link)
{
	const struct site_node *source = site_node(p->site, link->from);
	const struct inventory_subscriber *subscriber =
		inventory_subscriber(&source->inventory, link->uuid);
	const struct inventory_position *position = NULL;
	const char *why;

	if (link->to != NULL)
		position = inventory_position(&site_node(p->site, link->to)->inventory,
					      link->uuid);
	if (link->to == NULL ? subscriber != NULL : subscriber != NULL && position != NULL)
		return link->to == NULL ||
		       (plan_joined_tables(p, link) && plan_moved_tables(p, link));
	if (position != NULL) {
		add_step(p, (struct step){
			.kind = STEP_RESUBSCRIBE, .node = link->from, .link = link,
			.words = arena_printf(p->arena, "link '%s' has a position on '%s', but '%s' "
					      "keeps no log for it any more; elvisctl forget %s and "
					      "elvisctl copy %s --truncate begin it anew",
					      link->name, link->to->name, link->from->name,
					      link->name, link->name),
		});
		return true;
	}
	if (!rows_in_the_way(p, link, &why))
		return false;
	add_step(p, why != NULL ? copy_step(p->arena, link, why)
				: start_step(p->arena, link, p->options->adopt));
	return why != NULL || link->to == NULL || plan_moved_tables(p, link);
}

static bool
is_configured(const struct conf *conf, const char *uuid)
{
	for (size_t i = 0; i < conf->n_links; i++)
		if (strcmp(conf->links[i].uuid, uuid) == 0)
			return true;
	return false;
}

/* What a node keeps for a link that is not configured: told, or dropped. */
static void
plan_stranger(struct planner *p, const struct site_node *node, const char *what,
	      const char *name, const char *uuid, const char *function)
{
	if (p->options->prune)
		add_step(p, (struct step){
			.node = node->node,
			.words = arena_printf(p->arena, "drop the %s of link '%s' (%s)", what, name,
					      uuid),
			.sql = arena_printf(p->arena, "SELECT elvis.%s('%s')", function, uuid),
		});
	else
		add_step(p, (struct step){
			.kind = STEP_STRANGER, .node = node->node,
			.words = arena_printf(p->arena, "keeps a %s for link '%s' (%s), which is not "
					      "configured here; --prune drops it", what, name,
					      uuid),
		});
}

static void
plan_strangers(struct planner *p, const struct site_node *node)
{
	const struct inventory *there = &node->inventory;

	for (size_t i = 0; i < there->n_subscribers; i++)
		if (!is_configured(p->site->conf, there->subscribers[i].uuid))
			plan_stranger(p, node, "log", there->subscribers[i].name,
				      there->subscribers[i].uuid, "unsubscribe");
	for (size_t i = 0; i < there->n_positions; i++)
		if (!is_configured(p->site->conf, there->positions[i].uuid))
			plan_stranger(p, node, "position", there->positions[i].name,
				      there->positions[i].uuid, "link_forget");
}

static bool
plan_all(struct planner *p)
{
	const struct conf *conf = p->site->conf;

	for (size_t i = 0; i < conf->n_nodes; i++)
		if (!plan_node(p, &p->site->nodes[i]))
			return false;
	for (size_t i = 0; i < conf->n_nodes; i++)
		plan_tables(p, i);
	for (size_t i = 0; i < conf->n_nodes; i++)
		plan_strangers(p, &p->site->nodes[i]);
	for (size_t i = 0; i < conf->n_links; i++)
		if (!plan_link(p, &conf->links[i]))
			return false;
	return true;
}

static bool
step_changes(const struct step *step)
{
	return step->kind == STEP_SQL || step->kind == STEP_START;
}

bool
plan_make(struct plan *plan, struct site *site, const struct topology *topology,
	  const struct plan_options *options, struct arena *arena, struct err *err)
{
	struct planner p = {
		.site = site, .topology = topology, .options = options, .arena = arena,
		.err = err,
	};

	if (!plan_all(&p))
		return false;
	*plan = (struct plan){ .topology = topology, .steps = p.steps, .n_steps = p.n_steps };
	for (size_t i = 0; i < p.n_steps; i++) {
		plan->n_to_do += step_changes(&p.steps[i]);
		plan->n_copies += p.steps[i].kind == STEP_COPY ||
				  p.steps[i].kind == STEP_RESUBSCRIBE;
	}
	return true;
}

/*
 * Subscribed first, looked for rows after: what was written before the start point is seen by
 * the look, what is written later is in the log.  So nothing falls between.
 */
static bool
perform_start(struct plan *plan, struct site *site, const struct step *step,
	      const struct plan_options *options, plan_listener *listener, void *context,
	      struct err *err)
{
	AUTO_ARENA struct arena *arena = arena_new();
	const struct conf_link *link = step->link;
	struct planner p = {
		.site = site, .topology = plan->topology, .options = options, .arena = arena,
		.err = err,
	};
	struct params params = PARAMS_NONE;
	struct start_point point;
	struct step copy;
	const char *why;

	if (!start_subscribe(site, link, &point, err) || !rows_in_the_way(&p, link, &why))
		return false;
	if (why == NULL)
		return start_position(site, link, &point, err);
	params_uuid(&params, link->uuid);
	if (!conn_run(site_node(site, link->from)->conn, "SELECT elvis.unsubscribe($1)",
		      &params, NULL, err))
		return err_wrap(err, "link '%s' at '%s'", link->name, link->from->name);
	copy = copy_step(arena, link, why);
	listener(context, &copy);
	plan->n_copies++;
	return true;
}

bool
plan_perform(struct plan *plan, struct site *site, const struct plan_options *options,
	     plan_listener *listener, void *context, struct err *err)
{
	for (size_t i = 0; i < plan->n_steps; i++) {
		const struct step *step = &plan->steps[i];

		listener(context, step);
		switch (step->kind) {
		case STEP_SQL:
			if (!conn_command(site_node(site, step->node)->conn, step->sql, err))
				return err_wrap(err, "node '%s': cannot %s", step->node->name,
						step->words);
			break;
		case STEP_START:
			if (!perform_start(plan, site, step, options, listener, context, err))
				return false;
			break;
		case STEP_RESUBSCRIBE:
		case STEP_COPY:
		case STEP_COPY_TABLE:
		case STEP_STRANGER:
			break;
		}
	}
	return true;
}

/* What setup_run() does goes to the log; the first thing it leaves to be done is its error. */
struct unattended {
	const char *subject;
	struct err open;
};

static void
log_step(void *context, const struct step *step)
{
	struct unattended *u = context;

	switch (step->kind) {
	case STEP_SQL:
	case STEP_START:
		log_info(u->subject, "node %s: %s", step->node->name, step->words);
		break;
	case STEP_COPY:
	case STEP_RESUBSCRIBE:
		if (u->open.class == ERR_NONE)
			err_set(&u->open, ERR_CONFIG, "%s", step->words);
		break;
	case STEP_COPY_TABLE:
	case STEP_STRANGER:
		log_warning(u->subject, "node %s: %s", step->node->name, step->words);
		break;
	}
}

/* Convergence is the daemon's own check: one link from one node to another needs none. */
static bool
converges_always(void *context, const struct conf_chain *chain, size_t place,
		 enum elvis_convergence *converges)
{
	(void) context;
	(void) chain;
	(void) place;
	*converges = ELVIS_CONVERGES_ALWAYS;
	return true;
}

bool
setup_run(const struct conf *conf, const char *application, struct err *err)
{
	static const struct plan_options options = { .adopt = false };
	AUTO_ARENA struct arena *arena = arena_new();
	struct site *site = site_open(conf, application);
	struct topology *topology = topology_new(conf, site->tables, site->n_tables,
						 converges_always, NULL);
	struct unattended u = { .subject = application, .open = ERR_INIT };
	struct plan plan;
	bool ok = site_complete(site, err) && topology_sound(topology, TOPOLOGY_ERROR, err) &&
		  plan_make(&plan, site, topology, &options, arena, err) &&
		  plan_perform(&plan, site, &options, log_step, &u, err);

	topology_free(topology);
	site_close(site);
	if (ok && u.open.class != ERR_NONE)
		*err = u.open;
	return ok && u.open.class == ERR_NONE;
}
