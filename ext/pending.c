/*
 * pending.c - stretches of captured records, from the trigger to the log.
 *
 * The list is in the order of capture.  While a subtransaction runs only it and its
 * children add to the list, so the owners of the list, read from its head, go from
 * parents to children: the stretches of the running subtransaction are the end of the
 * list, its parent's lie before them.
 *
 * A full stretch seals all open ones, in order, so that those of the parents keep their
 * place before what is written now; written are only those of the running subtransaction,
 * whose rows in the log live and die with them.  When a subtransaction is about to end
 * with much in memory, its parent's stretches are written too, under it; they stay in the
 * list until it has committed.
 */
#include "postgres.h"

#include <time.h>

#include "access/xact.h"
#include "lib/ilist.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include <elvis/record.h>

#include "compat.h"
#include "pending.h"
#include "relation.h"
#include "segment.h"
#include "unix_time.h"
#include "wait.h"

#define ROW_MAX (SEGMENT_HEAD + SEGMENT_ROW_BYTES)
#define LARGE_RECORD (SEGMENT_ROW_BYTES / 4)	/* from here on a record may be cut */
#define LARGE_MAX (SEGMENT_HEAD + 8 * SEGMENT_ROW_BYTES)	/* a chunk of such */
#define STRETCH_START 1024
#define KEPT_IN_SUBXACT 4	/* stretches that may wait for the parent to write them */
#define SAME_TIME 10000		/* us by which changes of one context may differ */

struct stretch {
	dlist_node node;
	SubTransactionId owner;
	SubTransactionId written_by;	/* its row is in the log, if that one commits */
	int64 seq;		/* of its first row; 0: not sealed */
	struct context opening;	/* of the first record */
	struct context context;	/* of the last record */
	int64 coarse;		/* the coarse clock when that began; 0: not from here */
	bool has_contexts;	/* more than the first */
	size_t first;		/* where the records after the first context begin */
	size_t last;		/* where the last record begins; 0: there is none to be changed */
	size_t length;
	size_t room;
	char *bytes;		/* the chunk behind the room for its first row's head */
};

static dlist_head list = DLIST_STATIC_INIT(list);
static int n_listed;
static bool disordered;		/* something was captured too late */
static bool wrote;		/* this transaction has rows in the log */
static bool finished;		/* it has had its chance: what comes now is written at once */

/* ---- stretches ---- */

static struct stretch *
tail(void)
{
	return dlist_is_empty(&list) ? NULL
				     : dlist_tail_element(struct stretch, node, &list);
}

static struct stretch *
previous(struct stretch *stretch)
{
	if (!dlist_has_prev(&list, &stretch->node))
		return NULL;
	return dlist_container(struct stretch, node,
			       dlist_prev_node(&list, &stretch->node));
}

static struct stretch *
following(struct stretch *stretch)
{
	if (!dlist_has_next(&list, &stretch->node))
		return NULL;
	return dlist_container(struct stretch, node,
			       dlist_next_node(&list, &stretch->node));
}

static struct stretch *
stretch_new(size_t room)
{
	MemoryContext before = MemoryContextSwitchTo(TopTransactionContext);
	struct stretch *stretch = palloc0(sizeof(*stretch));

	stretch->room = room;
	stretch->bytes = palloc(stretch->room);
	stretch->owner = GetCurrentSubTransactionId();
	stretch->length = SEGMENT_HEAD;
	dlist_push_tail(&list, &stretch->node);
	n_listed++;
	MemoryContextSwitchTo(before);
	return stretch;
}

static void
stretch_free(struct stretch *stretch)
{
	dlist_delete(&stretch->node);
	n_listed--;
	pfree(stretch->bytes);
	pfree(stretch);
}

static bool
is_written(const struct stretch *stretch)
{
	return stretch->written_by != InvalidSubTransactionId;
}

static void
make_room(struct stretch *stretch, size_t more)
{
	size_t needed = stretch->length + more, room = stretch->room;

	if (needed <= room)
		return;
	if (needed > MaxAllocSize)
		ereport(ERROR,
			(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
			 errmsg("a change of %zu bytes is too large to be captured",
				more),
			 errdetail("A change must fit into 1 GB with all its values.")));
	while (room < needed)
		room = Min(room * 2, MaxAllocSize);
	stretch->bytes = repalloc(stretch->bytes, room);
	stretch->room = room;
}

