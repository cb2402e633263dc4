/*
 * deliver.c - a link's step: batch, pieces, target transactions.
 */
#include "engine/link_parts.h"

#include "model/position.h"
#include "model/record.h"

/*
 * After a failure the next so many source transactions go one by one: what another link has to
 * bring first holds up nothing that stands before it, and two links do not wait for each other's
 * batches.
 */
#define SINGLY 100

static void
batch_cursor(struct cursor *cursor, const struct elvis_position *position,
	     const struct snapshot *to)
{
	*cursor = (struct cursor){
		.from_id = position->from_id,
		.from_token = position->from_token,
		.to_id = to->id,
		.to_token = to->token,
		.seq = position->seq,
	};
}

/*
 * Where the batch under way, or the next one, ends.  A batch begun keeps its end, whatever has
 * come since; else the one that other links have read from here is best, because it is at hand.
 * The newest snapshot that we were told of may be unknown again by now.
 */
static bool
batch_goal(struct link *link, struct snapshot *to, struct err *err)
{
	const struct elvis_position *position = &link->position;
	struct snapshot from = { .id = position->from_id, .token = position->from_token };

	*to = (struct snapshot){ .id = position->to_id, .token = position->to_token };
	if (position_at_snapshot(position) &&
	    !cache_goal(link->ends.shared, &from, link->form, to)) {
		*to = mailbox_goal(link->slot, &from);
		return to->id > from.id ||
		       err_set(err, ERR_RETRY, "the source was connected to anew");
	}
	mailbox_go(link->slot, &from, to);
	return true;
}

/* The cache to read from: the shared one, unless the others have long been past that place */
static struct cache *
batch_cache(struct link *link, const struct cursor *cursor)
{
	if (!cache_is_behind(link->ends.shared, cursor, link->form))
		return link->ends.shared;
	if (link->own == NULL) {
		log_debug(link->subject, "behind the other links, reading on its own");
		link->own = cache_new(link->ends.own, 0);
		cache_join(link->own);
	}
	return link->own;
}

void
deliver_rest(struct link *link)
{
	if (link->own == NULL)
		return;
	cache_free(link->own);
	link->own = NULL;
	link->ends.own->ops->rest(link->ends.own);
}

/* To the sink ------------------------------------------------------------------- */

static bool
sink_begun(struct link *link, struct err *err)
{
	const struct link_sink *sink = &link->ends.sink;

	if (!link->begun)
		link->begun = sink->ops->begin(sink->self, &link->stored, err);
	return link->begun;
}

static bool
write_out(struct link *link, struct err *err)
{
	const struct link_sink *sink = &link->ends.sink;
	struct elvis_bytes records = outlet_all(&link->out);
	struct elvis_piece piece = {
		.records = records.at, .length = (size_t) (records.end - records.at),
	};
	struct change_list list = { .count = 0 };

	if (piece.length == 0)
		return true;
	if (sink->format == ELVIS_SINK_ROWS) {
		arena_reset(link->rows);
		if (!changes_decode(&link->reader, records, &list, link->rows, err))
			return false;
		piece.changes = list.items;
		piece.n_changes = list.count;
	}
	return sink_begun(link, err) && sink->ops->write(sink->self, &piece, err);
}

/* What was written becomes whole, with the position; what was not needs no transaction. */
static bool
commit_at(struct link *link, const struct elvis_position *next, int64_t at, struct err *err)
{
	const struct link_sink *sink = &link->ends.sink;

	if (at != 0)
		link->at = at;
	if (link->begun) {
		if (!sink->ops->commit(sink->self, next, link->at, err))
			return false;
		link->begun = false;
		link->stored = *next;
		if (link->singly > 0)
			link->singly--;
	}
	link->position = *next;
	return true;
}

bool
deliver_position(struct link *link, struct err *err)
{
	if (position_equal(&link->position, &link->stored))
		return true;
	return sink_begun(link, err) && commit_at(link, &link->position, 0, err);
}

/* Pieces ------------------------------------------------------------------------ */

/* What is of many tables may be larger, unless something of such a one has failed: it is done again
 * whole. */
