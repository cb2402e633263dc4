/*
 * A source without a database.
 *
 * Transaction i (from 1) has the last sequence number 10 * i and `changes` INSERTs into version
 * 1 + i % tables; snapshot s sees the transactions up to s * per_snapshot.  Pieces hold `piece`
 * changes.  The rows' ids count up over everything.  Call number `fail_at` of any kind fails once.
 */
#ifndef UNIT_FAKE_SOURCE_H
#define UNIT_FAKE_SOURCE_H

#include <stdatomic.h>

#include "base/mem.h"
#include "model/source.h"
#include "stream.h"

struct fake_source {
	struct source source;
	int changes, per_snapshot, piece, tables;
	uint32_t origin;
	int64_t newest;		/* snapshot it knows of */
	atomic_int *calls;	/* of this and whatever else counts with it; NULL: nobody */
	int fail_at;		/* 0: never */
	atomic_int reads;
	struct cursor asked;
};

static inline bool
fake_fails(struct fake_source *f, struct err *err)
{
	if (f->calls == NULL || atomic_fetch_add(f->calls, 1) + 1 != f->fail_at)
		return false;
	err_set(err, ERR_RETRY, "the fake source is away");
	return true;
}

static inline void
fake_approach(struct source *source)
{
	(void) source;
}

static inline bool
fake_read_start(struct source *source, const struct cursor *cursor, int form, struct err *err)
{
	struct fake_source *f = (struct fake_source *) source;

	(void) form;
	f->asked = *cursor;
	return !fake_fails(f, err);
}

static inline void
fake_put(struct fake_source *f, struct strbuf *out, int64_t transaction, int change)
{
	if (change == 0)
		stream_begin(out, transaction * 10);
	stream_context(out, f->origin, 0);
	stream_insert(out, (uint64_t) (1 + transaction % f->tables),
		      (int) (transaction - 1) * f->changes + change);
	if (change == f->changes - 1)
		stream_commit(out, transaction * 10);
}

static inline bool
fake_read_finish(struct source *source, struct piece *piece, struct err *err)
{
	struct fake_source *f = (struct fake_source *) source;
	const struct cursor *c = &f->asked;
	int64_t transaction = c->seq > 0 ? c->seq / 10 : c->from_id * f->per_snapshot;
	int64_t last = c->to_id * f->per_snapshot;
	int change = (int) c->inside;
	struct strbuf out;

	if (fake_fails(f, err))
		return false;
	atomic_fetch_add(&f->reads, 1);
	strbuf_init(&out, 1 << 24);
	for (int n = 0; n < f->piece && transaction < last; n++) {
		fake_put(f, &out, transaction + 1, change);
		if (++change == f->changes) {
			transaction++;
			change = 0;
		}
	}
	*piece = (struct piece){
		.seq = transaction * 10, .inside = change, .finished = transaction == last,
		.release = free,
	};
	piece->records = stream_bytes(&out);
	piece->owner = out.size > 0 ? out.data : NULL;
	return true;
}

static inline bool
fake_describe(struct source *source, uint64_t version, bool portable, void **payload,
	      size_t *length, struct err *err)
{
	struct strbuf out;

	(void) portable;
	if (fake_fails((struct fake_source *) source, err))
		return false;
	strbuf_init(&out, 1 << 16);
	stream_describe(&out, version);
	*length = out.length;
	*payload = strbuf_take(&out);
	return true;
}

static inline bool
fake_knows(struct source *source, int64_t id, int64_t token, bool *known, struct err *err)
{
	struct fake_source *f = (struct fake_source *) source;

	(void) token;
	*known = id <= f->newest;
	return !fake_fails(f, err);
}

static inline void
fake_rest(struct source *source)
{
	(void) source;
}

static const struct source_ops fake_source_ops = {
	fake_approach, fake_read_start, fake_read_finish, fake_describe, fake_knows, fake_rest,
};

#endif