static void
put_record(struct stretch *stretch, uint8 tag, const char *payload, size_t length)
{
	uint8 *out;

	make_room(stretch, 1 + ELVIS_VARINT_MAX + length);
	stretch->last = stretch->length;
	out = (uint8 *) stretch->bytes + stretch->length;
	*out++ = tag;
	out = elvis_put_varint(out, length);
	memcpy(out, payload, length);
	stretch->length = (char *) out + length - stretch->bytes;
}

/* ---- contexts ---- */

/*
 * us of a clock that costs a tenth of the exact one, and is up to *step us behind.
 * Without one every look is at the exact clock.
 */
static int64
coarse_now(int64 *step)
{
#ifdef CLOCK_MONOTONIC_COARSE
	static int64 resolution;
	struct timespec time;

	if (unlikely(resolution == 0)) {
		clock_getres(CLOCK_MONOTONIC_COARSE, &time);
		resolution = time.tv_sec * USECS_PER_SEC + time.tv_nsec / 1000 + 1;
	}
	*step = resolution;
	clock_gettime(CLOCK_MONOTONIC_COARSE, &time);
	return time.tv_sec * USECS_PER_SEC + time.tv_nsec / 1000;
#else
	*step = SAME_TIME;
	return 1;
#endif
}

static bool
same_origin(const struct context *a, const struct context *b)
{
	return a->origin == b->origin && a->via == b->via && a->xid == b->xid;
}

/*
 * Changes made here share a context for a while: their times would cost more room than
 * the changes.  Those that came from elsewhere keep the time they came with.
 */
static bool
same_context(const struct context *a, const struct context *b)
{
	return same_origin(a, b) &&
	       (a->at == b->at ||
		(a->xid == 0 && b->at > a->at && b->at - a->at < SAME_TIME));
}

static void
put_context(struct stretch *stretch, const struct context *context, int64 coarse)
{
	uint8 payload[8 + 3 * ELVIS_VARINT_MAX];
	uint8 *out = elvis_put_i64(payload, context->at);

	out = elvis_put_varint(out, context->origin);
	out = elvis_put_varint(out, context->via);
	out = elvis_put_varint(out, context->xid);
	put_record(stretch, ELVIS_RECORD_CONTEXT, (char *) payload, out - payload);
	if (stretch->first == 0) {
		stretch->first = stretch->length;
		stretch->opening = *context;
	} else {
		stretch->has_contexts = true;
	}
	stretch->context = *context;
	stretch->coarse = coarse;
}

/*
 * Sees to it that `context` is the one in force.  What was captured here a moment ago is
 * recognised by the coarse clock alone.
 */
static void
enter_context(struct stretch *stretch, const struct context *context)
{
	struct context exact = *context;
	int64 step, coarse = 0;

	if (context->at == CONTEXT_NOW) {
		coarse = coarse_now(&step);
		if (likely(stretch->coarse != 0 &&
			   same_origin(&stretch->context, context) &&
			   coarse + step - stretch->coarse < SAME_TIME))
			return;
		exact.at = timestamp_to_unix(GetCurrentTimestamp());
	}
	if (stretch->first == 0 || !same_context(&stretch->context, &exact))
		put_context(stretch, &exact, coarse);
}

/* ---- writing ---- */

static void
seal(struct stretch *stretch)
{
	if (stretch->seq == 0)
		stretch->seq = segment_next_seq(segment_rows(stretch->length));
}

static void
write_chunk(struct segment_target *target, struct stretch *stretch, bool is_last)
{
	seal(stretch);
	segment_write(target, stretch->seq, stretch->bytes, stretch->length,
		      (is_last ? ELVIS_CHUNK_LAST : 0) |
			      (disordered ? ELVIS_CHUNK_LATE : 0));
	wrote = true;
}

/*
 * The first of those at the end of the list that are not sealed or are one of these
 * two's.  What is sealed lies before what is not, so all that is not is among them.
 */
static struct stretch *
first_open(SubTransactionId self, SubTransactionId parent)
{
	struct stretch *first = NULL;

	for (struct stretch *at = tail(); at != NULL; at = previous(at)) {
		if (at->seq != 0 && at->owner != self && at->owner != parent)
			break;
		first = at;
	}
	return first;
}

