#include "conf/topology.h"

#include <string.h>

#include "base/word.h"
#include "conf/alike.h"
#include "conf/finding.h"

#define NOWHERE SIZE_MAX

/* What the walk over one table works with */
struct walk {
	struct topology *topology;
	struct findings *findings;
	size_t n_nodes, n_links;
	const struct conf_rule **rule;	/* of each link for this table; NULL: not carried */
	bool *reach;			/* [from * n_nodes + to]: along arrows, one or more */
	bool *arrives;			/* [origin * n_links + link]: origin's changes by it */
	size_t *way;			/* [origin * n_nodes + node]: the link they come by */
	size_t table;
	topology_converges *converges;
	void *context;
};

static size_t
node_number(const struct conf *conf, const struct conf_node *node)
{
	return node ? (size_t) (node - conf->nodes) : NOWHERE;
}

static const struct conf_link *
link_at(const struct walk *w, size_t link)
{
	return &w->topology->conf->links[link];
}

static size_t
link_from(const struct walk *w, size_t link)
{
	return node_number(w->topology->conf, link_at(w, link)->from);
}

static size_t
link_to(const struct walk *w, size_t link)
{
	return node_number(w->topology->conf, link_at(w, link)->to);
}

static const char *
node_name(const struct walk *w, size_t node)
{
	return w->topology->conf->nodes[node].name;
}

static const struct topology_table *
table_at(const struct walk *w, size_t table)
{
	return &w->topology->tables[table];
}

static enum topology_role *
role_at(const struct topology *topology, size_t node, size_t table)
{
	return &topology->roles[table * topology->conf->n_nodes + node];
}

enum topology_role
topology_role(const struct topology *topology, size_t node, size_t table)
{
	return *role_at(topology, node, table);
}

static bool
is_master(const struct walk *w, size_t node)
{
	return topology_role(w->topology, node, w->table) == ROLE_MASTER;
}

/* Which links carry the table: the source has it, or nobody could ask, and a rule matches. */
static void
find_rules(struct walk *w)
{
	const struct topology_table *table = table_at(w, w->table);

	for (size_t i = 0; i < w->n_links; i++) {
		w->rule[i] = NULL;
		if (table->on[link_from(w, i)] != TABLE_ABSENT)
			w->rule[i] = conf_link_rule(link_at(w, i), table->schema, table->name);
	}
}

static void
reach_from(struct walk *w, size_t start, size_t node)
{
	for (size_t i = 0; i < w->n_links; i++) {
		size_t to = link_to(w, i);

		if (w->rule[i] == NULL || to == NOWHERE || link_from(w, i) != node ||
		    w->reach[start * w->n_nodes + to])
			continue;
		w->reach[start * w->n_nodes + to] = true;
		reach_from(w, start, to);
	}
}

static void
find_roles(struct walk *w)
{
	memset(w->reach, 0, w->n_nodes * w->n_nodes * sizeof(*w->reach));
	for (size_t node = 0; node < w->n_nodes; node++) {
		bool leaves = false, arrives = false, circle;

		reach_from(w, node, node);
		circle = w->reach[node * w->n_nodes + node];
		for (size_t i = 0; i < w->n_links; i++) {
			leaves |= w->rule[i] != NULL && link_from(w, i) == node;
			arrives |= w->rule[i] != NULL && link_to(w, i) == node;
		}
		*role_at(w->topology, node, w->table) =
			leaves && (circle || !arrives) ? ROLE_MASTER :
			leaves ? ROLE_RELAY :
			arrives ? ROLE_REPLICA : ROLE_NONE;
	}
}

/* Sends what was first written at `origin` on from `node`, where it came from `via`. */
static void
send_on(struct walk *w, size_t origin, size_t node, size_t via)
{
	for (size_t i = 0; i < w->n_links; i++) {
		size_t to = link_to(w, i);
		bool *arrives = &w->arrives[origin * w->n_links + i];

		if (w->rule[i] == NULL || to == NOWHERE || link_from(w, i) != node || *arrives ||
		    to == origin || to == via ||
		    (node != origin && link_at(w, i)->forward == CONF_FORWARD_LOCAL))
			continue;
		*arrives = true;
		send_on(w, origin, to, node);
	}
}

