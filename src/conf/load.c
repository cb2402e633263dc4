/* From a file to a configuration. */
#include <libconfig.h>
#include <string.h>

#include "conf/conf.h"
#include "conf/life.h"
#include "conf/reader.h"
#include "conf/text.h"

static bool
read_node_name(struct reader *r, const config_setting_t *setting, void *into)
{
	return read_name(r, setting, &((struct conf_node *) into)->name);
}

static bool
read_node_id(struct reader *r, const config_setting_t *setting, void *into)
{
	int64_t id;

	if (!read_int(r, setting, 1, INT32_MAX, &id))
		return false;
	((struct conf_node *) into)->id = (uint32_t) id;
	return true;
}

static bool
read_conninfo(struct reader *r, const config_setting_t *setting, void *into)
{
	return read_string(r, setting, &((struct conf_node *) into)->conninfo);
}

static bool
read_priority(struct reader *r, const config_setting_t *setting, void *into)
{
	int64_t priority;

	if (!read_int(r, setting, INT32_MIN, INT32_MAX, &priority))
		return false;
	((struct conf_node *) into)->priority = (int32_t) priority;
	return true;
}

static const struct key node_keys[] = {
	{ "name", read_node_name, true },
	{ "id", read_node_id, true },
	{ "conninfo", read_conninfo, true },
	{ "priority", read_priority, false },
};

static bool
read_node(struct reader *r, const config_setting_t *setting, void *item)
{
	struct conf_node *node = item;
	struct conf_place place = read_place(r, setting);

	*node = (struct conf_node){ .file = place.file, .line = place.line };
	return read_group(r, setting, "a node", node_keys, ARRAY_LEN(node_keys), node);
}

static bool
node_is_new(struct reader *r, const struct conf_node *node)
{
	for (const struct conf_node *other = r->conf->nodes; other < node; other++) {
		if (strcmp(other->name, node->name) == 0)
			return err_set(r->err, ERR_CONFIG,
				       "%s:%d: there is another node '%s' at %s:%d", node->file,
				       node->line, node->name, other->file, other->line);
		if (other->id == node->id)
			return err_set(r->err, ERR_CONFIG,
				       "%s:%d: node '%s' has the id %u of node '%s'; every node "
				       "has its own", node->file, node->line, node->name,
				       node->id, other->name);
	}
	return true;
}

static bool
read_nodes(struct reader *r, const config_setting_t *setting)
{
	if (!read_each(r, setting, sizeof(struct conf_node), read_node, &r->conf->nodes,
		       &r->conf->n_nodes))
		return false;
	for (size_t i = 0; i < r->conf->n_nodes; i++)
		if (!node_is_new(r, &r->conf->nodes[i]))
			return false;
	return true;
}

static bool
unknown_option(struct reader *r, const config_setting_t *setting)
{
	const char *name = config_setting_name(setting);
	const char **names = arena_alloc(r->arena, (conf_n_options + 2) * sizeof(*names));

	for (size_t i = 0; i < conf_n_options; i++)
		names[i] = conf_options[i].name;
	names[conf_n_options] = "nodes";
	names[conf_n_options + 1] = "links";
	return read_fail(r, setting, "there is no setting '%s'; %s", name,
			 read_suggestion(r, name, names, conf_n_options + 2));
}

static bool
read_options(struct reader *r, const config_setting_t *root)
{
	for (int i = 0; i < config_setting_length(root); i++) {
		const config_setting_t *setting =
			config_setting_get_elem(root, (unsigned int) i);
		const char *name = config_setting_name(setting);
		const struct conf_option *option = option_find(name);

		if (strcmp(name, "nodes") == 0 || strcmp(name, "links") == 0)
			continue;
		if (option == NULL)
			return unknown_option(r, setting);
		if (!read_option(r, setting, option))
			return false;
	}
	return true;
}

/* Links name nodes, so those come first, in whatever order the file has them. */
static bool
read_root(struct reader *r, const config_setting_t *root)
{
	const config_setting_t *nodes = config_setting_get_member(root, "nodes");
	const config_setting_t *links = config_setting_get_member(root, "links");

	if (!read_options(r, root))
		return false;
	if (nodes == NULL)
		return err_set(r->err, ERR_CONFIG, "%s:1: there are no nodes; write "
			       "nodes = ( { name = \"paris\"; id = 1; conninfo = \"...\"; } );",
			       r->conf->origin);
	if (links == NULL)
		return err_set(r->err, ERR_CONFIG, "%s:1: there are no links; write links = "
			       "( { name = \"paris_lyon\"; from = \"paris\"; to = \"lyon\"; "
			       "tables = \"public.*\"; } );", r->conf->origin);
	return read_nodes(r, nodes) && read_links(r, links) &&
	       links_complete(r->conf, r->arena, r->err);
}

static bool
syntax_error(const config_t *config, const struct conf_text *text, struct err *err)
{
	struct conf_place place = conf_text_place(text, config_error_line(config));

	return err_set(err, ERR_CONFIG, "%s:%d: %s, here or at the end of the line before; "
		       "settings are written name = value;", place.file, place.line,
		       config_error_text(config));
}

static bool
read_text(struct reader *r)
{
	config_t config;
	bool ok;

	config_init(&config);
	ok = config_read_string(&config, r->text->body.data)
		     ? read_root(r, config_root_setting(&config))
		     : syntax_error(&config, r->text, r->err);
	config_destroy(&config);
	return ok;
}

const struct conf *
conf_load(const char *path, struct err *err)
{
	struct arena *arena;
	struct conf *conf = conf_new(path, &arena);
	struct conf_text text;
	struct reader r = { .conf = conf, .arena = arena, .text = &text, .err = err };
	bool ok = conf_text_read(&text, path, arena, err) && read_text(&r);

	conf->files = (struct conf_strings){ .items = text.files, .count = text.n_files };
	conf_text_free(&text);
	if (ok)
		return conf;
	conf_unref(conf);
	return NULL;
}