/*
 * A full stretch: everything open is sealed, what is the running subtransaction's is
 * written.
 */
static void
overflow(void)
{
	SubTransactionId self = GetCurrentSubTransactionId();
	struct segment_target target;
	struct stretch *stretch, *next;

	segment_open(&target);
	for (stretch = first_open(self, self); stretch != NULL; stretch = next) {
		next = following(stretch);
		if (is_written(stretch))
			continue;
		seal(stretch);
		if (stretch->owner != self)
			continue;
		write_chunk(&target, stretch, false);
		stretch_free(stretch);
	}
	segment_close(&target);
}

/*
 * The transaction is about to commit or to be prepared: everything is written, the end
 * marked.
 */
static void
finish(void)
{
	struct segment_target target;

	if (dlist_is_empty(&list)) {
		if (!wrote)
			return;
		stretch_new(SEGMENT_HEAD);	/* only to mark the end */
	}
	wait_wake_at_commit();
	segment_open(&target);
	while (!dlist_is_empty(&list)) {
		struct stretch *stretch = dlist_head_element(struct stretch, node, &list);

		write_chunk(&target, stretch, !dlist_has_next(&list, &stretch->node));
		stretch_free(stretch);
	}
	segment_close(&target);
}

/* ---- subtransactions ---- */

static bool
have_much(SubTransactionId self, SubTransactionId parent)
{
	int n = 0;

	for (struct stretch *at = tail(); at != NULL && n <= KEPT_IN_SUBXACT;
	     at = previous(at)) {
		if (at->owner != self && at->owner != parent)
			break;
		n += !is_written(at);
	}
	return n > KEPT_IN_SUBXACT;
}

/* `self` is about to become part of `parent`: writes what both have, when it is much. */
static void
write_before_subcommit(SubTransactionId self, SubTransactionId parent)
{
	struct segment_target target;
	struct stretch *stretch;

	if (!have_much(self, parent))
		return;
	segment_open(&target);
	for (stretch = first_open(self, parent); stretch != NULL;
	     stretch = following(stretch)) {
		if (is_written(stretch))
			continue;
		seal(stretch);
		if (stretch->owner != self && stretch->owner != parent)
			continue;
		write_chunk(&target, stretch, false);
		stretch->written_by = self;
	}
	segment_close(&target);
}

/* The first of those at the end of the list that the end of `self` concerns. */
static struct stretch *
first_ending(SubTransactionId self)
{
	struct stretch *first = NULL;

	for (struct stretch *at = tail(); at != NULL; at = previous(at)) {
		if (at->owner != self && at->written_by != self)
			break;
		first = at;
	}
	return first;
}

/* Hands a stretch to the parent, into the parent's last one where that has room. */
static void
hand_over(struct stretch *stretch, SubTransactionId parent)
{
	struct stretch *before = previous(stretch);
	size_t from;

	stretch->owner = parent;
	if (before == NULL || before->owner != parent || before->seq != 0 ||
	    stretch->seq != 0 || before->length + stretch->length > ROW_MAX)
		return;
	from = same_context(&before->context, &stretch->opening) ? stretch->first
								 : SEGMENT_HEAD;
	make_room(before, stretch->length - from);
	memcpy(before->bytes + before->length, stretch->bytes + from,
	       stretch->length - from);
	before->length += stretch->length - from;
	before->last = 0;
	/* what went without its own context has the time of the one before it */
	if (from == SEGMENT_HEAD || stretch->has_contexts) {
		before->has_contexts = true;
		before->context = stretch->context;
		before->coarse = stretch->coarse;
	}
	stretch_free(stretch);
}

static void
subcommitted(SubTransactionId self, SubTransactionId parent)
{
	struct stretch *stretch, *next;

	for (stretch = first_ending(self); stretch != NULL; stretch = next) {
		next = following(stretch);
		if (stretch->written_by == self)
			stretch_free(stretch);
		else
			hand_over(stretch, parent);
	}
}

static void
subaborted(SubTransactionId self)
{
	struct stretch *stretch, *next;

	for (stretch = first_ending(self); stretch != NULL; stretch = next) {
		next = following(stretch);
		if (stretch->owner == self)
			stretch_free(stretch);
		else
			stretch->written_by = InvalidSubTransactionId;
	}
}