/* One link brings the origin's changes of the table to the node; another would be refused. */
static void
check_way(struct walk *w, size_t origin, size_t link)
{
	size_t node = link_to(w, link);
	size_t *way = &w->way[origin * w->n_nodes + node];
	const struct topology_table *table = table_at(w, w->table);

	if (*way == NOWHERE)
		*way = link;
	if (*way == link)
		return;
	finding_add(w->findings, TOPOLOGY_DANGER,
		    &(struct finding_place){ link_at(w, link)->file, link_at(w, link)->line,
					     link_at(w, link), link_at(w, *way) },
		    "changes of %s.%s first written at '%s' reach '%s' by two links, '%s' and "
		    "'%s', and the second would be refused; take the table out of one of them, "
		    "or give the link that passes them on forward = \"local\"", table->schema,
		    table->name, node_name(w, origin), node_name(w, node),
		    link_at(w, *way)->name, link_at(w, link)->name);
}

static bool
brought(const struct walk *w, size_t origin, size_t node)
{
	for (size_t i = 0; i < w->n_links; i++)
		if (link_to(w, i) == node && w->arrives[origin * w->n_links + i])
			return true;
	return false;
}

/* Along the arrows it could get there, but a link in between forwards local changes only. */
static void
check_reached(struct walk *w, size_t origin)
{
	const struct topology_table *table = table_at(w, w->table);

	for (size_t node = 0; node < w->n_nodes; node++)
		if (node != origin && w->reach[origin * w->n_nodes + node] &&
		    !brought(w, origin, node))
			finding_add(w->findings, TOPOLOGY_WARNING,
				    &(struct finding_place){ NULL, 0, &w->reach[origin],
							     &w->reach[node] },
				    "changes of %s.%s first written at '%s' never reach '%s': a "
				    "link between them forwards only local changes; add a link "
				    "from '%s' to '%s', or forward = \"all\"",
				    table->schema, table->name, node_name(w, origin),
				    node_name(w, node), node_name(w, origin),
				    node_name(w, node));
}

static void
find_ways(struct walk *w)
{
	memset(w->arrives, 0, w->n_nodes * w->n_links * sizeof(*w->arrives));
	memset(w->way, 0xff, w->n_nodes * w->n_nodes * sizeof(*w->way));	/* NOWHERE */
	for (size_t origin = 0; origin < w->n_nodes; origin++) {
		if (!is_master(w, origin))
			continue;
		send_on(w, origin, origin, NOWHERE);
		for (size_t i = 0; i < w->n_links; i++)
			if (w->arrives[origin * w->n_links + i])
				check_way(w, origin, i);
		check_reached(w, origin);
	}
}

static size_t
writers_meeting_at(const struct walk *w, size_t node)
{
	size_t writers = is_master(w, node);

	for (size_t origin = 0; origin < w->n_nodes; origin++)
		writers += origin != node && is_master(w, origin) && brought(w, origin, node);
	return writers;
}

static const char *
convergence_name(enum elvis_convergence converges)
{
	switch (converges) {
	case ELVIS_CONVERGES_ONE_WAY:
		return "where one node writes";
	case ELVIS_CONVERGES_TWO_NODES:
		return "where two nodes write";
	case ELVIS_CONVERGES_ALWAYS:
		return "on any number of nodes";
	}
	return "nowhere";
}

/* Strict stops at the first conflict: with nothing before it, two writers settle none. */
static bool
settles_something(const struct conf_chain *chain)
{
	for (size_t i = 0; i < chain->n_policies; i++)
		if (strcmp(chain->policies[i].use, "strict") != 0)
			return true;
	return false;
}

