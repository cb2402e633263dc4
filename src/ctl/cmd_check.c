/* elvisctl check: the configuration, the plugins, the databases, and what they make together. */
#include <stdio.h>
#include <string.h>

#include "base/strbuf.h"
#include "ctl/commands.h"
#include "ctl/plugins.h"
#include "ctl/report.h"
#include "setup/chain.h"
#include "setup/site.h"

struct check {
	struct ctl *ctl;
	struct site *site;
	struct topology *topology;
	size_t unreachable;
};

/* "strict", "delta, last_writer_wins" */
static const char *
chain_text(struct arena *arena, const struct conf_chain *chain)
{
	const char *text = "";

	for (size_t i = 0; i < chain->n_policies; i++)
		text = arena_printf(arena, "%s%s%s", text, i > 0 ? ", " : "",
				    chain->policies[i].use);
	return text;
}

static const char *
rule_text(struct arena *arena, const struct conf_rule *rule)
{
	static const char *const kinds[] = {
#define X(id, name, text) [ELVIS_##id] = name,
		ELVIS_CONFLICT_KINDS(X)
#undef X
	};
	const char *text = chain_text(arena, &rule->chain);

	for (int kind = 1; kind < ELVIS_CONFLICT_KIND_END; kind++)
		if (rule->on[kind].n_policies > 0)
			text = arena_printf(arena, "%s; %s: %s", text, kinds[kind],
					    chain_text(arena, &rule->on[kind]));
	return text;
}

/* Table by table: its role on each node, and the policies of each link to it */
static void
report_tables(const struct check *c, struct report *r)
{
	const struct conf *conf = c->site->conf;

	report_column(r, "table", "TABLE");
	report_column(r, "node", "NODE");
	report_column(r, "role", "ROLE");
	report_column(r, "attached", "NOW");
	report_column(r, "link", "BY LINK");
	report_column(r, "policy", "POLICY");
	for (size_t i = 0; i < c->site->n_tables; i++) {
		const struct topology_table *table = &c->site->tables[i];

		for (size_t j = 0; j < conf->n_nodes; j++) {
			enum topology_role role = topology_role(c->topology, j, i);
			const struct inventory_table *there = inventory_table(
				&c->site->nodes[j].inventory, table->schema, table->name);
			const char *links = NULL, *policies = NULL;

			for (size_t k = 0; k < conf->n_links; k++) {
				const struct conf_link *link = &conf->links[k];
				const struct conf_rule *rule =
					conf_link_rule(link, table->schema, table->name);

				if (link->to != &conf->nodes[j] || rule == NULL)
					continue;
				links = links ? arena_printf(c->ctl->arena, "%s, %s", links,
							     link->name)
					      : link->name;
				policies = rule_text(c->ctl->arena, rule);
			}
			if (role == ROLE_NONE)
				continue;
			report_row(r);
			report_text(r, arena_printf(c->ctl->arena, "%s.%s", table->schema,
						    table->name));
			report_text(r, conf->nodes[j].name);
			report_text(r, role_name(role));
			report_text(r, there && !there->armed ? "disarmed"
							      : there ? there->role : NULL);
			report_text(r, links);
			report_text(r, policies);
		}
	}
}

static const char *
node_state(const struct site_node *node)
{
	if (node->conn == NULL)
		return "unreachable";
	if (!node->inventory.installed || node->inventory.id == 0)
		return "not set up";
	if (!node->inventory.genuine)
		return "a copy";
	return node->inventory.id == node->node->id ? "ready" : "another node";
}

static void
report_nodes(const struct check *c, struct report *r)
{
	report_column(r, "node", "NODE");
	report_column(r, "id", "ID");
	report_column(r, "priority", "PRIORITY");
	report_column(r, "state", "STATE");
	for (size_t i = 0; i < c->site->conf->n_nodes; i++) {
		const struct site_node *node = &c->site->nodes[i];

		report_row(r);
		report_text(r, node->node->name);
		report_number(r, node->node->id);
		report_number(r, node->node->priority);
		report_text(r, node_state(node));
	}
}

static bool
is_target(const struct conf *conf, const struct conf_node *node)
{
	for (size_t i = 0; i < conf->n_links; i++)
		if (conf->links[i].to == node)
			return true;
	return false;
}

