/* A sink that cannot commit. */
#include <elvis/sink.h>

static enum elvis_result
open(const struct elvis_host *host, const struct elvis_link *link,
     const struct elvis_settings *settings, void **state)
{
	(void) host;
	(void) link;
	(void) settings;
	(void) state;
	return ELVIS_SINK_OK;
}

ELVIS_SINK("half_a_sink", .version = "1", .summary = "for a test", .open = open);
