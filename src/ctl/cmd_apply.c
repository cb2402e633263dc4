/* elvisctl plan and apply: what has to be done to the databases, and doing it. */
#include <stdio.h>

#include "ctl/commands.h"
#include "ctl/plugins.h"
#include "ctl/report.h"
#include "setup/chain.h"
#include "setup/plan.h"

/* A setup that has been looked at and may be carried out */
struct setup {
	struct ctl *ctl;
	struct site *site;
	struct plan plan;
	struct plan_options options;
};

static const char *
kind_name(enum step_kind kind)
{
	switch (kind) {
	case STEP_SQL:
		return "do";
	case STEP_START:
		return "start";
	case STEP_RESUBSCRIBE:
		return "lost";
	case STEP_COPY:
		return "copy";
	case STEP_COPY_TABLE:
		return "copy table";
	case STEP_STRANGER:
		return "stranger";
	}
	return "-";
}

static void
print_plan(const struct setup *s)
{
	AUTO_REPORT struct report *r = report_new();

	report_column(r, "node", "NODE");
	report_column(r, "kind", NULL);
	report_column(r, "link", NULL);
	report_column(r, "step", "STEP");
	report_column(r, "sql", NULL);
	for (size_t i = 0; i < s->plan.n_steps; i++) {
		const struct step *step = &s->plan.steps[i];

		report_row(r);
		report_text(r, step->node ? step->node->name : NULL);
		report_text(r, kind_name(step->kind));
		report_text(r, step->link ? step->link->name : NULL);
		report_text(r, step->words);
		report_text(r, step->sql);
	}
	report_print(r, s->ctl->json, "nothing to do");
}

static void
say_step(void *context, const struct step *step)
{
	const struct setup *s = context;

	if (!s->ctl->json)
		printf("%s: %s\n", step->node->name, step->words);
	fflush(stdout);
}

static enum ctl_exit
finish_apply(struct setup *s, struct err *err)
{
	if (!plan_perform(&s->plan, s->site, &s->options, say_step, s, err))
		return exit_of(err);
	if (s->ctl->json)
		print_plan(s);
	else if (s->plan.n_to_do == 0)
		printf("nothing to do\n");
	if (s->plan.n_copies > 0) {
		err_set(err, ERR_CONFIG, "%zu link%s cannot start yet, see above",
			s->plan.n_copies, s->plan.n_copies > 1 ? "s" : "");
		return CTL_WAITING;
	}
	return CTL_OK;
}

static enum ctl_exit
run(struct ctl *ctl, bool perform, struct err *err)
{
	struct plugin_set *plugins = ctl_plugins(ctl);
	struct setup s = {
		.ctl = ctl, .site = site_open(ctl->conf, "elvisctl apply"),
		.options = { .adopt = (ctl->given & OPTION_ADOPT) != 0,
			     .prune = (ctl->given & OPTION_PRUNE) != 0,
			     .needs_large = chain_needs_large, .context = plugins },
	};
	struct topology *topology = topology_new(ctl->conf, s.site->tables, s.site->n_tables,
						 chain_converges, plugins);
	enum ctl_exit status = CTL_OK;

	if (!site_complete(s.site, err) || !ctl_plugins_check(ctl, plugins, err) ||
	    !topology_sound(topology, TOPOLOGY_ERROR, err) ||
	    !plan_make(&s.plan, s.site, topology, &s.options, ctl->arena, err))
		status = exit_of(err);
	else if (perform)
		status = finish_apply(&s, err);
	else
		print_plan(&s);
	topology_free(topology);
	site_close(s.site);
	plugin_set_free(plugins);
	return status;
}

static enum ctl_exit
run_plan(struct ctl *ctl, struct err *err)
{
	return run(ctl, false, err);
}

static enum ctl_exit
run_apply(struct ctl *ctl, struct err *err)
{
	return run(ctl, true, err);
}

const struct cmd cmd_plan = {
	.name = "plan",
	.words = "",
	.options = OPTION_ADOPT | OPTION_PRUNE,
	.help = "show what apply would do",
	.run = run_plan,
};

const struct cmd cmd_apply = {
	.name = "apply",
	.words = "",
	.options = OPTION_ADOPT | OPTION_PRUNE,
	.help = "set the databases up as the configuration says",
	.run = run_apply,
};
