/*
 * filter.c - the walk that decides record by record.
 */
#include "model/filter.h"

#include <string.h>

/* No bytes, and nothing follows them */
#define NOWHERE ((struct elvis_bytes){ NULL, NULL })

void
filter_start(struct filter *filter, int64_t seq)
{
	*filter = (struct filter){
		.target = filter->target,
		.local_only = filter->local_only,
		.gaps_pass = filter->gaps_pass,
		.cut = filter->cut,
		.lookup = filter->lookup,
		.context = filter->context,
		.seq = seq,
	};
	cut_start(&filter->cut);
}

void
filter_next(struct filter *filter, int64_t seq)
{
	filter->seq = seq;
}

static bool
begin_passed(struct filter *filter, const struct record *record, struct err *err)
{
	if (filter->inside)
		return record_damaged(err, "a transaction within a transaction");
	if (!record_begin(record, &filter->begin, err))
		return false;
	if (filter->begin.seq <= filter->seq)
		return record_damaged(err, "transactions out of order");
	filter->inside = true;
	filter->begun = false;
	filter->context_length = 0;
	filter->skipped = 0;
	filter->head = record->whole;
	return true;
}

/* Every chunk states its context anew.  Only a different one has to be passed on, but the same one
 * goes along where it stands between others that are; one that no change followed does not. */
static void
head_context(struct filter *filter, const struct record *record, bool same)
{
	bool first = filter->context_length == 0;

	if (filter->head.end == record->whole.at && (same || first))
		filter->head.end = record->whole.end;
	else
		filter->head = filter->begun ? record->whole : NOWHERE;
}

static bool
context_passed(struct filter *filter, const struct record *record, struct err *err)
{
	size_t length = (size_t) (record->whole.end - record->whole.at);
	struct record_context context;
	bool circles, same;

	if (!record_context(record, &context, err))
		return false;
	if (length > sizeof(filter->context_bytes))
		return record_damaged(err, "context");

	circles = filter->target != 0 &&
		(context.origin == filter->target || context.via == filter->target);
	filter->context_wanted = !circles && !(filter->local_only && context.via != 0);

	same = length == filter->context_length &&
		memcmp(filter->context_bytes, record->whole.at, length) == 0;
	head_context(filter, record, same);
	if (same)
		return true;
	memcpy(filter->context_bytes, record->whole.at, length);
	filter->context_length = (uint8_t) length;
	filter->context_due = true;
	return true;
}

static bool
table_find(struct filter *filter, uint64_t version, struct filter_table **table,
	   struct err *err)
{
	if (filter->memo == NULL || filter->memo_version != version) {
		if (!filter->lookup(filter->context, version, &filter->memo, err)) {
			filter->memo = NULL;
			return false;
		}
		filter->memo_version = version;
	}
	*table = filter->memo;
	return true;
}

/* What must stand before a change: its transaction, its context, the number of those left out */
static void
put_preface(struct filter *filter, struct strbuf *out)
{
	uint8_t room[32], *end = room;

	if (!filter->begun) {
		end = elvis_put_varint(end, (uint64_t) filter->begin.seq);
		end = elvis_put_varint(end, filter->begin.xid);
		end = elvis_put_i64(end, filter->begin.at);
		put_record(out, ELVIS_RECORD_BEGIN, room, (size_t) (end - room));
		filter->begun = true;
		filter->context_due = true;
	}
	if (filter->context_due) {
		strbuf_add(out, filter->context_bytes, filter->context_length);
		filter->context_due = false;
	}
	if (filter->skipped > 0) {
		end = elvis_put_varint(room, filter->skipped);
		put_record(out, ELVIS_RECORD_SKIPPED, room, (size_t) (end - room));
		filter->skipped = 0;
	}
}

static bool
needs_preface(const struct filter *filter)
{
	return !filter->begun || filter->context_due || filter->skipped > 0;
}

/* What stands before a change in `in` is passed on as it is where it is all that must. */
static void
pass_preface(struct filter *filter, const struct record *record, struct outlet *out)
{
	if (filter->head.end == record->whole.at && filter->skipped == 0) {
		outlet_pass(out, filter->head);
		filter->begun = true;
		filter->context_due = false;
	} else if (needs_preface(filter)) {
		put_preface(filter, outlet_put(out));
	}
	filter->head = NOWHERE;
}

static bool
leave_out(struct filter *filter)
{
	filter->skipped++;
	filter->head = NOWHERE;
	return true;
}

static bool
change_may_come(const struct filter *filter, struct err *err)
{
	if (!filter->inside)
		return record_damaged(err, "a change outside of a transaction");
	return filter->context_length > 0 || record_damaged(err, "a change without context");
}

static bool
change_passed(struct filter *filter, const struct record *record, struct outlet *out,
	      struct err *err)
{
	size_t length = (size_t) (record->whole.end - record->whole.at);
	struct filter_table *table;
	struct record_change head = { .version = 0 };

