/* elvisctl sequences: before a replica takes over, its sequences have to. */
#include <stdio.h>

#include "ctl/commands.h"
#include "ctl/report.h"
#include "setup/sequence.h"

static enum ctl_exit
run_sequences(struct ctl *ctl, struct err *err)
{
	const struct conf_link *link = ctl_link(ctl, ctl->argv[0], err);
	struct site *site;
	size_t moved = 0;
	enum ctl_exit status = CTL_OK;

	if (link == NULL)
		return CTL_CONFIG;
	if (link->to == NULL) {
		err_set(err, ERR_CONFIG, "link '%s' leads to sink %s, which has no sequences",
			link->name, link->sink.use);
		return CTL_CONFIG;
	}
	site = site_open(ctl->conf, "elvisctl sequences");
	if (!site_complete(site, err) || !sequences_follow(site, link, &moved, err))
		status = exit_of(err);
	else if (ctl->json)
		json_print(json_pack("{s:s, s:I}", "link", link->name, "moved",
				     (json_int_t) moved));
	else
		printf("%zu sequence%s on '%s' brought up to '%s'\n", moved,
		       moved == 1 ? "" : "s", link->to->name, link->from->name);
	site_close(site);
	return status;
}

const struct cmd cmd_sequences = {
	.name = "sequences",
	.words = "LINK",
	.least_words = 1,
	.most_words = 1,
	.help = "bring the sequences of a link's replicas up to their source's",
	.run = run_sequences,
};
