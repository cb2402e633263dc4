/*
 * rulebook.c - from conf_rule to table_rules.
 */
#include "daemon/rulebook.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/mem.h"
#include "plugin/policy.h"

/* A policy at work for one table */
struct opened {
	struct opened *next;
	const struct conf_plugin *conf;	/* what it was opened for */
	struct policy *policy;
	struct link_policy seen;	/* as the engine sees it */
};

/* A table, whatever its shape */
struct entry {
	struct table_rules rules;
	struct opened *policies;
};

struct rulebook {
	const struct conf_link *link;
	struct breadcrumb_slot *slot;
	struct hash *plugins;	/* name as configured -> const struct plugin, referenced */
	struct hash *tables;	/* "schema.table", the lengths in front -> struct entry */
	struct arena *arena;
};

static bool
decide(void *self, const struct elvis_conflict *conflict, struct elvis_verdict *verdict,
       struct err *err)
{
	return policy_decide(self, conflict, verdict, err);
}

static bool
answers(void *self, const struct elvis_table *table, struct elvis_answers *of, struct err *err)
{
	return policy_answers(self, table, of, err);
}

static const struct policy_ops ops = { decide, answers };

/* Checking beforehand ------------------------------------------------------------- */

/* The plugin is there, and takes these settings. */
static bool
check_policy(struct rulebook *book, struct plugin_set *plugins, const struct conf_plugin *conf,
	     struct err *err)
{
	const struct plugin *plugin;
	struct policy *trial;

	if (!plugin_set_find(plugins, ELVIS_PLUGIN_POLICY, conf->use, &plugin, err))
		return err_wrap(err, "%s:%d", conf->file, conf->line);
	if (hash_get_text(book->plugins, conf->use) == NULL)
		hash_put_text(book->plugins, conf->use,
			      (void *) (uintptr_t) plugin_ref(plugin));
	if (!policy_open(&trial, plugin, &conf->settings, book->link->name, NULL, NULL, err))
		return false;
	policy_close(trial);
	return true;
}

static bool
check_chain(struct rulebook *book, struct plugin_set *plugins, const struct conf_chain *chain,
	    struct err *err)
{
	for (size_t i = 0; i < chain->n_policies; i++)
		if (!check_policy(book, plugins, &chain->policies[i], err))
			return false;
	return true;
}

static bool
check_rule(struct rulebook *book, struct plugin_set *plugins, const struct conf_rule *rule,
	   struct err *err)
{
	if (!check_chain(book, plugins, &rule->chain, err))
		return false;
	for (uint32_t kind = 1; kind < ELVIS_CONFLICT_KIND_END; kind++)
		if (!check_chain(book, plugins, &rule->on[kind], err))
			return false;
	return true;
}

bool
rulebook_new(struct rulebook **made, const struct conf_link *link, struct plugin_set *plugins,
	     struct breadcrumb_slot *slot, struct err *err)
{
	struct rulebook *book = mem_zalloc(sizeof(*book));

	book->link = link;
	book->slot = slot;
	book->plugins = hash_new();
	book->tables = hash_new();
	book->arena = arena_new();
	for (size_t i = 0; i < link->n_rules; i++) {
		if (!check_rule(book, plugins, &link->rules[i], err)) {
			rulebook_free(book);
			return false;
		}
	}
	*made = book;
	return true;
}

void
rulebook_free(struct rulebook *book)
{
	struct hash_cursor at = { 0 };
	struct entry *entry;
	const struct plugin *plugin;

	if (book == NULL)
		return;
	while ((entry = hash_next(book->tables, &at)) != NULL)
		for (struct opened *o = entry->policies; o != NULL; o = o->next)
			policy_close(o->policy);
	at = (struct hash_cursor){ 0 };
	while ((plugin = hash_next(book->plugins, &at)) != NULL)
		plugin_unref(plugin);
	hash_free(book->plugins);
	hash_free(book->tables);
	arena_free(book->arena);
	free(book);
}

/* Tables ------------------------------------------------------------------------ */

