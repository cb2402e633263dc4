/*
 * link.c - a link's life: waiting for its turn, sessions with its sink, trouble, the end.
 */
#include "engine/link_parts.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "model/position.h"

/* The largest single change, with room for what goes with it */
#define OUT_MAX ((size_t) 1 << 30)

/* The first wait after a failure, in ms; it doubles. */
#define RETRY_FIRST_MS 100

/* How often a link without a position looks whether it has got one, in ms */
#define POSITION_LOOK_MS 5000

/* The beginning of the reason of a link whose target has lost what it had confirmed */
#define SETBACK "the target was set back"
#define CONFIRMED "having confirmed "

struct link *
link_new(const struct link_settings *settings)
{
	struct link *link = mem_zalloc(sizeof(*link));

	link->settings = *settings;
	snprintf(link->subject, sizeof(link->subject), "link %s", settings->name);
	link->face = (struct elvis_link){
		.name = settings->name,
		.uuid = settings->uuid,
		.target = settings->target,
		.source_signature = link->facts.signature,
		.stop_fd = settings->stop_fd,
		.ask = tables_ask,
		.context = link,
	};
	link->filter = (struct filter){
		.target = settings->target,
		.local_only = settings->local_only,
		.lookup = tables_find,
		.context = link,
	};
	link->reader = (struct change_reader){ .table = tables_shape, .lookup = link };
	link->session = arena_new();
	link->rows = arena_new();
	link->question = arena_new();
	link->tables = hash_new();
	outlet_init(&link->out, OUT_MAX);
	backoff_init(&link->backoff, settings->retry_ms < RETRY_FIRST_MS ? settings->retry_ms :
		     RETRY_FIRST_MS, settings->retry_ms);
	return link;
}

const struct elvis_link *
link_face(const struct link *link)
{
	return &link->face;
}

void
link_join(struct link *link, const struct link_ends *ends)
{
	link->ends = *ends;
	link->filter.gaps_pass = ends->sink.format == ELVIS_SINK_RECORDS;
	link->slot = mailbox_join(ends->mailbox, link->settings.uuid);
}

void
link_free(struct link *link)
{
	if (link == NULL)
		return;
	if (link->slot != NULL)
		mailbox_leave(link->slot);
	hash_free(link->tables);
	outlet_free(&link->out);
	arena_free(link->question);
	arena_free(link->rows);
	arena_free(link->session);
	free(link);
}

void
link_finish(struct link *link)
{
	atomic_store(&link->finishing, true);
	mailbox_ring(link->slot);
}

void
link_stop(struct link *link, const char *reason)
{
	mailbox_stop(link->slot, reason);
}

bool
link_stop_pending(struct link *link)
{
	return mailbox_stop_pending(link->slot);
}

bool
link_leaving(struct link *link)
{
	struct news news;

	if (atomic_load(&link->finishing))
		return true;
	mailbox_news(link->slot, &news);
	return news.turn != link->turn;
}

/* Position ---------------------------------------------------------------------- */

/*
 * What the sink says it has, else what it has confirmed.  A node that knows nothing of the link is
 * not the one that confirmed anything: there the link waits for a copy.
 */
static bool
find_position(struct link *link, const struct news *news, bool *known, struct err *err)
{
	const struct link_sink *sink = &link->ends.sink;

	*known = false;
	if ((sink->flags & ELVIS_SINK_KEEPS_POSITION) &&
	    !sink->ops->position(sink->self, &link->position, known, err))
		return false;
	if (!*known && link->settings.target == 0) {
		*known = news->confirmed;
		link->position = news->position;
	}
	return true;
}

/*
 * Was the link resumed after it had stopped for this, before our eyes or while no daemon ran?
 * What was confirmed tells that it is this time and no other.
 */
static bool
setback_accepted(const struct link *link, const struct news *news, const char *confirmed)
{
	char wanted[POSITION_TEXT_SIZE + sizeof(CONFIRMED)];

	snprintf(wanted, sizeof(wanted), CONFIRMED "%s;", confirmed);
	return link->setback_accepted ||
	       (news->state == LINK_RUNNING &&
		strncmp(news->reason, REASON_RESUMED SETBACK,
			strlen(REASON_RESUMED SETBACK)) == 0 &&
		strstr(news->reason, wanted) != NULL);
}

/*
 * What the target has confirmed it must still have; if not, it was restored from a backup, or is
 * another one, and whether to repeat from there is for a person to say.
 */
