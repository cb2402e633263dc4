/* The links of a configuration, and who they are whatever they are called. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "conf/plugin.h"
#include "conf/reader.h"
#include "conf/rule.h"

static bool
read_link_name(struct reader *r, const config_setting_t *setting, void *into)
{
	return read_name(r, setting, &((struct conf_link *) into)->name);
}

static bool
is_uuid(const char *text)
{
	if (strlen(text) != UUID_TEXT_SIZE - 1)
		return false;
	for (int i = 0; text[i] != '\0'; i++)
		if (i == 8 || i == 13 || i == 18 || i == 23 ? text[i] != '-'
							    : !isxdigit((unsigned char) text[i]))
			return false;
	return true;
}

static bool
read_uuid(struct reader *r, const config_setting_t *setting, void *into)
{
	struct conf_link *link = into;
	const char *text;

	if (!read_string(r, setting, &text))
		return false;
	if (!is_uuid(text))
		return read_fail(r, setting, "'%s' is not a uuid; it has 32 hexadecimal digits, "
				 "as in \"1c7a2a34-0a5b-4c53-9f0e-6f9f2b4f7d10\"", text);
	for (int i = 0; i < UUID_TEXT_SIZE; i++)
		link->uuid[i] = (char) tolower((unsigned char) text[i]);
	return true;
}

static bool
read_node_name(struct reader *r, const config_setting_t *setting,
	       const struct conf_node **node)
{
	const char **names = arena_alloc(r->arena, (r->conf->n_nodes + 1) * sizeof(*names));
	const char *name;

	if (!read_string(r, setting, &name))
		return false;
	*node = conf_node(r->conf, name);
	if (*node != NULL)
		return true;
	for (size_t i = 0; i < r->conf->n_nodes; i++)
		names[i] = r->conf->nodes[i].name;
	return read_fail(r, setting, "there is no node '%s'; %s", name,
			 read_suggestion(r, name, names, r->conf->n_nodes));
}

static bool
read_from(struct reader *r, const config_setting_t *setting, void *into)
{
	return read_node_name(r, setting, &((struct conf_link *) into)->from);
}

static bool
read_to(struct reader *r, const config_setting_t *setting, void *into)
{
	return read_node_name(r, setting, &((struct conf_link *) into)->to);
}

static bool
read_sink(struct reader *r, const config_setting_t *setting, void *into)
{
	return read_plugin(r, setting, "a sink", &((struct conf_link *) into)->sink);
}

static bool
read_forward(struct reader *r, const config_setting_t *setting, void *into)
{
	static const char *const words[] = {
		[CONF_FORWARD_ALL] = "all",
		[CONF_FORWARD_LOCAL] = "local",
	};
	size_t number;

	if (!read_word(r, setting, "what can be forwarded", words, ARRAY_LEN(words), &number))
		return false;
	((struct conf_link *) into)->forward = (enum conf_forward) number;
	return true;
}

static bool
read_granularity(struct reader *r, const config_setting_t *setting, void *into)
{
	static const char *const words[] = {
		[CONF_GRANULARITY_BATCH] = "batch",
		[CONF_GRANULARITY_TRANSACTION] = "transaction",
	};
	size_t number;

	if (!read_word(r, setting, "a granularity", words, ARRAY_LEN(words), &number))
		return false;
	((struct conf_link *) into)->granularity = (enum conf_granularity) number;
	return true;
}

static bool
read_target_bytes(struct reader *r, const config_setting_t *setting, void *into)
{
	const struct conf_option *option = option_find("target_bytes");

	return read_size(r, setting, option->least, option->greatest,
			 &((struct conf_link *) into)->target_bytes);
}

static bool
read_tables(struct reader *r, const config_setting_t *setting, void *into)
{
	struct conf_link *link = into;

	if (!read_each(r, setting, sizeof(struct conf_rule), read_rule, &link->rules,
		       &link->n_rules))
		return false;
	if (link->n_rules == 0)
		return read_fail(r, setting, "'tables' is empty; for every table of schema "
				 "public write ( { match = \"public.*\"; } )");
	return true;
}

static const struct key link_keys[] = {
	{ "name", read_link_name, true },
	{ "uuid", read_uuid, false },
	{ "from", read_from, true },
	{ "to", read_to, false },
	{ "sink", read_sink, false },
	{ "forward", read_forward, false },
	{ "granularity", read_granularity, false },
	{ "target_bytes", read_target_bytes, false },
	{ "tables", read_tables, true },
};

static bool
read_link(struct reader *r, const config_setting_t *setting, void *item)
{
	struct conf_link *link = item;
	struct conf_place place = read_place(r, setting);

	*link = (struct conf_link){ .file = place.file, .line = place.line };
	if (!read_group(r, setting, "a link", link_keys, ARRAY_LEN(link_keys), link))
		return false;
	if (link->to != NULL && link->sink.use != NULL)
		return read_fail(r, setting, "link '%s' has both 'to' and 'sink'; 'to' names a "
				 "node and needs no sink", link->name);
	if (link->to == NULL && link->sink.use == NULL)
		return read_fail(r, setting, "link '%s' goes nowhere; it needs 'to' with the "
				 "name of a node, or 'sink'", link->name);
	if (link->to == link->from)
		return read_fail(r, setting, "link '%s' leads from node '%s' to itself",
				 link->name, link->from->name);
	if (link->to == NULL && strcmp(link->sink.use, "postgres") == 0)
		return read_fail(r, setting, "link '%s': the sink postgres is chosen by naming a "
				 "node with 'to'", link->name);
	if (link->to != NULL)
		link->sink = (struct conf_plugin){ .use = "postgres", .file = link->file,
						   .line = link->line };
	return true;
}

bool
read_links(struct reader *r, const config_setting_t *setting)
{
	const struct conf_link *links;

	if (!read_each(r, setting, sizeof(struct conf_link), read_link, &r->conf->links,
		       &r->conf->n_links))
		return false;
	if (r->conf->n_links == 0)
		return read_fail(r, setting, "there are no links");
	links = r->conf->links;
	for (size_t i = 0; i < r->conf->n_links; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(links[i].name, links[j].name) == 0)
				return err_set(r->err, ERR_CONFIG,
					       "%s:%d: there is another link '%s' at %s:%d",
					       links[i].file, links[i].line, links[i].name,
					       links[j].file, links[j].line);
	return true;
}

/* The setting that tells two sinks of one kind apart, "" when there is none. */
static const char *
sink_place(const struct conf_plugin *sink)
{
	for (size_t i = 0; i < sink->settings.count; i++)
		if (strcmp(sink->settings.items[i].name, "path") == 0 &&
		    sink->settings.items[i].type == SETTING_STRING)
			return sink->settings.items[i].string;
	return "";
}