	if (!record_change(record, &head, err))
		return false;
	if (filter->context_wanted) {
		if (!table_find(filter, head.version, &table, err))
			return false;
		if (table->wanted) {
			pass_preface(filter, record, out);
			outlet_pass(out, record->whole);
			cut_count(&filter->cut, &table->share,
				  record->tag != ELVIS_RECORD_INSERT, length);
			return true;
		}
	}
	return leave_out(filter);
}

/* Of the tables truncated together, those of the link are truncated together. */
static bool
truncate_passed(struct filter *filter, const struct record *record, struct outlet *out,
		struct err *err)
{
	AUTO_STRBUF struct strbuf versions;
	AUTO_STRBUF struct strbuf payload;
	struct filter_table *table;
	struct record_truncate truncate;
	uint64_t version = 0, n = 0;

	strbuf_init(&versions, SIZE_MAX / 2);
	strbuf_init(&payload, SIZE_MAX / 2);
	if (!record_truncate(record, &truncate, err))
		return false;
	for (uint64_t i = 0; filter->context_wanted && i < truncate.n; i++) {
		if (!elvis_get_varint(&truncate.versions, &version) ||
		    !table_find(filter, version, &table, err))
			return false;
		if (table->wanted) {
			put_varint(&versions, version);
			n++;
		}
	}
	if (n == 0)
		return leave_out(filter);
	put_u8(&payload, truncate.flags);
	put_varint(&payload, n);
	strbuf_add(&payload, versions.data, versions.length);
	pass_preface(filter, record, out);
	put_record(outlet_put(out), ELVIS_RECORD_TRUNCATE, payload.data, payload.length);
	return true;
}

static bool
gap_passed(struct filter *filter, const struct record *record, struct outlet *out,
	   struct err *err)
{
	struct filter_table *table;
	struct record_gap gap;

	if (!record_gap(record, &gap, err))
		return false;
	if (filter->context_wanted && !table_find(filter, gap.version, &table, err))
		return false;
	if (!filter->context_wanted || !table->wanted ||
	    (!filter->gaps_pass && !table->gap_stops))
		return leave_out(filter);
	if (filter->gaps_pass) {
		pass_preface(filter, record, out);
		outlet_pass(out, record->whole);
		return true;
	}
	return err_set(err, ERR_REFUSED, "table %s.%s was written past its triggers (%.*s); "
		       "resync it, or let its rule say gap = \"ignore\"", table->schema,
		       table->name, (int) (gap.reason.end - gap.reason.at),
		       (const char *) gap.reason.at);
}

static bool
commit_passed(struct filter *filter, const struct record *record, struct outlet *out,
	      struct err *err)
{
	uint64_t seq;

	if (!record_number(record, &seq, err))
		return false;
	if (!filter->inside || (int64_t) seq != filter->begin.seq)
		return record_damaged(err, "end of another transaction");
	if (filter->begun)
		outlet_pass(out, record->whole);
	filter->inside = false;
	filter->head = NOWHERE;
	filter->seq = (int64_t) seq;
	filter->at = filter->begin.at;
	return true;
}

static bool
record_passed(struct filter *filter, const struct record *record, struct outlet *out,
	      struct err *err)
{
	switch (record->tag) {
	case ELVIS_RECORD_BEGIN:
		return begin_passed(filter, record, err);
	case ELVIS_RECORD_COMMIT:
		return commit_passed(filter, record, out, err);
	case ELVIS_RECORD_CONTEXT:
		return context_passed(filter, record, err);
	case ELVIS_RECORD_INSERT:
	case ELVIS_RECORD_UPDATE:
	case ELVIS_RECORD_DELETE:
		return change_may_come(filter, err) && change_passed(filter, record, out, err);
	case ELVIS_RECORD_TRUNCATE:
		return change_may_come(filter, err) && truncate_passed(filter, record, out, err);
	case ELVIS_RECORD_GAP:
		return change_may_come(filter, err) && gap_passed(filter, record, out, err);
	default:
		return record_damaged(err, "of a kind that does not belong here");
	}
}

enum filter_result
filter_run(struct filter *filter, struct elvis_bytes *in, struct outlet *out, struct err *err)
{
	struct record record;
	size_t before = outlet_length(out), bytes = filter->bytes;
	bool cut = false;

	filter->head = NOWHERE;		/* `in` may be another one than last time */
	while (in->at < in->end && !cut) {
		if (!record_next(in, &record, err) || !record_passed(filter, &record, out, err))
			return FILTER_FAILED;
		filter->bytes = bytes + (outlet_length(out) - before);
		cut = record.tag == ELVIS_RECORD_COMMIT && cut_is_due(&filter->cut, filter->bytes);
	}
	if (!outlet_ok(out)) {
		err_set(err, ERR_REFUSED, "a change is larger than 1 GB");
		return FILTER_FAILED;
	}
	if (!cut)
		return FILTER_END;
	filter->bytes = 0;
	cut_start(&filter->cut);
	return FILTER_CUT;
}