static void
check_settles(struct walk *w, const struct conf_link *link, const struct conf_rule *rule,
	      size_t writers)
{
	const struct topology_table *table = table_at(w, w->table);
	bool settles = settles_something(&rule->chain);

	for (int kind = 1; kind < ELVIS_CONFLICT_KIND_END; kind++)
		settles |= settles_something(&rule->on[kind]);
	if (settles)
		return;
	finding_add(w->findings, TOPOLOGY_DANGER,
		    &(struct finding_place){ rule->file, rule->line, rule, link },
		    "%s.%s is written on %zu nodes whose changes meet at '%s', but link '%s' has "
		    "no policy for it but strict, which stops at the first conflict and settles "
		    "none; choose one that converges, see elvisctl policies",
		    table->schema, table->name, writers, link->to->name, link->name);
}

static void
check_chain(struct walk *w, const struct conf_link *link, const struct conf_chain *chain,
	    size_t writers)
{
	enum elvis_convergence needed =
		writers > 2 ? ELVIS_CONVERGES_ALWAYS : ELVIS_CONVERGES_TWO_NODES;
	const struct topology_table *table = table_at(w, w->table);

	for (size_t i = 0; i < chain->n_policies; i++) {
		const struct conf_plugin *policy = &chain->policies[i];
		enum elvis_convergence converges;

		if (!w->converges(w->context, chain, i, &converges) || converges >= needed)
			continue;
		finding_add(w->findings, TOPOLOGY_DANGER,
			    &(struct finding_place){ policy->file, policy->line, policy, link },
			    "%s.%s is written on %zu nodes whose changes meet at '%s', but policy "
			    "'%s' of link '%s' keeps nodes alike only %s; choose one that "
			    "converges further, see elvisctl policies",
			    table->schema, table->name, writers, link->to->name, policy->use,
			    link->name, convergence_name(converges));
	}
}

/* Two nodes that both write should judge alike; apply_remote here and keep_local there is one
 * way to do otherwise on purpose, so it is only told. */
static void
check_symmetry(struct walk *w, size_t link)
{
	const struct topology_table *table = table_at(w, w->table);

	for (size_t i = 0; i < link; i++) {
		if (w->rule[i] == NULL || link_to(w, i) == NOWHERE ||
		    !is_master(w, link_to(w, i)) || rule_decides_alike(w->rule[i], w->rule[link]))
			continue;
		finding_add(w->findings, TOPOLOGY_WARNING,
			    &(struct finding_place){ w->rule[link]->file, w->rule[link]->line,
						     w->rule[link], w->rule[i] },
			    "%s.%s is written on both sides, but link '%s' and link '%s' (%s:%d) "
			    "have different policies for it, so the two may decide differently; "
			    "make them equal unless this is meant",
			    table->schema, table->name, link_at(w, link)->name,
			    link_at(w, i)->name, w->rule[i]->file, w->rule[i]->line);
	}
}

static void
check_consolidation(struct walk *w, size_t node)
{
	const struct topology_table *table = table_at(w, w->table);
	const struct conf_link *first = NULL;

	for (size_t i = 0; i < w->n_links; i++) {
		if (w->rule[i] == NULL || link_to(w, i) != node)
			continue;
		if (first != NULL && first->from != link_at(w, i)->from)
			finding_add(w->findings, TOPOLOGY_WARNING,
				    &(struct finding_place){ link_at(w, i)->file,
							     link_at(w, i)->line, link_at(w, i),
							     first },
				    "%s.%s comes to '%s' from both '%s' and '%s', which do not see "
				    "each other's changes; that is sound only if they never write "
				    "the same keys", table->schema, table->name,
				    node_name(w, node), first->from->name,
				    link_at(w, i)->from->name);
		first = first ? first : link_at(w, i);
	}
}

static void
check_policies(struct walk *w)
{
	for (size_t node = 0; node < w->n_nodes; node++)
		if (!is_master(w, node))
			check_consolidation(w, node);
	for (size_t i = 0; i < w->n_links; i++) {
		size_t node = link_to(w, i), writers;

		if (w->rule[i] == NULL || node == NOWHERE || !is_master(w, node))
			continue;
		writers = writers_meeting_at(w, node);
		check_settles(w, link_at(w, i), w->rule[i], writers);
		check_chain(w, link_at(w, i), &w->rule[i]->chain, writers);
		for (int kind = 1; kind < ELVIS_CONFLICT_KIND_END; kind++)
			check_chain(w, link_at(w, i), &w->rule[i]->on[kind], writers);
		check_symmetry(w, i);
	}
}