static void
subxact_event(SubXactEvent event, SubTransactionId self, SubTransactionId parent,
	      void *arg)
{
	switch (event) {
	case SUBXACT_EVENT_START_SUB:
		return;
	case SUBXACT_EVENT_PRE_COMMIT_SUB:
		if (n_listed > KEPT_IN_SUBXACT)
			write_before_subcommit(self, parent);
		return;
	case SUBXACT_EVENT_COMMIT_SUB:
		if (n_listed > 0)
			subcommitted(self, parent);
		break;
	case SUBXACT_EVENT_ABORT_SUB:
		if (n_listed > 0)
			subaborted(self);
		break;
	}
	relation_subxact_end(self, parent, event == SUBXACT_EVENT_COMMIT_SUB);
}

/* ---- transactions ---- */

static void
reset(void)
{
	dlist_init(&list);	/* the memory goes with the transaction */
	n_listed = 0;
	disordered = false;
	wrote = false;
	finished = false;
}

static void
xact_event(XactEvent event, void *arg)
{
	switch (event) {
	case XACT_EVENT_PRE_COMMIT:
	case XACT_EVENT_PRE_PREPARE:
		if (n_listed > 0 || wrote)
			finish();
		finished = true;
		break;
	case XACT_EVENT_COMMIT:
		relation_xact_end(true);
		reset();
		break;
	case XACT_EVENT_PREPARE:
	case XACT_EVENT_ABORT:
		/*
		 * of what is only prepared nothing may be remembered: it may still be
		 * undone
		 */
		relation_xact_end(false);
		reset();
		break;
	case XACT_EVENT_PARALLEL_PRE_COMMIT:
	case XACT_EVENT_PARALLEL_COMMIT:
	case XACT_EVENT_PARALLEL_ABORT:
		break;
	}
}

void
pending_init(void)
{
	RegisterXactCallback(xact_event, NULL);
	RegisterSubXactCallback(subxact_event, NULL);
}

/* ---- adding ---- */

/*
 * Small records share a row, which they do not leave.  Large ones are cut, so that the
 * rows are full, and share a chunk of several.
 */
static bool
has_room(const struct stretch *stretch, size_t more)
{
	size_t length = stretch->length + more;

	return segment_rows(length) == segment_rows(stretch->length) ||
	       (more > LARGE_RECORD && length <= LARGE_MAX);
}

void
pending_add(const struct context *context, uint8 tag, const char *payload, size_t length,
	    bool is_disordered)
{
	SubTransactionId self = GetCurrentSubTransactionId();
	size_t most = length + 64;	/* with a context before it */
	size_t start = STRETCH_START;
	struct stretch *stretch;

	disordered |= is_disordered;
	if (n_listed == 0)
		wait_attach();
	stretch = tail();
	if (stretch != NULL && stretch->owner == self &&
	    !has_room(stretch, most)) {
		/* it will be filled like the one before */
		start = stretch->length <= ROW_MAX ? ROW_MAX : LARGE_MAX;
		overflow();
		stretch = tail();
	}
	if (stretch == NULL || stretch->seq != 0 || stretch->owner != self)
		stretch = stretch_new(start);
	enter_context(stretch, context);
	put_record(stretch, tag, payload, length);
	if (finished)
		finish();	/* captured while others did their last things before commit */
}

const char *
pending_last(uint8 tag, size_t *length)
{
	struct stretch *stretch = tail();
	struct elvis_bytes bytes, payload;
	uint8 found;

	if (stretch == NULL || stretch->owner != GetCurrentSubTransactionId() ||
	    stretch->seq != 0 || stretch->last == 0)
		return NULL;
	bytes.at = (uint8 *) stretch->bytes + stretch->last;
	bytes.end = (uint8 *) stretch->bytes + stretch->length;
	if (!elvis_get_record(&bytes, &found, &payload) || found != tag)
		return NULL;
	*length = payload.end - payload.at;
	return (const char *) payload.at;
}

void
pending_take_back(void)
{
	struct stretch *stretch = tail();

	stretch->length = stretch->last;
	stretch->last = 0;
}