/* The policy at work for that line of the configuration: one for all kinds that name it */
static const struct link_policy *
policy_for(struct rulebook *book, struct entry *entry, const struct conf_plugin *conf,
	   const struct elvis_table *table, struct err *err)
{
	const struct plugin *plugin = hash_get_text(book->plugins, conf->use);
	struct opened *opened;

	for (opened = entry->policies; opened != NULL; opened = opened->next)
		if (opened->conf == conf)
			return &opened->seen;
	opened = arena_zalloc(book->arena, sizeof(*opened));
	opened->conf = conf;
	if (!policy_open(&opened->policy, plugin, &conf->settings, book->link->name, table,
			 book->slot, err))
		return NULL;
	opened->seen = (struct link_policy){
		.ops = &ops,
		.self = opened->policy,
		.name = policy_name(opened->policy),
		.ordered = plugin_policy(plugin)->ordered,
	};
	opened->next = entry->policies;
	entry->policies = opened;
	return &opened->seen;
}

static bool
chain_for(struct rulebook *book, struct entry *entry, const struct conf_chain *conf,
	  const struct elvis_table *table, struct chain *chain, struct err *err)
{
	const struct link_policy **policies =
		arena_alloc(book->arena, (conf->n_policies + 1) * sizeof(*policies));

	for (size_t i = 0; i < conf->n_policies; i++) {
		policies[i] = policy_for(book, entry, &conf->policies[i], table, err);
		if (policies[i] == NULL)
			return false;
	}
	chain->policies = policies;
	chain->n = conf->n_policies;
	return true;
}

static uint32_t
detect_of(enum conf_detect detect)
{
	switch (detect) {
	case CONF_DETECT_BEFORE_IMAGE:
		return ELVIS_DETECT_BEFORE_IMAGE;
	case CONF_DETECT_CHANGED_COLUMNS:
		return ELVIS_DETECT_CHANGED_COLUMNS;
	case CONF_DETECT_KEY:
		return ELVIS_DETECT_KEY;
	}
	return ELVIS_DETECT_BEFORE_IMAGE;
}

static bool
fill(struct rulebook *book, struct entry *entry, const struct elvis_table *table,
     struct err *err)
{
	const struct conf_rule *rule = conf_link_rule(book->link, table->schema, table->name);
	struct table_rules *rules = &entry->rules;

	if (rule == NULL)
		return true;	/* not the link's: nothing to know */
	for (uint32_t kind = 1; kind < ELVIS_CONFLICT_KIND_END; kind++)
		if (!chain_for(book, entry, conf_rule_chain(rule, (enum elvis_conflict_kind) kind),
			       table, &rules->chains[kind], err))
			return false;
	rules->wanted = true;
	rules->gap_stops = rule->gap == CONF_GAP_STOP;
	rules->detect = detect_of(rule->detect);
	rules->ignored = rule->ignore_columns.items;
	rules->n_ignored = rule->ignore_columns.count;
	return true;
}

static bool
still_fits(const struct entry *entry, const struct elvis_table *table, struct err *err)
{
	for (const struct opened *o = entry->policies; o != NULL; o = o->next)
		if (!policy_fits_table(o->policy, table, err))
			return false;
	return true;
}

bool
rulebook_find(void *context, const struct elvis_table *table, const struct table_rules **rules,
	      struct err *err)
{
	struct rulebook *book = context;
	AUTO_FREE char *name = mem_printf("%zu.%s.%s", strlen(table->schema), table->schema,
					  table->name);
	struct entry *entry = hash_get_text(book->tables, name);

	if (entry != NULL) {
		*rules = &entry->rules;
		return still_fits(entry, table, err);
	}
	entry = arena_zalloc(book->arena, sizeof(*entry));
	if (!fill(book, entry, table, err)) {
		for (struct opened *o = entry->policies; o != NULL; o = o->next)
			policy_close(o->policy);
		return false;
	}
	hash_put_text(book->tables, name, entry);
	*rules = &entry->rules;
	return true;
}
