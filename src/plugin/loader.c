#include "plugin/loader.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/strbuf.h"
#include "plugin/code.h"
#include "plugin/promise.h"

struct plugin {
	atomic_uint references;
	enum elvis_plugin_kind kind;
	char *file;
	struct code code;
	union {
		struct elvis_policy policy;
		struct elvis_sink sink;
	} as;
};

struct places {
	const char *const *dirs; /* the installed one last */
	size_t n_dirs;
};

struct plugin_set {
	struct arena *arena;
	struct places policies, sinks;
	struct hash *loaded; /* by kind and name as asked for */
};

static const struct elvis_option no_options[] = { { .name = NULL } };

static const char *
kind_name(enum elvis_plugin_kind kind)
{
	return kind == ELVIS_PLUGIN_POLICY ? "policy" : "sink";
}

static struct places
copy_places(struct arena *arena, const char *const *dirs, size_t n_dirs,
	    const char *installed)
{
	const char **copy = arena_alloc(arena, sizeof(*copy) * (n_dirs + 1));

	for (size_t i = 0; i < n_dirs; i++)
		copy[i] = arena_strdup(arena, dirs[i]);
	copy[n_dirs] = installed;
	return (struct places){ .dirs = copy, .n_dirs = n_dirs + 1 };
}

struct plugin_set *
plugin_set_new(const char *const *policy_dirs, size_t n_policy_dirs,
	       const char *const *sink_dirs, size_t n_sink_dirs)
{
	struct plugin_set *set = mem_zalloc(sizeof(*set));

	set->arena = arena_new();
	set->policies = copy_places(set->arena, policy_dirs, n_policy_dirs, POLICYDIR);
	set->sinks = copy_places(set->arena, sink_dirs, n_sink_dirs, SINKDIR);
	set->loaded = hash_new();
	return set;
}

void
plugin_set_free(struct plugin_set *set)
{
	struct hash_cursor at = { 0 };
	struct plugin *plugin;

	if (set == NULL)
		return;
	while ((plugin = hash_next(set->loaded, &at)) != NULL)
		plugin_unref(plugin);
	hash_free(set->loaded);
	arena_free(set->arena);
	free(set);
}

/*
 * The first place that has it.  A file that is there but may not be read is found, so that
 * it is refused and not passed over for another one further on.
 */
static char *
find_file(const struct places *places, const char *name)
{
	if (strchr(name, '/') != NULL)
		return mem_strdup(name);
	for (size_t i = 0; i < places->n_dirs; i++) {
		char *file = mem_printf("%s/%s.so", places->dirs[i], name);

		if (access(file, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR))
			return file;
		free(file);
	}
	return NULL;
}

static bool
refuse_missing(const struct places *places, enum elvis_plugin_kind kind, const char *name,
	       struct err *err)
{
	AUTO_STRBUF struct strbuf tried;

	strbuf_init(&tried, 600);
	for (size_t i = 0; i < places->n_dirs; i++)
		strbuf_printf(&tried, "%s%s/%s.so", i == 0 ? "" : ", ", places->dirs[i],
			      name);
	return err_set(err, ERR_CONFIG,
		       "there is no %s \"%s\": tried %s; put it into one of these "
		       "directories or "
		       "name another one (%s_dirs)",
		       kind_name(kind), name, tried.data, kind_name(kind));
}

/* "/a/mine.so" is "mine", whatever the path. */
static char *
name_of_file(const char *file)
{
	const char *slash = strrchr(file, '/');
	char *name = mem_strdup(slash != NULL ? slash + 1 : file);
	size_t length = strlen(name);

	if (length > 3 && strcmp(name + length - 3, ".so") == 0)
		name[length - 3] = '\0';
	return name;
}