static bool
check_setback(struct link *link, const struct news *news, struct err *err)
{
	char here[POSITION_TEXT_SIZE], there[POSITION_TEXT_SIZE];

	if (!news->confirmed || position_cmp(&link->position, &news->position) >= 0)
		return true;
	position_text(here, &link->position);
	position_text(there, &news->position);
	if (!setback_accepted(link, news, there))
		return err_set(err, ERR_REFUSED, SETBACK ": it stands at %s, " CONFIRMED
			       "%s; resume the link to repeat from there, if the source still "
			       "has its log", here, there);
	log_info(link->subject, "repeating from %s, behind what was confirmed (%s)", here, there);
	return true;
}

/*
 * Only a source that has the very snapshots of the position can go on from it: one that was set
 * back or replaced gives their numbers to others, or has not come to them yet.
 */
static bool
check_source(struct link *link, struct err *err)
{
	const struct elvis_position *p = &link->position;
	char text[POSITION_TEXT_SIZE];
	bool from_known, to_known = true;

	if (!cache_knows(link->ends.shared, p->from_id, p->from_token, &from_known, err) ||
	    (!position_at_snapshot(p) &&
	     !cache_knows(link->ends.shared, p->to_id, p->to_token, &to_known, err)))
		return err_wrap(err, "reading");
	return (from_known && to_known) ||
		err_set(err, ERR_REFUSED, "the source does not know the position %s: it was set "
			"back or replaced, or its log does not reach back so far; the link has to "
			"be copied anew", position_text(text, p));
}

static void
say_started(struct link *link)
{
	char text[POSITION_TEXT_SIZE];

	relent(&link->complaint, link->subject, "the link");
	log_info(link->subject, "started at position %s",
		 position_text(text, &link->position));
}

/* Confirming -------------------------------------------------------------------- */

/* What no crash of the target takes back any more; from_id 0: nothing yet */
static bool
durable_position(struct link *link, struct elvis_position *position, struct err *err)
{
	const struct link_sink *sink = &link->ends.sink;
	bool known;

	if (!sink->ops->durable(sink->self, position, &known, err))
		return false;
	if (!known)
		*position = link->stored;
	return true;
}

static bool
confirm(struct link *link, struct err *err)
{
	struct elvis_position durable;

	if (!deliver_position(link, err) || !durable_position(link, &durable, err))
		return false;
	if (durable.from_id != 0 && !position_equal(&durable, &link->confirmed)) {
		mailbox_confirm(link->slot, &durable);
		link->confirmed = durable;
		link->setback_accepted = false;	/* the next one is another one */
	}
	return true;
}

static bool
all_confirmed(const struct link *link)
{
	return position_equal(&link->position, &link->stored) &&
	       position_equal(&link->stored, &link->confirmed);
}

/* Confirms when it is time to; *wait_ms: how long until it is again, -1 when there is nothing
 * to confirm. */
static bool
confirm_due(struct link *link, int *wait_ms, struct err *err)
{
	int64_t now = clock_mono_ms();

	*wait_ms = -1;
	if (all_confirmed(link))
		return true;
	if (now >= link->confirm_due) {
		if (!confirm(link, err))
			return false;
		link->confirm_due = now + link->settings.confirm_ms;
	}
	if (!all_confirmed(link))
		*wait_ms = (int) (link->confirm_due - now);
	return true;
}

/* A session --------------------------------------------------------------------- */

/* Step after step until the link is leaving. */
static bool
stream(struct link *link, struct err *err)
{
	struct news news;
	int wait_ms;

	while (!link_leaving(link)) {
		mailbox_news(link->slot, &news);
		if (!position_at_snapshot(&link->position) ||
		    news.newest.id > link->position.from_id) {
			if (!deliver_batch(link, &news.newest, err))
				return false;
			relent(&link->complaint, link->subject, "the link");
			backoff_reset(&link->backoff);
			if (!confirm_due(link, &wait_ms, err))
				return false;
		} else {
			if (!confirm_due(link, &wait_ms, err))
				return false;
			if (wait_ms < 0)
				deliver_rest(link);
			mailbox_wait(link->slot, link->position.from_id, link->turn, wait_ms);
		}
	}
	return all_confirmed(link) || confirm(link, err);
}

static void
say_no_position(struct link *link)
{
	if (!link->told_no_position)
		log_warning(link->subject, "waiting for copy or adopt: the target holds no "
			    "position of this link, and it does not start from now by itself");
	link->told_no_position = true;
}