/* One node's links, each node's once; a node drawn before is only named. */
static void
draw_node(const struct conf *conf, const struct conf_node *node, const char *indent,
	  bool *drawn, struct arena *arena)
{
	size_t last = conf->n_links;

	drawn[node - conf->nodes] = true;
	for (size_t i = 0; i < conf->n_links; i++)
		if (conf->links[i].from == node)
			last = i;
	for (size_t i = 0; i < conf->n_links; i++) {
		const struct conf_link *link = &conf->links[i];
		bool again;

		if (link->from != node)
			continue;
		again = link->to != NULL && drawn[link->to - conf->nodes];
		printf("%s%s-> %s  (%s%s)%s\n", indent, i == last ? "`" : "|",
		       link->to ? link->to->name : link->sink.use, link->name,
		       link->forward == CONF_FORWARD_LOCAL ? ", local changes" : "",
		       again ? " ^" : "");
		if (link->to != NULL && !again)
			draw_node(conf, link->to,
				  arena_printf(arena, "%s%s   ", indent, i == last ? " " : "|"),
				  drawn, arena);
	}
}

/* Roots first; what is left then are circles, drawn from any of their nodes. */
static void
draw_tree(const struct conf *conf, struct arena *arena)
{
	bool *drawn = arena_zalloc(arena, (conf->n_nodes + 1) * sizeof(*drawn));

	for (int circles = 0; circles < 2; circles++)
		for (size_t i = 0; i < conf->n_nodes; i++) {
			if (drawn[i] || (circles == 0 && is_target(conf, &conf->nodes[i])))
				continue;
			printf("%s\n", conf->nodes[i].name);
			draw_node(conf, &conf->nodes[i], "", drawn, arena);
		}
}

static void
print_findings(const struct check *c)
{
	for (size_t i = 0; i < c->site->conf->n_nodes; i++)
		if (c->site->nodes[i].conn == NULL)
			printf("error: %s\n", c->site->nodes[i].err.text);
	for (size_t i = 0; i < c->topology->n_findings; i++) {
		const struct topology_finding *finding = &c->topology->findings[i];
		const char *word = severity_name(finding->severity);

		if (finding->file != NULL && finding->line > 0)
			printf("%s: %s:%d: %s\n", word, finding->file, finding->line,
			       finding->text);
		else
			printf("%s: %s\n", word, finding->text);
	}
}

static json_t *
findings_json(const struct check *c)
{
	json_t *array = json_array();

	for (size_t i = 0; i < c->topology->n_findings; i++) {
		const struct topology_finding *finding = &c->topology->findings[i];

		json_array_append_new(array, json_pack(
			"{s:s, s:s, s:s?, s:i}", "severity",
			severity_name(finding->severity), "text", finding->text, "file", finding->file, "line", finding->line));
	}
	return array;
}

static void
print_check(const struct check *c)
{
	AUTO_REPORT struct report *nodes = report_new();
	AUTO_REPORT struct report *tables = report_new();

	report_nodes(c, nodes);
	report_tables(c, tables);
	if (c->ctl->json) {
		json_print(json_pack("{s:o, s:o, s:o}", "nodes", report_array(nodes), "tables",
				     report_array(tables), "findings", findings_json(c)));
		return;
	}
	draw_tree(c->site->conf, c->ctl->arena);
	printf("\n");
	report_print(nodes, false, "no nodes");
	printf("\n");
	report_print(tables, false, "no tables are carried by any link");
	if (c->topology->n_findings > 0 || c->unreachable > 0)
		printf("\n");
	print_findings(c);
}

static enum ctl_exit
check_status(const struct check *c, struct err *err)
{
	size_t errors = topology_count(c->topology, TOPOLOGY_ERROR);

	if (errors > 0) {
		err_set(err, ERR_CONFIG, "%s: %zu error%s, see above", c->site->conf->origin,
			errors, errors > 1 ? "s" : "");
		return CTL_CONFIG;
	}
	if (c->unreachable > 0)
		return CTL_UNREACHABLE;
	if (!c->ctl->json)
		printf("\n%s is sound\n", c->site->conf->origin);
	return CTL_OK;
}

static enum ctl_exit
run_check(struct ctl *ctl, struct err *err)
{
	struct plugin_set *plugins = ctl_plugins(ctl);
	enum ctl_exit status = CTL_CONFIG;

	if (ctl_plugins_check(ctl, plugins, err)) {
		struct check c = { .ctl = ctl, .site = site_open(ctl->conf, "elvisctl check") };

		for (size_t i = 0; i < ctl->conf->n_nodes; i++)
			c.unreachable += c.site->nodes[i].conn == NULL;
		c.topology = topology_new(ctl->conf, c.site->tables, c.site->n_tables,
					  chain_converges, plugins);
		print_check(&c);
		status = check_status(&c, err);
		topology_free(c.topology);
		site_close(c.site);
	}
	plugin_set_free(plugins);
	return status;
}

const struct cmd cmd_check = {
	.name = "check",
	.words = "",
	.help = "is the configuration sound, and what does it make of every table",
	.run = run_check,
};
