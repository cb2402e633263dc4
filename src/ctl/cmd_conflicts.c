/* elvisctl conflicts: what did not fit, and how it was settled, from elvis.resolution. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "ctl/commands.h"
#include "ctl/report.h"
#include "setup/site.h"

/* One list over several nodes is in order of time */
struct entry {
	int64_t at;
	const char *id;		/* node/number */
	const char *link, *kind, *operation, *table, *key, *verdict, *policy, *reason;
};

struct entries {
	struct entry *items;
	size_t count;
};

/* The name a link has now; the one it had is not recorded. */
static const char *
link_name(const struct ctl *ctl, const char *uuid)
{
	for (size_t i = 0; i < ctl->conf->n_links; i++)
		if (strcmp(ctl->conf->links[i].uuid, uuid) == 0)
			return ctl->conf->links[i].name;
	return uuid;
}

static const char *
text_or_null(struct arena *arena, const PGresult *result, int row, int column)
{
	return result_null(result, row, column)
		       ? NULL
		       : arena_strdup(arena, result_text(result, row, column));
}

static const char *
time_text(struct arena *arena, int64_t at)
{
	char text[CLOCK_TEXT_SIZE];

	return arena_strdup(arena, clock_wall_text(text, at));
}

static bool
read_node(const struct ctl *ctl, const struct site_node *node, const char *uuid,
	  struct entries *entries, struct err *err)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;
	struct entry *items;

	if (node->conn == NULL) {
		*err = node->err;
		return false;
	}
	if (!node->inventory.installed)
		return true;
	params_i32(&params, ctl->limit);
	params_literal(&params, uuid);
	if (!conn_run(node->conn,
		      "SELECT id, at, link::text, kind, operation,"
		      "       table_schema || '.' || table_name, key::text, verdict, policy, reason"
		      "  FROM elvis.resolution WHERE $2::uuid IS NULL OR link = $2::uuid"
		      " ORDER BY id DESC LIMIT $1", &params, &result, err))
		return err_wrap(err, "node '%s'", node->node->name);
	items = arena_zalloc(ctl->arena,
			     (entries->count + (size_t) PQntuples(result) + 1) * sizeof(*items));
	for (size_t i = 0; i < entries->count; i++)
		items[i] = entries->items[i];
	for (int i = 0; i < PQntuples(result); i++)
		items[entries->count++] = (struct entry){
			.id = arena_printf(ctl->arena, "%s/%" PRId64, node->node->name,
					   result_i64(result, i, 0)),
			.at = result_time(result, i, 1),
			.link = arena_strdup(ctl->arena,
					     link_name(ctl, result_text(result, i, 2))),
			.kind = text_or_null(ctl->arena, result, i, 3),
			.operation = text_or_null(ctl->arena, result, i, 4),
			.table = text_or_null(ctl->arena, result, i, 5),
			.key = text_or_null(ctl->arena, result, i, 6),
			.verdict = text_or_null(ctl->arena, result, i, 7),
			.policy = text_or_null(ctl->arena, result, i, 8),
			.reason = text_or_null(ctl->arena, result, i, 9),
		};
	entries->items = items;
	return true;
}

static int
newest_first(const void *a, const void *b)
{
	const struct entry *left = a, *right = b;

	return left->at < right->at ? 1 : left->at > right->at ? -1 : 0;
}

static void
print_entries(const struct ctl *ctl, struct entries *entries)
{
	AUTO_REPORT struct report *r = report_new();

	if (entries->count > 0)
		qsort(entries->items, entries->count, sizeof(*entries->items), newest_first);
	report_column(r, "id", "ID");
	report_column(r, "at", "AT");
	report_column(r, "link", "LINK");
	report_column(r, "kind", "KIND");
	report_column(r, "operation", NULL);
	report_column(r, "table", "TABLE");
	report_column(r, "key", "KEY");
	report_column(r, "verdict", "VERDICT");
	report_column(r, "policy", "POLICY");
	report_column(r, "reason", NULL);
	for (size_t i = 0; i < entries->count && i < (size_t) ctl->limit; i++) {
		const struct entry *e = &entries->items[i];

		report_row(r);
		report_text(r, e->id);
		report_text(r, time_text(ctl->arena, e->at));
		report_text(r, e->link);
		report_text(r, e->kind);
		report_text(r, e->operation);
		report_text(r, e->table);
		report_json(r, e->key);
		report_text(r, e->verdict);
		report_text(r, e->policy);
		report_text(r, e->reason);
	}
	report_print(r, ctl->json, "no conflicts are recorded");
}

