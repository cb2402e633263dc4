/* elvisctl adopt-node and same-node: a database that is not where it was set up. */
#include <stdio.h>

#include "ctl/commands.h"
#include "setup/site.h"

/* Asks one node for what it is, and tells it what it is to be. */
static enum ctl_exit
tell_node(struct ctl *ctl, const char *sql, struct params *params, const char *what,
	  struct err *err)
{
	const struct conf_node *node = ctl_node(ctl, ctl->argv[0], err);
	AUTO_CONN struct conn *conn = NULL;

	if (node == NULL)
		return CTL_CONFIG;
	if (!conn_open(&conn, &(struct conn_options){
			.conninfo = node->conninfo, .application = "elvisctl", .stop_fd = -1,
		}, err) ||
	    !conn_run(conn, sql, params, NULL, err)) {
		err_wrap(err, "node '%s'", node->name);
		return exit_of(err);
	}
	printf("node '%s' %s\n", node->name, what);
	return CTL_OK;
}

static enum ctl_exit
run_adopt_node(struct ctl *ctl, struct err *err)
{
	const struct conf_node *node = ctl_node(ctl, ctl->argv[0], err);
	struct params params = PARAMS_NONE;

	if (node == NULL)
		return CTL_CONFIG;
	params_i32(&params, (int32_t) node->id);
	params_text(&params, node->name);
	return tell_node(ctl, "SELECT elvis.adopt_node($1, $2)", &params,
			 "is a node of its own now, without links and log; see elvisctl plan", err);
}

static enum ctl_exit
run_same_node(struct ctl *ctl, struct err *err)
{
	struct params params = PARAMS_NONE;

	return tell_node(ctl, "SELECT elvis.same_node()", &params,
			 "goes on where the database it is a copy of has ended", err);
}

const struct cmd cmd_adopt_node = {
	.name = "adopt-node",
	.words = "NODE",
	.least_words = 1,
	.most_words = 1,
	.help = "a copied database becomes the new node that the configuration says",
	.run = run_adopt_node,
};

const struct cmd cmd_same_node = {
	.name = "same-node",
	.words = "NODE",
	.least_words = 1,
	.most_words = 1,
	.help = "a moved database (failover, restore) goes on as the same node",
	.run = run_same_node,
};