/*
 * A uuid of version 8 (the maker's own) that only depends on the text: 128-bit FNV-1a.  The
 * texts are few and nobody's attack, so more than a good spread is not asked of it.
 */
static void
uuid_of_text(char uuid[UUID_TEXT_SIZE], const char *text)
{
	const unsigned __int128 prime = (unsigned __int128) 1 << 88 | 0x13b;
	unsigned __int128 sum = (unsigned __int128) UINT64_C(0x6c62272e07bb0142) << 64 |
				UINT64_C(0x62b821756295c58d);
	uint64_t high, low;

	for (const char *c = text; *c != '\0'; c++)
		sum = (sum ^ (unsigned char) *c) * prime;
	high = ((uint64_t) (sum >> 64) & ~UINT64_C(0xf000)) | 0x8000;
	low = ((uint64_t) sum & ~(UINT64_C(3) << 62)) | UINT64_C(1) << 63;
	snprintf(uuid, UUID_TEXT_SIZE, "%08x-%04x-%04x-%04x-%012llx", (unsigned) (high >> 32),
		 (unsigned) (high >> 16) & 0xffff, (unsigned) high & 0xffff,
		 (unsigned) (low >> 48), (unsigned long long) low & 0xffffffffffffULL);
}

static void
derive_uuid(struct conf_link *link, struct arena *arena)
{
	const char *text;

	if (link->to != NULL)
		text = arena_printf(arena, "elvis link from node %u to node %u", link->from->id,
				    link->to->id);
	else
		text = arena_printf(arena, "elvis link from node %u to sink %s %s",
				    link->from->id, link->sink.use, sink_place(&link->sink));
	uuid_of_text(link->uuid, text);
}

static bool
refuse_same_uuid(const struct conf_link *link, const struct conf_link *other, struct err *err)
{
	char fresh[UUID_TEXT_SIZE];

	uuid_make(fresh);
	if (link->from == other->from && link->to == other->to)
		return err_set(err, ERR_CONFIG,
			       "%s:%d: link '%s' has the same ends as link '%s' at %s:%d, and no "
			       "other uuid; write uuid = \"%s\" into the one that is new",
			       link->file, link->line, link->name, other->name, other->file,
			       other->line, fresh);
	return err_set(err, ERR_CONFIG,
		       "%s:%d: link '%s' has the same uuid as link '%s' at %s:%d; write "
		       "uuid = \"%s\" into the one that is new", link->file, link->line,
		       link->name, other->name, other->file, other->line, fresh);
}

bool
links_complete(struct conf *conf, struct arena *arena, struct err *err)
{
	struct conf_link *links = arena_alloc(arena, (conf->n_links + 1) * sizeof(*links));

	for (size_t i = 0; i < conf->n_links; i++)
		links[i] = conf->links[i];
	conf->links = links;
	for (size_t i = 0; i < conf->n_links; i++) {
		if (links[i].target_bytes == 0)
			links[i].target_bytes = conf->settings.target_bytes;
		if (links[i].uuid[0] == '\0')
			derive_uuid(&links[i], arena);
		for (size_t j = 0; j < i; j++)
			if (strcmp(links[i].uuid, links[j].uuid) == 0)
				return refuse_same_uuid(&links[i], &links[j], err);
	}
	return true;
}
