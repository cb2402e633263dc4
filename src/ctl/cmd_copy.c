/* elvisctl copy: fill the empty target tables of a link while its source is written. */
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/commands.h"
#include "ctl/report.h"
#include "setup/copy.h"

struct copying {
	struct ctl *ctl;
	bool terminal;
	int64_t began_us;
	size_t tables;
	int64_t bytes;
};

/* On a terminal one line that changes, elsewhere one line a table */
static void
show(void *context, const struct copy_progress *p)
{
	struct copying *c = context;

	if (p->finished && !p->skipped) {
		c->tables++;
		c->bytes += p->bytes;
	}
	if (c->ctl->json || (!c->terminal && !p->finished))
		return;
	printf("%s%zu/%zu %s.%s: %s%.1f MB%s", c->terminal ? "\r\033[K" : "", p->number, p->of,
	       p->schema, p->table, p->skipped ? "copied before, " : "",
	       (double) p->bytes / (1 << 20), p->finished ? "\n" : "");
	fflush(stdout);
}

static void
print_end(const struct copying *c, const struct conf_link *link)
{
	double seconds = (double) (clock_mono_us() - c->began_us) / CLOCK_S;

	if (c->ctl->json)
		json_print(json_pack("{s:s, s:I, s:I, s:f}", "link", link->name, "tables",
				     (json_int_t) c->tables, "bytes", (json_int_t) c->bytes,
				     "seconds", seconds));
	else
		printf("link '%s': %zu tables, %.1f MB in %.1f s; elvisd carries on from here\n",
		       link->name, c->tables, (double) c->bytes / (1 << 20), seconds);
}

static bool
read_patterns(struct ctl *ctl, struct copy_options *options, struct err *err)
{
	struct pattern *patterns =
		arena_zalloc(ctl->arena, (ctl->tables.count + 1) * sizeof(*patterns));

	for (size_t i = 0; i < ctl->tables.count; i++)
		if (!pattern_parse(&patterns[i], ctl->tables.items[i], ctl->arena, err))
			return err_wrap(err, "--table");
	options->tables = patterns;
	options->n_tables = ctl->tables.count;
	return true;
}

static enum ctl_exit
run_copy(struct ctl *ctl, struct err *err)
{
	struct copying copying = {
		.ctl = ctl, .terminal = isatty(STDOUT_FILENO), .began_us = clock_mono_us(),
	};
	struct copy_options options = {
		.jobs = (size_t) ctl->jobs,
		.truncate = (ctl->given & OPTION_TRUNCATE) != 0, .listener = show,
		.context = &copying,
	};
	const struct conf_link *link = ctl_link(ctl, ctl->argv[0], err);
	struct site *site;
	enum ctl_exit status = CTL_OK;

	if (link == NULL || !read_patterns(ctl, &options, err))
		return CTL_CONFIG;
	site = site_open(ctl->conf, "elvisctl copy");
	if (!site_complete(site, err) || !copy_link(site, link, &options, err))
		status = exit_of(err);
	else
		print_end(&copying, link);
	site_close(site);
	return status;
}

const struct cmd cmd_copy = {
	.name = "copy",
	.words = "LINK",
	.least_words = 1,
	.most_words = 1,
	.options = OPTION_TABLE | OPTION_JOBS | OPTION_TRUNCATE,
	.help = "fill the empty tables of a link's target while its source is written",
	.run = run_copy,
};
