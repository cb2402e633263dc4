/* From a command line to a configuration of one link. */
#include <string.h>

#include "conf/conf.h"
#include "conf/life.h"
#include "conf/reader.h"

#define HERE "command line"

/* What is set up already keeps its number; what is not gets the free one of 1 and 2. */
static void
add_nodes(struct conf *conf, const struct conf_arguments *arguments, struct arena *arena)
{
	struct conf_node *nodes = arena_zalloc(arena, 2 * sizeof(*nodes));
	uint32_t from = arguments->from_id, to = arguments->to_id;

	if (from == 0)
		from = to == 1 ? 2 : 1;
	if (to == 0)
		to = from == 2 ? 1 : 2;
	nodes[0] = (struct conf_node){
		.name = arguments->from_name ? arguments->from_name : "source",
		.id = from, .conninfo = arguments->from, .file = HERE,
	};
	nodes[1] = (struct conf_node){
		.name = arguments->to_name ? arguments->to_name : "target",
		.id = to, .conninfo = arguments->to, .file = HERE,
	};
	for (int i = 0; i < 2; i++) {
		nodes[i].name = arena_strdup(arena, nodes[i].name);
		nodes[i].conninfo = arena_strdup(arena, nodes[i].conninfo);
	}
	conf->nodes = nodes;
	conf->n_nodes = 2;
}

static bool
add_patterns(struct conf_rule *rule, const struct conf_strings *tables, struct arena *arena,
	     struct err *err)
{
	size_t n = tables->count > 0 ? tables->count : 1;
	struct pattern *patterns = arena_zalloc(arena, n * sizeof(*patterns));

	for (size_t i = 0; i < n; i++)
		if (!pattern_parse(&patterns[i], tables->count > 0 ? tables->items[i] : "*.*",
				   arena, err))
			return err_wrap(err, HERE ": --tables");
	rule->patterns = patterns;
	rule->n_patterns = n;
	return true;
}

static struct conf_chain
chain_of(const struct conf_strings *names, struct arena *arena)
{
	size_t n = names->count > 0 ? names->count : 1;
	struct conf_plugin *policies = arena_zalloc(arena, n * sizeof(*policies));

	for (size_t i = 0; i < n; i++)
		policies[i] = (struct conf_plugin){
			.use = names->count > 0 ? arena_strdup(arena, names->items[i])
						: "strict",
			.file = HERE,
		};
	return (struct conf_chain){ .policies = policies, .n_policies = n };
}

static bool
add_link(struct conf *conf, const struct conf_arguments *arguments, struct arena *arena,
	 struct err *err)
{
	struct conf_link *link = arena_zalloc(arena, sizeof(*link));
	struct conf_rule *rule = arena_zalloc(arena, sizeof(*rule));

	*rule = (struct conf_rule){
		.chain = chain_of(&arguments->policies, arena),
		.capture_unchanged = -1, .file = HERE,
	};
	*link = (struct conf_link){
		.name = "source_target", .from = &conf->nodes[0], .to = &conf->nodes[1],
		.sink = { .use = "postgres", .file = HERE },
		.rules = rule, .n_rules = 1, .file = HERE,
	};
	conf->links = link;
	conf->n_links = 1;
	return add_patterns(rule, &arguments->tables, arena, err) &&
	       links_complete(conf, arena, err);
}

static struct conf_strings
copy_strings(const struct conf_strings *from, struct arena *arena)
{
	const char **items = arena_alloc(arena, (from->count + 1) * sizeof(*items));

	for (size_t i = 0; i < from->count; i++)
		items[i] = arena_strdup(arena, from->items[i]);
	return (struct conf_strings){ .items = items, .count = from->count };
}

static bool
check_arguments(const struct conf_arguments *arguments, struct err *err)
{
	if (arguments->from == NULL || arguments->to == NULL)
		return err_set(err, ERR_CONFIG, HERE ": %s is missing; a link needs --from and "
			       "--to, each with a connection string",
			       arguments->from == NULL ? "--from" : "--to");
	if (arguments->from_id != 0 && arguments->from_id == arguments->to_id)
		return err_set(err, ERR_CONFIG, HERE ": --from and --to are both node %u; name "
			       "two databases, or give a copied one its own number with "
			       "elvisctl adopt-node", arguments->from_id);
	return true;
}

const struct conf *
conf_from_arguments(const struct conf_arguments *arguments, struct err *err)
{
	struct arena *arena;
	struct conf *conf;

	if (!check_arguments(arguments, err))
		return NULL;
	conf = conf_new(HERE, &arena);
	add_nodes(conf, arguments, arena);
	conf->settings.policy_dirs = copy_strings(&arguments->policy_dirs, arena);
	conf->settings.sink_dirs = copy_strings(&arguments->sink_dirs, arena);
	if (add_link(conf, arguments, arena, err))
		return conf;
	conf_unref(conf);
	return NULL;
}
