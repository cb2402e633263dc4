/*
 * mailbox.c - one lock, one bell, a list of slots.
 */
#include "engine/mailbox.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

struct mailbox {
	pthread_mutex_t lock;	/* guards everything below and every slot */
	struct slot *slots;
	struct snapshot newest;
	struct source_facts facts;
};

struct slot {
	struct mailbox *mailbox;
	struct slot *next;
	pthread_cond_t bell;
	struct subscriber known;	/* what the source has recorded */
	bool rung;
	bool stop_wanted;	/* to be recorded, and in force already */
	char reason[REASON_MAX];
	bool confirm_wanted;
	struct elvis_position confirm;
	uint64_t turn;
	struct snapshot stands;	/* where its present batch begins */
	struct snapshot place;	/* where it is going, or is; id 0: has not said */
	int form;
	bool waiting;		/* for a snapshot newer than the place where it stands */
};

struct mailbox *
mailbox_new(void)
{
	struct mailbox *mailbox = mem_zalloc(sizeof(*mailbox));

	pthread_mutex_init(&mailbox->lock, NULL);
	return mailbox;
}

void
mailbox_free(struct mailbox *mailbox)
{
	if (mailbox == NULL)
		return;
	pthread_mutex_destroy(&mailbox->lock);
	free(mailbox);
}

struct slot *
mailbox_join(struct mailbox *mailbox, const char *uuid)
{
	struct slot *slot = mem_zalloc(sizeof(*slot));
	pthread_condattr_t monotonic;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&slot->bell, &monotonic);
	pthread_condattr_destroy(&monotonic);
	snprintf(slot->known.uuid, sizeof(slot->known.uuid), "%s", uuid);
	slot->mailbox = mailbox;

	pthread_mutex_lock(&mailbox->lock);
	slot->next = mailbox->slots;
	mailbox->slots = slot;
	pthread_mutex_unlock(&mailbox->lock);
	return slot;
}

void
mailbox_leave(struct slot *slot)
{
	struct mailbox *mailbox = slot->mailbox;
	struct slot **at;

	pthread_mutex_lock(&mailbox->lock);
	for (at = &mailbox->slots; *at != slot; at = &(*at)->next)
		;
	*at = slot->next;
	pthread_mutex_unlock(&mailbox->lock);
	pthread_cond_destroy(&slot->bell);
	free(slot);
}

void
mailbox_facts(struct mailbox *mailbox, const struct source_facts *facts)
{
	pthread_mutex_lock(&mailbox->lock);
	mailbox->facts = *facts;
	/* what was said of a source that may have been another */
	mailbox->newest = (struct snapshot){ .id = 0 };
	for (struct slot *slot = mailbox->slots; slot != NULL; slot = slot->next) {
		slot->turn++;
		slot->stands = slot->place = (struct snapshot){ .id = 0 };
		pthread_cond_signal(&slot->bell);
	}
	pthread_mutex_unlock(&mailbox->lock);
}

void
mailbox_snapshot(struct mailbox *mailbox, const struct snapshot *snapshot)
{
	pthread_mutex_lock(&mailbox->lock);
	mailbox->newest = *snapshot;
	for (struct slot *slot = mailbox->slots; slot != NULL; slot = slot->next) {
		if (slot->waiting) {
			slot->stands = slot->place;
			slot->place = *snapshot;
		}
		pthread_cond_signal(&slot->bell);
	}
	pthread_mutex_unlock(&mailbox->lock);
}

static const struct subscriber *
subscriber_find(const struct subscriber *subscribers, size_t n, const char *uuid)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(subscribers[i].uuid, uuid) == 0)
			return &subscribers[i];
	return NULL;
}

static void
slot_update(struct slot *slot, const struct subscriber *found)
{
	struct subscriber now = { .state = LINK_ABSENT };

	if (found != NULL)
		now = *found;
	memcpy(now.uuid, slot->known.uuid, sizeof(now.uuid));
	if (now.state != slot->known.state) {
		slot->turn++;
		pthread_cond_signal(&slot->bell);
	}
	slot->known = now;
}

void
mailbox_subscribers(struct mailbox *mailbox, const struct subscriber *subscribers, size_t n)
{
	pthread_mutex_lock(&mailbox->lock);
	for (struct slot *slot = mailbox->slots; slot != NULL; slot = slot->next)
		slot_update(slot, subscriber_find(subscribers, n, slot->known.uuid));
	pthread_mutex_unlock(&mailbox->lock);
}

bool
mailbox_request(struct mailbox *mailbox, const struct slot *after, struct request *request)
{
	struct slot *slot;

	pthread_mutex_lock(&mailbox->lock);
	slot = mailbox->slots;
	if (after != NULL) {
		while (slot != NULL && slot != after)
			slot = slot->next;
		slot = slot != NULL ? slot->next : NULL;
	}
	while (slot != NULL && !slot->stop_wanted && !slot->confirm_wanted)
		slot = slot->next;
	if (slot != NULL) {
		*request = (struct request){ .slot = slot, .stop = slot->stop_wanted,
					     .confirm = slot->confirm_wanted,
					     .position = slot->confirm };
		memcpy(request->uuid, slot->known.uuid, sizeof(request->uuid));
		memcpy(request->reason, slot->reason, sizeof(request->reason));
	}
	pthread_mutex_unlock(&mailbox->lock);
	return slot != NULL;
}

