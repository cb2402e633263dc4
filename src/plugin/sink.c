#include "plugin/sink.h"

#include <stdlib.h>

#include <elvis/record.h>

#include "base/arena.h"
#include "base/mem.h"
#include "plugin/host.h"
#include "plugin/settings.h"

struct sink {
	const struct plugin *plugin;
	const struct elvis_sink *calls; /* the plugin's */
	void *state;                    /* the plugin's, while open */
	bool open, begun;
	const struct elvis_link *link;
	struct arena *arena; /* as long as the instance */
	struct elvis_settings settings;
	struct host host;
};

bool
sink_new(struct sink **made, const struct plugin *plugin,
	 const struct setting_list *settings, const struct elvis_link *link,
	 struct err *err)
{
	struct sink *sink = mem_zalloc(sizeof(*sink));

	sink->plugin = plugin_ref(plugin);
	sink->calls = plugin_sink(plugin);
	sink->link = link;
	sink->arena = arena_new();
	host_init(&sink->host, link->name, "sink", plugin_name(plugin));
	if (!settings_read(&sink->settings, plugin_options(plugin), settings,
			   sink->host.who, sink->arena, err)) {
		sink_free(sink);
		return false;
	}
	*made = sink;
	return true;
}

void
sink_free(struct sink *sink)
{
	if (sink == NULL)
		return;
	sink_close(sink);
	host_done(&sink->host);
	arena_free(sink->arena);
	plugin_unref(sink->plugin);
	free(sink);
}

/* From what the sink returned, and said by host->fail, to an error or none. */
static bool
came_well(struct sink *sink, enum elvis_result result, const char *doing, struct err *err)
{
	enum err_class class = ERR_BUG;

	switch (result) {
	case ELVIS_SINK_OK:
		return true;
	case ELVIS_SINK_RETRY:
		class = ERR_RETRY;
		break;
	case ELVIS_SINK_STOPPED:
		class = ERR_REFUSED;
		break;
	case ELVIS_SINK_FATAL:
		class = ERR_CONFIG;
		break;
	}
	if (class == ERR_BUG)
		err_set(err, class,
			"%s, %s: it returned %d; wanted one of enum elvis_result",
			sink->host.who, doing, (int) result);
	else
		err_set(err, class, "%s, %s: %s", sink->host.who, doing,
			host_failure(&sink->host));
	sink->host.failure[0] = '\0';
	return false;
}

/* The order of calls is ours to keep: a plugin need not defend itself. */
static bool
check_order(const struct sink *sink, bool open, bool begun, const char *doing,
	    struct err *err)
{
	if (sink->open == open && sink->begun == begun)
		return true;
	return err_set(err, ERR_BUG, "%s, %s: it is %s and %s a transaction",
		       sink->host.who, doing, sink->open ? "open" : "not open",
		       sink->begun ? "in" : "not in");
}

bool
sink_open(struct sink *sink, struct err *err)
{
	enum elvis_result result;

	if (!check_order(sink, false, false, "opening", err))
		return false;
	host_forget(&sink->host);
	sink->state = NULL;
	result = sink->calls->open(&sink->host.lent, sink->link, &sink->settings,
				   &sink->state);
	sink->open = result == ELVIS_SINK_OK;
	return came_well(sink, result, "opening", err);
}

void
sink_close(struct sink *sink)
{
	if (!sink->open)
		return;
	sink_rollback(sink);
	sink->calls->close(sink->state);
	sink->open = false;
	host_forget(&sink->host);
}

bool
sink_position(struct sink *sink, struct elvis_position *position, bool *known,
	      struct err *err)
{
	*known = false;
	if (!check_order(sink, true, false, "finding its position", err))
		return false;
	if (sink->calls->position == NULL)
		return true;
	return came_well(sink, sink->calls->position(sink->state, position, known),
			 "finding its position", err);
}

bool
sink_table(struct sink *sink, const struct elvis_table *table,
	   const struct elvis_rules *rules, struct err *err)
{
	if (!check_order(sink, true, sink->begun, "taking a table", err))
		return false;
	if (sink->calls->table == NULL)
		return true;
	return came_well(sink, sink->calls->table(sink->state, table, rules),
			 "taking a table", err);
}

bool
sink_begin(struct sink *sink, const struct elvis_position *position, struct err *err)
{
	if (!check_order(sink, true, false, "beginning", err))
		return false;
	sink->begun = came_well(sink, sink->calls->begin(sink->state, position),
				"beginning", err);
	return sink->begun;
}

bool
sink_write(struct sink *sink, const struct elvis_piece *piece, struct err *err)
{
	return check_order(sink, true, true, "writing", err) &&
	       came_well(sink, sink->calls->write(sink->state, piece), "writing", err);
}

bool
sink_commit(struct sink *sink, const struct elvis_position *next, int64_t at,
	    struct err *err)
{
	if (!check_order(sink, true, true, "committing", err) ||
	    !came_well(sink, sink->calls->commit(sink->state, next, at), "committing",
		       err))
		return false;
	sink->begun = false;
	host_forget(&sink->host);
	return true;
}

void
sink_rollback(struct sink *sink)
{
	if (!sink->begun)
		return;
	sink->calls->rollback(sink->state);
	sink->begun = false;
	host_forget(&sink->host);
}

bool
sink_durable(struct sink *sink, struct elvis_position *position, bool *known,
	     struct err *err)
{
	*known = false;
	if (!check_order(sink, true, sink->begun, "finding what is durable", err))
		return false;
	if (sink->calls->durable == NULL)
		return true;
	return came_well(sink, sink->calls->durable(sink->state, position, known),
			 "finding what is durable", err);
}

bool
sink_settle(struct sink *sink, struct err *err)
{
	if (!check_order(sink, true, false, "settling", err))
		return false;
	if (sink->calls->settle == NULL)
		return true;
	return came_well(sink, sink->calls->settle(sink->state), "settling", err);
}

uint32_t
sink_form(struct sink *sink)
{
	return sink->calls->form != NULL && sink->open ? sink->calls->form(sink->state)
						       : ELVIS_FORM_STORED;
}

enum elvis_sink_format
sink_format(const struct sink *sink)
{
	return (enum elvis_sink_format) sink->calls->format;
}

uint32_t
sink_flags(const struct sink *sink)
{
	return sink->calls->flags;
}

const char *
sink_name(const struct sink *sink)
{
	return plugin_name(sink->plugin);
}