static enum ctl_exit
run_list(struct ctl *ctl, struct err *err)
{
	const struct conf_link *only = NULL;
	struct entries entries = { .count = 0 };
	struct site *site;
	enum ctl_exit status = CTL_OK;

	if (ctl->link != NULL && (only = ctl_link(ctl, ctl->link, err)) == NULL)
		return CTL_CONFIG;
	site = site_open(ctl->conf, "elvisctl conflicts");
	for (size_t i = 0; i < ctl->conf->n_nodes && status == CTL_OK; i++)
		if (!read_node(ctl, &site->nodes[i], only ? only->uuid : NULL, &entries, err))
			status = exit_of(err);
	if (status == CTL_OK)
		print_entries(ctl, &entries);
	site_close(site);
	return status;
}

/* "lyon/12": a node and the number of a resolution there */
static bool
read_id(struct ctl *ctl, const char *word, const struct conf_node **node, int64_t *id,
	struct err *err)
{
	const char *slash = strrchr(word, '/');
	char *end = NULL;

	if (slash != NULL)
		*id = strtoll(slash + 1, &end, 10);
	if (slash == NULL || end == slash + 1 || *end != '\0')
		return err_set(err, ERR_CONFIG, "'%s' is no conflict; elvisctl conflicts list shows "
			       "their ids, such as lyon/12", word);
	*node = ctl_node(ctl, arena_strndup(ctl->arena, word, (size_t) (slash - word)), err);
	return *node != NULL;
}

/* The row as JSON: for programs as it is, for people a line for each member. */
static void
print_resolution(const struct ctl *ctl, const char *text)
{
	json_t *object = json_loads(text, 0, NULL);
	const char *key;
	json_t *value;

	if (ctl->json) {
		json_print(object);
		return;
	}
	json_object_foreach(object, key, value) {
		char *shown = json_dumps(value, JSON_ENCODE_ANY);

		if (!json_is_null(value))
			printf("%-14s %s\n", key,
			       json_is_string(value) ? json_string_value(value) : shown);
		free(shown);
	}
	json_decref(object);
}

static bool
show(struct ctl *ctl, const struct site_node *node, int64_t id, struct err *err)
{
	struct params params = PARAMS_NONE;
	AUTO_RESULT PGresult *result = NULL;

	if (node->conn == NULL) {
		*err = node->err;
		return false;
	}
	params_i64(&params, id);
	if (!conn_run(node->conn,
		      "SELECT to_json(r)::text FROM elvis.resolution r WHERE id = $1", &params,
		      &result, err))
		return err_wrap(err, "node '%s'", node->node->name);
	if (PQntuples(result) == 0)
		return err_set(err, ERR_CONFIG, "node '%s' has no conflict %lld; elvisctl "
			       "conflicts list shows what there is", node->node->name,
			       (long long) id);
	print_resolution(ctl, result_text(result, 0, 0));
	return true;
}

static enum ctl_exit
run_show(struct ctl *ctl, struct err *err)
{
	const struct conf_node *node = NULL;
	struct site *site;
	int64_t id = 0;
	bool ok;

	if (!read_id(ctl, ctl->argv[1], &node, &id, err))
		return CTL_CONFIG;
	site = site_open(ctl->conf, "elvisctl conflicts");
	ok = show(ctl, site_node(site, node), id, err);
	site_close(site);
	return ok ? CTL_OK : exit_of(err);
}

static enum ctl_exit
run_conflicts(struct ctl *ctl, struct err *err)
{
	const char *verb = ctl->argc > 0 ? ctl->argv[0] : "list";

	if (strcmp(verb, "list") == 0 && ctl->argc <= 1)
		return run_list(ctl, err);
	if (strcmp(verb, "show") == 0 && ctl->argc == 2)
		return run_show(ctl, err);
	err_set(err, ERR_CONFIG, "conflicts takes list, or show with an id such as lyon/12");
	return CTL_USAGE;
}

const struct cmd cmd_conflicts = {
	.name = "conflicts",
	.words = "[list | show ID]",
	.most_words = 2,
	.options = OPTION_LINK | OPTION_LIMIT,
	.help = "what did not fit and how it was settled",
	.run = run_conflicts,
};
