#include "plugin/breadcrumb.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"

#define FILE_MAGIC \
	UINT64_C(0x31626d7572637665) /* "evcrumb1" on a little-endian machine */

enum state {
	FREE,
	TAKEN,     /* a link has it and is not in a policy */
	RUNNING,   /* it is in one */
	MARKED,    /* ... which did not come back */
	SUSPECTED, /* found RUNNING at the last start */
};

/* In the file.  A change of it takes another magic number. */
struct entry {
	volatile uint32_t state; /* written last, also by a signal handler */
	uint32_t unused;
	char link[BREADCRUMB_NAME_MAX];
	char policy[BREADCRUMB_NAME_MAX];
	int64_t seq;
	uint64_t ordinal;
	int64_t since_us; /* monotonic */
};

struct contents {
	uint64_t magic;
	struct entry entries[BREADCRUMB_SLOTS];
};

struct breadcrumb_slot {
	struct breadcrumbs *owner;
	pthread_mutex_t lock; /* guards the entry; never held while a policy runs */
	struct entry *entry;
	bool left; /* by an earlier run, and not forgotten yet */
	bool taken;
};

struct breadcrumbs {
	pthread_mutex_t lock; /* guards left and taken of every slot */
	int fd;               /* -1: memory only */
	struct contents *contents;
	struct breadcrumb_slot slots[BREADCRUMB_SLOTS];
};

/* The slot whose policy this thread is in */
static _Thread_local struct entry *volatile entered;

static bool
same_question(const struct entry *a, const struct entry *b)
{
	return strcmp(a->link, b->link) == 0 && strcmp(a->policy, b->policy) == 0 &&
	       a->seq == b->seq && a->ordinal == b->ordinal;
}

static bool
was_suspected(const struct contents *contents, const struct entry *entry)
{
	for (size_t i = 0; i < BREADCRUMB_SLOTS; i++)
		if (contents->entries[i].state == SUSPECTED &&
		    same_question(&contents->entries[i], entry))
			return true;
	return false;
}

/* What the last run left becomes what is to be told, what is to be watched, or nothing. */
static void
take_stock(struct breadcrumbs *crumbs)
{
	struct contents *contents = crumbs->contents;
	uint32_t after[BREADCRUMB_SLOTS];

	for (size_t i = 0; i < BREADCRUMB_SLOTS; i++) {
		struct entry *entry = &contents->entries[i];

		entry->link[BREADCRUMB_NAME_MAX - 1] = '\0';
		entry->policy[BREADCRUMB_NAME_MAX - 1] = '\0';
		if (entry->state == MARKED)
			after[i] = MARKED;
		else if (entry->state == RUNNING)
			after[i] = was_suspected(contents, entry) ? MARKED : SUSPECTED;
		else
			after[i] = FREE;
	}
	for (size_t i = 0; i < BREADCRUMB_SLOTS; i++) {
		contents->entries[i].state = after[i];
		crumbs->slots[i].left = after[i] == MARKED;
		crumbs->slots[i].taken = after[i] != FREE;
	}
}

static bool
check_file(const char *file, const struct stat *st, struct err *err)
{
	if (!S_ISREG(st->st_mode) || st->st_uid != geteuid())
		return err_set(
			err, ERR_CONFIG,
			"%s: it is not a file of the user elvis runs as (%u); remove it",
			file, (unsigned) geteuid());
	if (st->st_size != 0 && st->st_size != (off_t) sizeof(struct contents))
		return err_set(
			err, ERR_CONFIG,
			"%s: it has %lld bytes, not the %zu that elvis writes; remove it",
			file, (long long) st->st_size, sizeof(struct contents));
	return true;
}

