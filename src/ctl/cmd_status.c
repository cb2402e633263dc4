/* elvisctl status: where the links stand, and what their sources keep for them. */
#include <stdio.h>

#include "ctl/commands.h"
#include "ctl/report.h"
#include "ctl/standing.h"

static void
link_columns(struct report *r)
{
	report_column(r, "link", "LINK");
	report_column(r, "from", "FROM");
	report_column(r, "to", "TO");
	report_column(r, "state", "STATE");
	report_column(r, "daemon", "ELVISD");
	report_column(r, "behind", "BEHIND");
	report_column(r, "lag_seconds", "LAG s");
	report_column(r, "snapshot", "AT");
	report_column(r, "seq", NULL);
	report_column(r, "newest_snapshot", "NEWEST");
	report_column(r, "uuid", NULL);
	report_column(r, "reason", "REASON");
}

static void
report_standing(struct report *r, const struct standing *s, const struct err *err)
{
	bool known = err->class == ERR_NONE && s->started;

	report_row(r);
	report_text(r, s->link->name);
	report_text(r, s->link->from->name);
	report_text(r, s->link->to ? s->link->to->name : s->link->sink.use);
	report_text(r, err->class == ERR_NONE ? s->state : "unknown");
	report_bool(r, s->daemon);
	if (known && s->subscribed) {
		report_bool(r, s->behind);
		report_seconds(r, s->lag);
		report_number(r, s->at_id);
		report_number(r, s->seq);
		report_number(r, s->newest_id);
	} else {
		for (int i = 0; i < 5; i++)
			report_null(r);
	}
	report_text(r, s->link->uuid);
	if (err->class != ERR_NONE)
		report_text(r, err->text);
	else if (s->subscribed && !s->started)
		report_text(r, "it has no position yet; see elvisctl plan");
	else if (!s->subscribed)
		report_text(r, "not started; see elvisctl plan");
	else
		report_text(r, s->reason);
}

/* Log and confirmed segments: what a source pays for its links */
static bool
ask_log(const struct site_node *node, int64_t *bytes, int64_t *prepared, struct err *err)
{
	AUTO_RESULT PGresult *result = NULL;

	if (!conn_run(node->conn,
		      "SELECT (SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint"
		      "          FROM pg_class c WHERE c.relnamespace = 'elvis'::regnamespace"
		      "           AND c.relkind = 'r' AND c.relname ~ '^log_[0-9]+$'),"
		      "       (SELECT count(*) FROM pg_prepared_xacts p"
		      "         WHERE p.database = current_database())", NULL, &result, err))
		return err_wrap(err, "node '%s'", node->node->name);
	*bytes = result_i64(result, 0, 0);
	*prepared = result_i64(result, 0, 1);
	return true;
}

static void
report_nodes(struct report *r, const struct site *site, enum ctl_exit *status)
{
	report_column(r, "node", "NODE");
	report_column(r, "id", "ID");
	report_column(r, "log_bytes", "LOG");
	report_column(r, "prepared_transactions", "PREPARED");
	report_column(r, "trouble", "TROUBLE");
	for (size_t i = 0; i < site->conf->n_nodes; i++) {
		const struct site_node *node = &site->nodes[i];
		struct err err = node->err;
		int64_t bytes = 0, prepared = 0;

		report_row(r);
		report_text(r, node->node->name);
		report_number(r, node->node->id);
		if (node->conn == NULL || node->inventory.id == 0 ||
		    !ask_log(node, &bytes, &prepared, &err)) {
			report_null(r);
			report_null(r);
			report_text(r, err.class != ERR_NONE ? err.text
							     : "not set up; see elvisctl plan");
			*status = err.class != ERR_NONE ? exit_of(&err) : *status;
			continue;
		}
		report_size(r, bytes);
		report_number(r, prepared);
		report_text(r, node->inventory.genuine ? NULL : node->inventory.detail);
	}
}

static enum ctl_exit
print_status(struct ctl *ctl, const struct site *site, const struct conf_link *only)
{
	AUTO_REPORT struct report *links = report_new();
	AUTO_REPORT struct report *nodes = report_new();
	enum ctl_exit status = CTL_OK;

	link_columns(links);
	for (size_t i = 0; i < ctl->conf->n_links; i++) {
		const struct conf_link *link = &ctl->conf->links[i];
		struct err err = ERR_INIT;
		struct standing standing;

		if (only != NULL && link != only)
			continue;
		if (!standing_ask(&standing, site, link, ctl->arena, &err))
			status = exit_of(&err);
		report_standing(links, &standing, &err);
	}
	report_nodes(nodes, site, &status);
	if (ctl->json) {
		json_print(json_pack("{s:o, s:o}", "links", report_array(links), "nodes",
				     report_array(nodes)));
		return status;
	}
	report_print(links, false, "no links");
	printf("\n");
	report_print(nodes, false, "no nodes");
	return status;
}

static enum ctl_exit
run_status(struct ctl *ctl, struct err *err)
{
	const struct conf_link *only = NULL;
	struct site *site;
	enum ctl_exit status;

	if (ctl->link != NULL && (only = ctl_link(ctl, ctl->link, err)) == NULL)
		return CTL_CONFIG;
	site = site_open(ctl->conf, "elvisctl status");
	status = print_status(ctl, site, only);
	site_close(site);
	return status;
}

const struct cmd cmd_status = {
	.name = "status",
	.words = "",
	.options = OPTION_LINK,
	.help = "state, position and lag of every link, size of every log",
	.run = run_status,
};
