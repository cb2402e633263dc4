/*
 * What is lent to one plugin instance: a voice in the log, memory, and a place to say why
 * it failed.  Belongs to the instance's thread; must stay where it was made.
 */
#ifndef PLUGIN_HOST_H
#define PLUGIN_HOST_H

#include <elvis/abi.h>

#include "base/arena.h"

struct host {
	struct elvis_host lent;
	struct arena *arena; /* reset by host_forget() */
	char *subject;       /* of log lines: "link paris_lyon" */
	char *who;           /* "policy \"mine\"" */
	char failure[512];   /* "": it did not say */
};

void host_init(struct host *host, const char *link, const char *kind, const char *name);
void host_done(struct host *host);

/* What was allocated and said since the last time is gone. */
void host_forget(struct host *host);

/* Why the call failed, in the plugin's words, or that it did not say.  Until host_forget(). */
const char *host_failure(const struct host *host);

#endif