void
mailbox_recorded(struct mailbox *mailbox, const struct request *request)
{
	struct slot *slot = request->slot;

	pthread_mutex_lock(&mailbox->lock);
	if (request->confirm) {
		slot->known.confirmed = true;
		slot->known.position = request->position;
		if (position_equal(&request->position, &slot->confirm))
			slot->confirm_wanted = false;
	}
	if (request->stop) {
		slot->stop_wanted = false;
		slot->known.state = LINK_STOPPED;
		memcpy(slot->known.reason, request->reason, sizeof(request->reason));
	}
	pthread_mutex_unlock(&mailbox->lock);
}

void
mailbox_news(struct slot *slot, struct news *news)
{
	struct mailbox *mailbox = slot->mailbox;

	pthread_mutex_lock(&mailbox->lock);
	news->state = slot->stop_wanted ? LINK_STOPPED : slot->known.state;
	memcpy(news->reason, slot->stop_wanted ? slot->reason : slot->known.reason,
	       sizeof(news->reason));
	news->newest = mailbox->newest;
	news->facts = mailbox->facts;
	news->confirmed = slot->known.confirmed;
	news->position = slot->known.position;
	news->turn = slot->turn;
	pthread_mutex_unlock(&mailbox->lock);
}

void
mailbox_wait(struct slot *slot, int64_t known, uint64_t turn, int timeout_ms)
{
	struct mailbox *mailbox = slot->mailbox;
	struct timespec until;
	int result = 0;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += timeout_ms / 1000;
	until.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_sec++;
		until.tv_nsec -= 1000000000L;
	}
	pthread_mutex_lock(&mailbox->lock);
	slot->waiting = slot->place.id != 0 && slot->place.id == known;
	while (!slot->rung && slot->turn == turn && mailbox->newest.id <= known &&
	       result != ETIMEDOUT)
		result = timeout_ms < 0 ?
			pthread_cond_wait(&slot->bell, &mailbox->lock) :
			pthread_cond_timedwait(&slot->bell, &mailbox->lock, &until);
	slot->rung = false;
	slot->waiting = false;
	pthread_mutex_unlock(&mailbox->lock);
}

void
mailbox_ring(struct slot *slot)
{
	pthread_mutex_lock(&slot->mailbox->lock);
	slot->rung = true;
	pthread_cond_signal(&slot->bell);
	pthread_mutex_unlock(&slot->mailbox->lock);
}

/* Where a link stands or is going, as it has said or as the source has recorded */
static struct snapshot
place_of(const struct slot *slot)
{
	const struct elvis_position *p = &slot->known.position;

	if (slot->place.id != 0)
		return slot->place;
	return position_at_snapshot(p) ?
		(struct snapshot){ .id = p->from_id, .token = p->from_token } :
		(struct snapshot){ .id = p->to_id, .token = p->to_token };
}

static bool
is_running(const struct slot *slot)
{
	return slot->known.state == LINK_RUNNING && !slot->stop_wanted;
}

bool
mailbox_eager(struct mailbox *mailbox, int *form)
{
	const struct slot *slot;

	pthread_mutex_lock(&mailbox->lock);
	slot = mailbox->slots;
	while (slot != NULL && (!is_running(slot) || mailbox->newest.id == 0 ||
				slot->place.id != mailbox->newest.id))
		slot = slot->next;
	if (slot != NULL)
		*form = slot->form;
	pthread_mutex_unlock(&mailbox->lock);
	return slot != NULL;
}

struct snapshot
mailbox_goal(struct slot *slot, const struct snapshot *from)
{
	struct mailbox *mailbox = slot->mailbox;
	struct snapshot goal;

	pthread_mutex_lock(&mailbox->lock);
	goal = mailbox->newest;
	for (const struct slot *s = mailbox->slots; s != NULL; s = s->next) {
		struct snapshot places[] = { s->stands, place_of(s) };

		for (size_t i = 0; s != slot && is_running(s) && i < ARRAY_LEN(places); i++)
			if (places[i].id > from->id && places[i].id < goal.id)
				goal = places[i];
	}
	slot->stands = *from;
	slot->place = goal;
	pthread_mutex_unlock(&mailbox->lock);
	return goal;
}

void
mailbox_reads(struct slot *slot, int form)
{
	pthread_mutex_lock(&slot->mailbox->lock);
	slot->form = form;
	pthread_mutex_unlock(&slot->mailbox->lock);
}

void
mailbox_go(struct slot *slot, const struct snapshot *from, const struct snapshot *to)
{
	pthread_mutex_lock(&slot->mailbox->lock);
	slot->stands = *from;
	slot->place = *to;
	pthread_mutex_unlock(&slot->mailbox->lock);
}

void
mailbox_confirm(struct slot *slot, const struct elvis_position *position)
{
	pthread_mutex_lock(&slot->mailbox->lock);
	slot->confirm = *position;
	slot->confirm_wanted = true;
	pthread_mutex_unlock(&slot->mailbox->lock);
}

void
mailbox_stop(struct slot *slot, const char *reason)
{
	pthread_mutex_lock(&slot->mailbox->lock);
	snprintf(slot->reason, sizeof(slot->reason), "%s", reason);
	slot->stop_wanted = true;
	slot->turn++;
	pthread_mutex_unlock(&slot->mailbox->lock);
}

bool
mailbox_stop_pending(struct slot *slot)
{
	bool pending;

	pthread_mutex_lock(&slot->mailbox->lock);
	pending = slot->stop_wanted;
	pthread_mutex_unlock(&slot->mailbox->lock);
	return pending;
}