static void
limit_cut(struct link *link, struct cut *cut)
{
	bool smallest = link->settings.by_transaction || link->singly > 0 ||
		link_leaving(link);

	cut->limit = smallest ? 1 : link->settings.target_bytes;
	cut->most = smallest || link->humble ? cut->limit : link->settings.spread_bytes;
}

/*
 * Lets through what is the link's, in as many target transactions as it takes; the last of them
 * may go on in the next piece.  *left: the link is leaving, and the rest of the piece is left.
 */
static bool
pass_piece(struct link *link, const struct cursor *batch, const struct piece *piece, bool *left,
	   struct err *err)
{
	struct elvis_position next = {
		.from_id = batch->from_id, .from_token = batch->from_token,
		.to_id = batch->to_id, .to_token = batch->to_token,
	};
	struct elvis_bytes in = piece->records;
	enum filter_result result;

	for (;;) {
		outlet_reset(&link->out);
		limit_cut(link, &link->filter.cut);
		result = filter_run(&link->filter, &in, &link->out, err);
		if (result == FILTER_FAILED || !write_out(link, err))
			return false;
		/* a cut at the very end of the batch is made there, at its snapshot */
		link->full = result == FILTER_CUT;
		if (result == FILTER_END || (piece->finished && in.at == in.end))
			return true;
		next.seq = link->filter.seq;
		if (!commit_at(link, &next, link->filter.at, err))
			return false;
		*left = link_leaving(link);
		if (*left)
			return true;
	}
}

/* One piece after the other until the batch is through or, at a boundary, the link is leaving. */
static bool
pass_batch(struct link *link, struct cursor cursor, bool *left, struct err *err)
{
	bool finished = false, done;

	while (!finished && !*left) {
		struct cache *cache = batch_cache(link, &cursor);
		const struct piece *piece;

		if (!cache_take(cache, &cursor, link->form, &piece, err))
			return err_wrap(err, "reading");
		cursor.seq = piece->seq;
		cursor.inside = piece->inside;
		if (!piece->finished)
			cache_ahead(cache, &cursor, link->form);
		done = pass_piece(link, &cursor, piece, left, err);
		finished = piece->finished;
		cache_give_back(cache, piece);
		if (!done)
			return false;
		if (!link->begun && !finished)
			*left |= link_leaving(link);
	}
	if (finished && !*left && link->filter.inside)
		return record_damaged(err, "the batch ends within a transaction");
	return true;
}

/* The session ends after this, and what the sink was told with it. */
static void
give_up(struct link *link)
{
	const struct link_sink *sink = &link->ends.sink;

	if (link->begun)
		sink->ops->rollback(sink->self);
	if (link->begun)
		link->singly = SINGLY;
	link->begun = false;
	link->humble = true;
}

/* Nothing follows: what the sink still had under way becomes whole, or is told of now. */
static bool
settle(struct link *link, struct err *err)
{
	const struct link_sink *sink = &link->ends.sink;

	if (sink->ops->settle(sink->self, err)) {
		link->humble &= link->singly > 0;
		return true;
	}
	link->singly = SINGLY;
	link->humble = true;
	return false;
}

/* Does the next batch go into the target transaction that has been begun? */
static bool
goes_on(struct link *link, const struct snapshot *newest)
{
	return !link->full && link->position.from_id < newest->id && !link_leaving(link);
}

/* One batch.  At its end the position is there, but stored only if nothing follows at once. */
static bool
pass_one(struct link *link, const struct snapshot *newest, bool *left, struct err *err)
{
	struct elvis_position end;
	struct snapshot goal;
	struct cursor cursor;

	if (!batch_goal(link, &goal, err))
		return false;
	end = position_at(&goal);
	filter_next(&link->filter, link->position.seq);
	batch_cursor(&cursor, &link->position, &goal);
	if (!pass_batch(link, cursor, left, err))
		return false;
	if (*left)
		return true;
	link->position = end;
	return (link->begun && goes_on(link, newest)) ||
	       commit_at(link, &end, goal.at != 0 ? goal.at : link->filter.at, err);
}

bool
deliver_batch(struct link *link, const struct snapshot *newest, struct err *err)
{
	bool left = false;

	filter_start(&link->filter, 0);
	do {
		if (!pass_one(link, newest, &left, err)) {
			give_up(link);
			return false;
		}
	} while (!left && link->begun);
	return settle(link, err);
}