/* With the sink open.  A link that has no position looks again later. */
static bool
start(struct link *link, const struct news *news, struct err *err)
{
	const struct link_sink *sink = &link->ends.sink;
	bool known;

	if (!find_position(link, news, &known, err))
		return false;
	if (!known) {
		say_no_position(link);
		sink->ops->close(sink->self);
		mailbox_wait(link->slot, INT64_MAX, link->turn, POSITION_LOOK_MS);
		return true;
	}
	if (!check_setback(link, news, err) || !check_source(link, err))
		return false;
	link->told_no_position = false;
	link->stored = link->position;
	link->confirmed = news->position;
	link->form = sink->ops->form(sink->self);
	mailbox_reads(link->slot, link->form);
	link->begun = false;
	say_started(link);
	known = stream(link, err);
	deliver_rest(link);
	return known;
}

static bool
session(struct link *link, const struct news *news, struct err *err)
{
	const struct link_sink *sink = &link->ends.sink;
	bool done;

	link->facts = news->facts;
	link->face.source = news->facts.number;
	link->face.incarnation = news->facts.incarnation;
	hash_free(link->tables);
	link->tables = hash_new();
	arena_reset(link->session);
	cache_approach(link->ends.shared);
	done = sink->ops->open(sink->self, err) && start(link, news, err);
	sink->ops->close(sink->self);
	return done;
}

/* Trouble ----------------------------------------------------------------------- */

static void
nap(struct link *link, int ms)
{
	if (!link_leaving(link))
		mailbox_wait(link->slot, INT64_MAX, link->turn, ms);
}

static void
meet(struct link *link, const struct err *err)
{
	if (atomic_load(&link->finishing))
		return;
	switch (err->class) {
	case ERR_NONE:
	case ERR_RETRY:
		complain(&link->complaint, link->subject, "%s; will retry", err->text);
		nap(link, backoff_next(&link->backoff));
		break;
	case ERR_CONFIG:
		complain(&link->complaint, link->subject, "%s; cannot work like that, will look "
			 "again every %d s", err->text, link->settings.retry_ms / 1000);
		nap(link, link->settings.retry_ms);
		break;
	case ERR_CONFLICT:
	case ERR_REFUSED:
	case ERR_BUG:
		log_error(link->subject, "%s; stopped until elvisctl resume %s", err->text,
			  link->settings.name);
		link->told = LINK_STOPPED;
		mailbox_stop(link->slot, err->text);
		break;
	}
}

/* Its turn ---------------------------------------------------------------------- */

static void
say_state(struct link *link, const struct news *news)
{
	if (news->state == link->told)
		return;
	link->told = news->state;
	switch (news->state) {
	case LINK_UNKNOWN:
	case LINK_RUNNING:
		break;
	case LINK_ABSENT:
		log_warning(link->subject, "waiting for copy or adopt: its source keeps no log "
			    "for it yet");
		break;
	case LINK_PAUSED:
		log_info(link->subject, "paused%s%s", *news->reason ? ": " : "", news->reason);
		break;
	case LINK_STOPPED:
		log_warning(link->subject, "is stopped: %s", news->reason);
		break;
	}
}

/* May the link work now? */
static bool
its_turn(struct link *link, const struct news *news)
{
	say_state(link, news);
	if (news->state == LINK_STOPPED &&
	    strncmp(news->reason, SETBACK, strlen(SETBACK)) == 0)
		link->setback_accepted = true;	/* once it is running again */
	return news->state == LINK_RUNNING && news->facts.number != 0 && news->newest.id != 0;
}

/*
 * A link that may work has a share in what is read, also while it cannot reach its target: the
 * others keep for it what they have read, as far as the cache goes.
 */
static void
share(struct link *link, bool sharing)
{
	if (sharing && !link->sharing)
		cache_join(link->ends.shared);
	else if (!sharing && link->sharing)
		cache_leave(link->ends.shared);
	link->sharing = sharing;
}

void
link_run(struct link *link)
{
	struct news news;
	bool works;

	while (!atomic_load(&link->finishing)) {
		struct err err = ERR_INIT;

		mailbox_news(link->slot, &news);
		link->turn = news.turn;
		works = its_turn(link, &news);
		share(link, works);
		if (!works)
			mailbox_wait(link->slot,
				     news.state == LINK_RUNNING ? news.newest.id : INT64_MAX,
				     news.turn, -1);
		else if (!session(link, &news, &err))
			meet(link, &err);
	}
	share(link, false);
}
