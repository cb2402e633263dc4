/*
 * conflict.c - conflicts in, verdicts out.
 */
#include "model/conflict.h"

#include "model/record.h"
#include "model/value.h"

/* An index has no more rows in the way than a table has unique indexes. */
#define BLOCKERS_MAX 1000

struct head {
	uint8_t kind, operation, parts;
	uint64_t version, seq, ordinal, attempt, origin, xid;
	int64_t at;
};

static bool
get_head(struct elvis_bytes *in, struct head *head)
{
	return elvis_get_u8(in, &head->kind) && elvis_get_u8(in, &head->operation) &&
	       elvis_get_varint(in, &head->version) && elvis_get_varint(in, &head->seq) &&
	       elvis_get_varint(in, &head->ordinal) && elvis_get_varint(in, &head->attempt) &&
	       elvis_get_varint(in, &head->origin) && elvis_get_i64(in, &head->at) &&
	       elvis_get_varint(in, &head->xid) && elvis_get_u8(in, &head->parts) &&
	       head->kind > 0 && head->kind < ELVIS_CONFLICT_KIND_END &&
	       (head->operation >= ELVIS_INSERT || head->kind == ELVIS_GAP) &&
	       head->operation <= ELVIS_TRUNCATE &&
	       head->seq <= INT64_MAX && head->origin <= UINT32_MAX &&
	       head->attempt <= UINT32_MAX;
}

static char *
get_text(struct elvis_bytes *in, struct arena *arena)
{
	struct elvis_bytes run;

	if (!elvis_get_string(in, &run) ||
	    memchr(run.at, '\0', (size_t) (run.end - run.at)) != NULL)
		return NULL;
	return arena_strndup(arena, (const char *) run.at, (size_t) (run.end - run.at));
}

/* A local row: origin, how its time is known, columns */
static struct elvis_side *
get_row(struct elvis_bytes *in, const struct elvis_conflict *conflict, struct arena *arena)
{
	struct elvis_side *side = arena_zalloc(arena, sizeof(*side));
	uint64_t origin;
	uint8_t time_source;

	if (!elvis_get_varint(in, &origin) || origin > UINT32_MAX ||
	    !elvis_get_u8(in, &time_source) || time_source > ELVIS_TIME_ROW_CLOCK ||
	    !elvis_get_i64(in, &side->at))
		return NULL;
	side->origin = (uint32_t) origin;
	side->time_source = time_source;
	side->values = values_get(in, conflict->table->n_columns, conflict->before, arena);
	return side->values != NULL ? side : NULL;
}

/* The incoming row; a DELETE brings none, so its values are all "no such column". */
static struct elvis_side *
get_remote(struct elvis_bytes *in, const struct head *head,
	   const struct elvis_conflict *conflict, struct arena *arena)
{
	struct elvis_side *side = arena_zalloc(arena, sizeof(*side));
	size_t n = conflict->table->n_columns;

	side->origin = (uint32_t) head->origin;
	side->time_source = ELVIS_TIME_CAPTURE;
	side->at = head->at;
	side->xid = head->xid;
	side->seq = (int64_t) head->seq;
	if (head->parts & ELVIS_PART_REMOTE)
		side->values = values_get(in, n, conflict->before, arena);
	else
		side->values = arena_zalloc(arena, (n + 1) * sizeof(struct elvis_value));
	return side->values != NULL ? side : NULL;
}

static bool
get_blockers(struct elvis_bytes *in, struct elvis_conflict *conflict, struct arena *arena)
{
	const struct elvis_blocker **blockers;
	uint64_t n;

	if (!elvis_get_varint(in, &n) || n > BLOCKERS_MAX)
		return false;
	blockers = arena_alloc(arena, (n + 1) * sizeof(struct elvis_blocker *));
	for (uint64_t i = 0; i < n; i++) {
		struct elvis_blocker *blocker = arena_zalloc(arena, sizeof(*blocker));

		if ((blocker->index = get_text(in, arena)) == NULL ||
		    (blocker->row = get_row(in, conflict, arena)) == NULL)
			return false;
		blockers[i] = blocker;
	}
	conflict->blockers = blockers;
	conflict->n_blockers = n;
	return true;
}

static bool
get_parts(struct elvis_bytes *in, const struct head *head, struct elvis_conflict *conflict,
	  struct arena *arena)
{
	size_t n = conflict->table->n_columns;

	if ((head->parts & ELVIS_PART_BEFORE) &&
	    (conflict->before = values_get(in, n, NULL, arena)) == NULL)
		return false;
	if ((conflict->remote = get_remote(in, head, conflict, arena)) == NULL)
		return false;
	if ((head->parts & ELVIS_PART_LOCAL) &&
	    (conflict->local = get_row(in, conflict, arena)) == NULL)
		return false;
	if (!get_blockers(in, conflict, arena))
		return false;
	return !(head->parts & ELVIS_PART_MESSAGE) ||
	       ((conflict->sqlstate = get_text(in, arena)) != NULL &&
		(conflict->message = get_text(in, arena)) != NULL);
}

struct elvis_conflict *
conflict_decode(struct elvis_bytes in, change_table *table, void *lookup, struct arena *arena,
		struct err *err)
{
	struct elvis_conflict *conflict = arena_zalloc(arena, sizeof(*conflict));
	struct head head;

	if (!get_head(&in, &head)) {
		record_damaged(err, "conflict");
		return NULL;
	}
	conflict->kind = head.kind;
	conflict->operation = head.operation;
	conflict->seq = (int64_t) head.seq;
	conflict->ordinal = head.ordinal;
	conflict->attempt = (uint32_t) head.attempt;
	conflict->table = table(lookup, head.version);
	if (conflict->table == NULL) {
		record_damaged(err, "conflict about a table nobody knows");
		return NULL;
	}
	if (!get_parts(&in, &head, conflict, arena) || in.at != in.end) {
		record_damaged(err, "rows of a conflict");
		return NULL;
	}
	return conflict;
}

bool
put_verdict(struct strbuf *out, const struct elvis_verdict *verdict, const char *policy,
	    const struct elvis_table *table)
{
	put_u8(out, (uint8_t) verdict->action);
	put_string(out, policy);
	put_string(out, verdict->reason != NULL ? verdict->reason : "");
	if (verdict->action == ELVIS_MERGE)
		put_values(out, verdict->row, table->n_columns);
	return strbuf_ok(out);
}