static bool
hold_to_promises(struct plugin *plugin, struct err *err)
{
	AUTO_FREE char *name = name_of_file(plugin->file);
	struct promise promise = { .name = name };

	promise.symbol = code_symbol(&plugin->code, "elvis_plugin", &promise.size);
	if (plugin->kind == ELVIS_PLUGIN_POLICY
		    ? promise_policy(&promise, &plugin->as.policy, err)
		    : promise_sink(&promise, &plugin->as.sink, err))
		return true;
	return err_wrap(err, "%s", plugin->file);
}

static struct plugin *
load(enum elvis_plugin_kind kind, const char *file, struct err *err)
{
	struct plugin *plugin = mem_zalloc(sizeof(*plugin));

	atomic_init(&plugin->references, 1);
	plugin->kind = kind;
	plugin->file = mem_strdup(file);
	plugin->code.fd = -1;
	if (code_load(&plugin->code, file, err) && hold_to_promises(plugin, err))
		return plugin;
	plugin_unref(plugin);
	return NULL;
}

bool
plugin_set_find(struct plugin_set *set, enum elvis_plugin_kind kind, const char *name,
		const struct plugin **found, struct err *err)
{
	const struct places *places =
		kind == ELVIS_PLUGIN_POLICY ? &set->policies : &set->sinks;
	AUTO_FREE char *key = mem_printf("%s %s", kind_name(kind), name);
	AUTO_FREE char *file = NULL;
	struct plugin *plugin = hash_get_text(set->loaded, key);

	if (plugin == NULL) {
		file = find_file(places, name);
		if (file == NULL)
			return refuse_missing(places, kind, name, err);
		plugin = load(kind, file, err);
		if (plugin == NULL)
			return false;
		hash_put_text(set->loaded, key, plugin);
	}
	*found = plugin;
	return true;
}

void
plugin_set_each(const struct plugin_set *set,
		void (*visit)(void *context, const struct plugin *plugin), void *context)
{
	struct hash_cursor at = { 0 };
	const struct plugin *plugin;

	while ((plugin = hash_next(set->loaded, &at)) != NULL)
		visit(context, plugin);
}

/* Counting who uses a plugin changes nothing that its users can see. */
static struct plugin *
counted(const struct plugin *plugin)
{
	union {
		const struct plugin *shown;
		struct plugin *counted;
	} p = { .shown = plugin };

	return p.counted;
}

const struct plugin *
plugin_ref(const struct plugin *plugin)
{
	atomic_fetch_add(&counted(plugin)->references, 1);
	return plugin;
}

void
plugin_unref(const struct plugin *shown)
{
	struct plugin *plugin;

	if (shown == NULL)
		return;
	plugin = counted(shown);
	if (atomic_fetch_sub(&plugin->references, 1) > 1)
		return;
	code_unload(&plugin->code);
	free(plugin->file);
	free(plugin);
}

const struct elvis_policy *
plugin_policy(const struct plugin *plugin)
{
	return &plugin->as.policy;
}

const struct elvis_sink *
plugin_sink(const struct plugin *plugin)
{
	return &plugin->as.sink;
}

/* What both kinds have under the same name */
#define OF_BOTH(plugin, member)                                             \
	((plugin)->kind == ELVIS_PLUGIN_POLICY ? (plugin)->as.policy.member \
					       : (plugin)->as.sink.member)

enum elvis_plugin_kind
plugin_kind(const struct plugin *plugin)
{
	return plugin->kind;
}

const char *
plugin_name(const struct plugin *plugin)
{
	return OF_BOTH(plugin, name);
}

const char *
plugin_version(const struct plugin *plugin)
{
	return OF_BOTH(plugin, version);
}

const char *
plugin_summary(const struct plugin *plugin)
{
	return OF_BOTH(plugin, summary);
}

const struct elvis_option *
plugin_options(const struct plugin *plugin)
{
	const struct elvis_option *options = OF_BOTH(plugin, options);

	return options != NULL ? options : no_options;
}

const char *
plugin_file(const struct plugin *plugin)
{
	return plugin->file;
}

const char *
plugin_hash(const struct plugin *plugin)
{
	return plugin->code.hash;
}