static bool
has_column(const struct conf_strings *columns, const char *name)
{
	for (size_t i = 0; i < columns->count; i++)
		if (strcmp(columns->items[i], name) == 0)
			return true;
	return false;
}

/* Columns that the target has beside those of the source get their defaults; the other way round
 * every change that brings one is a conflict. */
static void
check_columns(struct walk *w, size_t link)
{
	const struct topology_table *table = table_at(w, w->table);
	size_t from = link_from(w, link), to = link_to(w, link);
	const struct conf_strings *here;

	if (table->columns == NULL || to == NOWHERE || table->on[to] < TABLE_PRESENT)
		return;
	here = &table->columns[from];
	for (size_t i = 0; i < here->count; i++)
		if (!has_column(&table->columns[to], here->items[i]))
			finding_add(w->findings, TOPOLOGY_WARNING,
				    &(struct finding_place){ w->rule[link]->file,
							     w->rule[link]->line, table,
							     here->items[i] },
				    "column '%s' of %s.%s is not there on '%s', so changes that bring "
				    "it are conflicts (target_column_missing) and copy refuses the "
				    "table; add it there", here->items[i], table->schema,
				    table->name, link_at(w, link)->to->name);
}

static void
check_presence(struct walk *w)
{
	const struct topology_table *table = table_at(w, w->table);

	for (size_t i = 0; i < w->n_links; i++) {
		size_t to = link_to(w, i), from = link_from(w, i);

		if (w->rule[i] == NULL)
			continue;
		check_columns(w, i);
		if (to != NOWHERE && table->on[to] == TABLE_ABSENT)
			finding_add(w->findings, TOPOLOGY_ERROR,
				    &(struct finding_place){ w->rule[i]->file,
							     w->rule[i]->line, w->rule[i],
							     link_at(w, i) },
				    "table %s.%s of link '%s' is not there on '%s'; create it there, "
				    "or leave it out with { match = ...; exclude = true; }",
				    table->schema, table->name, link_at(w, i)->name,
				    link_at(w, i)->to->name);
		if (table->on[from] == TABLE_KEYLESS && w->rule[i]->key == NULL)
			finding_add(w->findings, TOPOLOGY_WARNING,
				    &(struct finding_place){ w->rule[i]->file,
							     w->rule[i]->line, w->rule[i],
							     link_at(w, i) },
				    "table %s.%s on '%s' has no primary key, so an UPDATE or DELETE "
				    "of it will be refused there; add one, or name a unique index "
				    "with key", table->schema, table->name,
				    link_at(w, i)->from->name);
	}
}

static const char *
nearest_table(const struct topology *topology, const struct pattern *pattern)
{
	const char **names = arena_alloc(topology->arena,
					 (topology->n_tables + 1) * sizeof(*names));

	for (size_t i = 0; i < topology->n_tables; i++)
		names[i] = arena_printf(topology->arena, "%s.%s", topology->tables[i].schema,
					topology->tables[i].name);
	return word_nearest(pattern->text, names, topology->n_tables);
}

/* The pattern is the first to match some table that the source has, or might have. */
static bool
pattern_is_used(const struct walk *w, size_t link, const struct conf_rule *rule,
		const struct pattern *pattern)
{
	size_t from = link_from(w, link);

	for (size_t i = 0; i < w->topology->n_tables; i++) {
		const struct topology_table *table = &w->topology->tables[i];

		if (table->on[from] == TABLE_UNKNOWN)
			return true;
		if (table->on[from] != TABLE_ABSENT &&
		    pattern_matches(pattern, table->schema, table->name) &&
		    (rule->exclude ||
		     conf_link_rule(link_at(w, link), table->schema, table->name) == rule))
			return true;
	}
	return false;
}