static bool
map_file(struct breadcrumbs *crumbs, const char *file, struct err *err)
{
	struct stat st;

	crumbs->fd = open(file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (crumbs->fd < 0 || fstat(crumbs->fd, &st) != 0)
		return err_set(err, ERR_CONFIG, "%s: %s", file, strerror(errno));
	if (!check_file(file, &st, err))
		return false;
	if (flock(crumbs->fd, LOCK_EX | LOCK_NB) != 0)
		return err_set(err, ERR_CONFIG,
			       "%s: another elvisd has it; stop that one first", file);
	/* room is taken now: a full disk met later would be a SIGBUS */
	errno = posix_fallocate(crumbs->fd, 0, sizeof(struct contents));
	if (errno != 0)
		return err_set(err, ERR_CONFIG, "%s: %s", file, strerror(errno));

	crumbs->contents = mmap(NULL, sizeof(struct contents), PROT_READ | PROT_WRITE,
				MAP_SHARED, crumbs->fd, 0);
	if (crumbs->contents == MAP_FAILED) {
		crumbs->contents = NULL;
		return err_set(err, ERR_CONFIG, "%s: %s", file, strerror(errno));
	}
	if (st.st_size == 0)
		crumbs->contents->magic = FILE_MAGIC;
	if (crumbs->contents->magic != FILE_MAGIC)
		return err_set(err, ERR_CONFIG, "%s: elvis did not write it; remove it",
			       file);
	return true;
}

bool
breadcrumbs_open(struct breadcrumbs **opened, const char *file, struct err *err)
{
	struct breadcrumbs *crumbs = mem_zalloc(sizeof(*crumbs));

	pthread_mutex_init(&crumbs->lock, NULL);
	crumbs->fd = -1;
	if (file == NULL) {
		crumbs->contents = mem_zalloc(sizeof(*crumbs->contents));
	} else if (!map_file(crumbs, file, err)) {
		breadcrumbs_close(crumbs);
		return false;
	}
	for (size_t i = 0; i < BREADCRUMB_SLOTS; i++) {
		pthread_mutex_init(&crumbs->slots[i].lock, NULL);
		crumbs->slots[i].owner = crumbs;
		crumbs->slots[i].entry = &crumbs->contents->entries[i];
	}
	take_stock(crumbs);
	*opened = crumbs;
	return true;
}

void
breadcrumbs_close(struct breadcrumbs *crumbs)
{
	if (crumbs == NULL)
		return;
	if (crumbs->fd < 0)
		free(crumbs->contents);
	else if (crumbs->contents != NULL)
		munmap(crumbs->contents, sizeof(*crumbs->contents));
	if (crumbs->fd >= 0)
		close(crumbs->fd);
	free(crumbs);
}

static void
copy_entry(struct breadcrumb *crumb, const struct entry *entry)
{
	memcpy(crumb->link, entry->link, sizeof(crumb->link));
	memcpy(crumb->policy, entry->policy, sizeof(crumb->policy));
	crumb->seq = entry->seq;
	crumb->ordinal = entry->ordinal;
	crumb->running_us = 0;
}

/* Names are compared as they fit into a slot. */
static bool
is_of_link(const struct entry *entry, const char *link)
{
	return strncmp(entry->link, link, BREADCRUMB_NAME_MAX - 1) == 0;
}

bool
breadcrumbs_found(struct breadcrumbs *crumbs, const char *link, struct breadcrumb *crumb)
{
	bool found = false;

	pthread_mutex_lock(&crumbs->lock);
	for (size_t i = 0; i < BREADCRUMB_SLOTS && !found; i++) {
		const struct breadcrumb_slot *slot = &crumbs->slots[i];

		found = slot->left && is_of_link(slot->entry, link);
		if (found)
			copy_entry(crumb, slot->entry);
	}
	pthread_mutex_unlock(&crumbs->lock);
	return found;
}

void
breadcrumbs_forget(struct breadcrumbs *crumbs, const char *link)
{
	pthread_mutex_lock(&crumbs->lock);
	for (size_t i = 0; i < BREADCRUMB_SLOTS; i++) {
		struct breadcrumb_slot *slot = &crumbs->slots[i];

		if (!slot->left || !is_of_link(slot->entry, link))
			continue;
		slot->entry->state = FREE;
		slot->left = false;
		slot->taken = false;
	}
	pthread_mutex_unlock(&crumbs->lock);
}

struct breadcrumb_slot *
breadcrumb_take(struct breadcrumbs *crumbs, const char *link)
{
	struct breadcrumb_slot *slot = NULL;

	pthread_mutex_lock(&crumbs->lock);
	for (size_t i = 0; i < BREADCRUMB_SLOTS && slot == NULL; i++)
		if (!crumbs->slots[i].taken)
			slot = &crumbs->slots[i];
	if (slot != NULL) {
		slot->taken = true;
		snprintf(slot->entry->link, sizeof(slot->entry->link), "%s", link);
		slot->entry->state = TAKEN;
	}
	pthread_mutex_unlock(&crumbs->lock);
	return slot;
}

void
breadcrumb_give_back(struct breadcrumb_slot *slot)
{
	if (slot == NULL)
		return;
	pthread_mutex_lock(&slot->owner->lock);
	slot->entry->state = FREE;
	slot->taken = false;
	pthread_mutex_unlock(&slot->owner->lock);
}

void
breadcrumb_drop(struct breadcrumb_slot *slot, const char *policy, int64_t seq,
		uint64_t ordinal)
{
	struct entry *entry;

	if (slot == NULL)
		return;
	entry = slot->entry;
	pthread_mutex_lock(&slot->lock);
	snprintf(entry->policy, sizeof(entry->policy), "%s", policy);
	entry->seq = seq;
	entry->ordinal = ordinal;
	entry->since_us = clock_mono_us();
	entry->state = RUNNING;
	pthread_mutex_unlock(&slot->lock);
	entered = entry;
}

void
breadcrumb_wipe(struct breadcrumb_slot *slot)
{
	if (slot == NULL)
		return;
	entered = NULL;
	pthread_mutex_lock(&slot->lock);
	slot->entry->state = TAKEN;
	pthread_mutex_unlock(&slot->lock);
}

/* The slot whose policy has been running longest, and for how long */
static struct breadcrumb_slot *
find_longest(struct breadcrumbs *crumbs, int64_t *longest_us)
{
	struct breadcrumb_slot *longest = NULL;
	int64_t now_us = clock_mono_us();

	*longest_us = -1;
	for (size_t i = 0; i < BREADCRUMB_SLOTS; i++) {
		struct breadcrumb_slot *slot = &crumbs->slots[i];

		pthread_mutex_lock(&slot->lock);
		if (slot->entry->state == RUNNING &&
		    now_us - slot->entry->since_us > *longest_us) {
			*longest_us = now_us - slot->entry->since_us;
			longest = slot;
		}
		pthread_mutex_unlock(&slot->lock);
	}
	return longest;
}

bool
breadcrumbs_overdue(struct breadcrumbs *crumbs, int64_t limit_us,
		    struct breadcrumb *crumb)
{
	int64_t running_us;
	struct breadcrumb_slot *slot = find_longest(crumbs, &running_us);
	bool overdue;

	if (slot == NULL || running_us <= limit_us)
		return false;

	/* it may have come back meanwhile, even to be sent off again */
	pthread_mutex_lock(&slot->lock);
	running_us = clock_mono_us() - slot->entry->since_us;
	overdue = slot->entry->state == RUNNING && running_us > limit_us;
	if (overdue) {
		slot->entry->state = MARKED;
		copy_entry(crumb, slot->entry);
		crumb->running_us = running_us;
	}
	pthread_mutex_unlock(&slot->lock);
	return overdue;
}

const char *
breadcrumb_crashed(void)
{
	struct entry *entry = entered;

	if (entry == NULL)
		return NULL;
	entry->state = MARKED;
	return entry->policy;
}