static void
check_pattern(struct walk *w, size_t link, const struct conf_rule *rule,
	      const struct pattern *pattern)
{
	struct finding_place place = { rule->file, rule->line, pattern, NULL };
	const char *nearest;

	if (pattern_is_used(w, link, rule, pattern))
		return;
	nearest = nearest_table(w->topology, pattern);
	finding_add(w->findings,
		    pattern_is_name(pattern) && !rule->exclude ? TOPOLOGY_ERROR
							       : TOPOLOGY_WARNING, &place,
		    "pattern '%s' of link '%s' gets no table of '%s'%s%s%s", pattern->text,
		    link_at(w, link)->name, link_at(w, link)->from->name,
		    nearest ? "; did you mean '" : ", or an earlier rule has them all",
		    nearest ? nearest : "", nearest ? "'?" : "");
}

/* Nodes that answered and links that carry nothing are only judged when all could be asked. */
static void
check_patterns(struct walk *w)
{
	for (size_t i = 0; i < w->n_links; i++)
		for (size_t j = 0; j < link_at(w, i)->n_rules; j++)
			for (size_t k = 0; k < link_at(w, i)->rules[j].n_patterns; k++)
				check_pattern(w, i, &link_at(w, i)->rules[j],
					      &link_at(w, i)->rules[j].patterns[k]);
}

static void
walk_table(struct walk *w)
{
	find_rules(w);
	find_roles(w);
	find_ways(w);
	check_policies(w);
	check_presence(w);
}

struct topology *
topology_new(const struct conf *conf, const struct topology_table *tables, size_t n_tables,
	     topology_converges *converges, void *context)
{
	struct arena *arena = arena_new();
	struct topology *topology = arena_zalloc(arena, sizeof(*topology));
	size_t n = conf->n_nodes, m = conf->n_links;
	struct walk w = {
		.topology = topology, .n_nodes = n, .n_links = m,
		.findings = findings_new(arena),
		.rule = arena_zalloc(arena, (m + 1) * sizeof(*w.rule)),
		.reach = arena_zalloc(arena, n * n * sizeof(*w.reach) + 1),
		.arrives = arena_zalloc(arena, n * m * sizeof(*w.arrives) + 1),
		.way = arena_alloc(arena, n * n * sizeof(*w.way) + 1),
		.converges = converges, .context = context,
	};

	topology->conf = conf;
	topology->tables = tables;
	topology->n_tables = n_tables;
	topology->arena = arena;
	topology->roles = arena_zalloc(arena, n * n_tables * sizeof(*topology->roles) + 1);
	for (w.table = 0; w.table < n_tables; w.table++)
		walk_table(&w);
	check_patterns(&w);
	topology->findings = findings_finish(w.findings, &topology->n_findings);
	return topology;
}

void
topology_free(struct topology *topology)
{
	if (topology != NULL)
		arena_free(topology->arena);
}

size_t
topology_count(const struct topology *topology, enum topology_severity severity)
{
	size_t count = 0;

	for (size_t i = 0; i < topology->n_findings; i++)
		count += topology->findings[i].severity >= severity;
	return count;
}

bool
topology_sound(const struct topology *topology, enum topology_severity severity, struct err *err)
{
	for (size_t i = 0; i < topology->n_findings; i++) {
		const struct topology_finding *finding = &topology->findings[i];

		if (finding->severity < severity)
			continue;
		err_set(err, ERR_CONFIG, "%s", finding->text);
		return finding->line > 0 ? err_wrap(err, "%s:%d", finding->file, finding->line)
					 : false;
	}
	return true;
}

const char *
severity_name(enum topology_severity severity)
{
	return severity == TOPOLOGY_WARNING ? "warning" : "error";
}

const char *
role_name(enum topology_role role)
{
	switch (role) {
	case ROLE_NONE:
		return "-";
	case ROLE_MASTER:
		return "master";
	case ROLE_REPLICA:
		return "replica";
	case ROLE_RELAY:
		return "relay";
	}
	return "-";
}
