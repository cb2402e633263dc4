#include "plugin/sample.h"

#include <string.h>

#include "model/verdict.h"

#define SAMPLES_MAX 64

enum column { ID, TITLE, CHANGED_AT, AMOUNT, DOCUMENT, TOTAL, N_COLUMNS };

static const struct elvis_column columns[N_COLUMNS] = {
	[ID] = { .name = "id", .type = "bigint", .in_key = true },
	[TITLE] = { .name = "title", .type = "text" },
	[CHANGED_AT] = { .name = SAMPLE_TIME_COLUMN, .type = "timestamp with time zone" },
	[AMOUNT] = { .name = SAMPLE_AMOUNT_COLUMN, .type = "numeric(12,2)" },
	[DOCUMENT] = { .name = "document", .type = "text" },
	[TOTAL] = { .name = "total", .type = "numeric", .generated = true },
};

/* What differs between the versions of the row that the samples are made of */
struct version {
	const char *title, *changed_at, *amount;
	bool large; /* the document was not captured */
};

#define FIRST "2024-05-01 11:00:00+00"
#define EARLY "2024-05-01 12:00:00+00"
#define LATE "2024-05-01 12:00:00.25+00"

struct maker {
	struct arena *arena;
	struct samples made;
	struct sample *room;
};

static struct elvis_value
text_value(struct maker *m, const char *text)
{
	if (text == NULL)
		return (struct elvis_value){ .state = ELVIS_VALUE_NULL };
	return (struct elvis_value){ .state = ELVIS_VALUE_TEXT,
				     .length = (uint32_t) strlen(text),
				     .text = arena_strdup(m->arena, text) };
}

static const struct elvis_value *
make_row(struct maker *m, const struct version *version)
{
	struct elvis_value *row = arena_zalloc(m->arena, sizeof(*row) * N_COLUMNS);

	row[ID] = text_value(m, "7");
	row[TITLE] = text_value(m, version->title);
	row[CHANGED_AT] = text_value(m, version->changed_at);
	row[AMOUNT] = text_value(m, version->amount);
	row[DOCUMENT] = text_value(m, "a long story");
	if (version->large)
		row[DOCUMENT] = (struct elvis_value){ .state = ELVIS_VALUE_NOT_CAPTURED };
	return row;
}

static const struct elvis_side *
make_side(struct maker *m, const struct version *version, uint32_t origin)
{
	struct elvis_side *side = arena_zalloc(m->arena, sizeof(*side));

	/* a row that is deleted has no values */
	side->values = version != NULL
			       ? make_row(m, version)
			       : arena_zalloc(m->arena, sizeof(*side->values) * N_COLUMNS);
	side->origin = origin;
	side->time_source = ELVIS_TIME_CAPTURE;
	side->at = INT64_C(1714564800000000) + origin * 1000;
	side->xid = 700 + origin;
	side->seq = 40 + origin;
	return side;
}

static struct elvis_conflict *
make_conflict(struct maker *m, enum elvis_conflict_kind kind, enum elvis_operation operation)
{
	static const struct version base = { "draft", FIRST, "10.00", false };
	struct elvis_conflict *conflict = arena_zalloc(m->arena, sizeof(*conflict));

	conflict->kind = kind;
	conflict->operation = operation;
	conflict->table = m->made.table;
	if (operation != ELVIS_INSERT)
		conflict->before = make_row(m, &base);
	conflict->attempt = 1;
	conflict->link = arena_strdup(m->arena, "here_there");
	conflict->seq = 41;
	conflict->ordinal = 3;
	return conflict;
}

static void
add(struct maker *m, const struct elvis_conflict *conflict, const struct elvis_conflict *mirror,
    const char *what)
{
	m->room[m->made.n++] = (struct sample){
		.name = arena_printf(m->arena, "%s, %s", kind_name(conflict->kind), what),
		.conflict = conflict,
		.mirror = mirror,
	};
}

/* Two versions of one row meet, and as seen from the other node too. */
static void
add_meeting(struct maker *m, enum elvis_conflict_kind kind, enum elvis_operation operation,
	    const struct version *remote, const struct version *local, const char *what)
{
	struct elvis_conflict *conflict = make_conflict(m, kind, operation);
	struct elvis_conflict *mirror = make_conflict(m, kind, operation);

	conflict->remote = make_side(m, remote, 1);
	conflict->local = make_side(m, local, 2);
	mirror->remote = conflict->local;
	mirror->local = conflict->remote;
	add(m, conflict, mirror, what);
}

static void
add_meetings(struct maker *m, enum elvis_conflict_kind kind, enum elvis_operation operation)
{
	static const struct version early = { "early", EARLY, "12.50", false };
	static const struct version late = { "late", LATE, "9.75", false };
	static const struct version other = { "other", EARLY, "12.50", false };
	static const struct version timeless = { "timeless", NULL, "1.00", false };
	static const struct version untitled = { NULL, EARLY, "12.50", false };
	static const struct version counted = { "draft", FIRST, "12.50", false };
	static const struct version recounted = { "draft", FIRST, "9.75", false };
	static const struct version retitled = { "final", FIRST, "10.00", false };

	add_meeting(m, kind, operation, &late, &early, "the incoming row is later");
	add_meeting(m, kind, operation, &early, &late, "the local row is later");
	add_meeting(m, kind, operation, &early, &other, "both are of the same time");
	add_meeting(m, kind, operation, &timeless, &early, "the incoming row has no time");
	add_meeting(m, kind, operation, &early, &timeless, "the local row has no time");
	add_meeting(m, kind, operation, &early, &untitled, "they differ in a null");
	add_meeting(m, kind, operation, &early, &early, "the rows are the same");
	add_meeting(m, kind, operation, &counted, &recounted, "both have counted");
	add_meeting(m, kind, operation, &counted, &retitled, "they have changed different columns");
}

static void
add_deletes(struct maker *m)
{
	static const struct version early = { "early", EARLY, "12.50", false };
	struct elvis_conflict *differs = make_conflict(m, ELVIS_DELETE_DIFFERS, ELVIS_DELETE);
	struct elvis_conflict *missing = make_conflict(m, ELVIS_DELETE_MISSING, ELVIS_DELETE);

	differs->remote = make_side(m, NULL, 1);
	differs->local = make_side(m, &early, 2);
	add(m, differs, NULL, "the local row was changed");
	missing->remote = make_side(m, NULL, 1);
	add(m, missing, NULL, "there is no local row");
}

static void
add_missing(struct maker *m, bool large)
{
	const struct version version = { "late", LATE, "9.75", large };
	struct elvis_conflict *conflict = make_conflict(m, ELVIS_UPDATE_MISSING, ELVIS_UPDATE);

	conflict->remote = make_side(m, &version, 1);
	add(m, conflict, NULL, large ? "a large value was not captured" : "the row is whole");
}

static void
add_blocked(struct maker *m, enum elvis_conflict_kind kind, enum elvis_operation operation,
	    size_t n_blockers)
{
	static const struct version late = { "late", LATE, "9.75", false };
	static const struct version blocking = { "late", EARLY, "3.00", false };
	static const char *const indexes[] = { "t_title_key", "t_amount_key" };
	struct elvis_conflict *conflict = make_conflict(m, kind, operation);
	const struct elvis_blocker **blockers =
		arena_alloc(m->arena, sizeof(*blockers) * n_blockers);

	for (size_t i = 0; i < n_blockers; i++) {
		struct elvis_blocker *blocker = arena_zalloc(m->arena, sizeof(*blocker));

		blocker->index = indexes[i];
		blocker->row = make_side(m, &blocking, 2);
		blockers[i] = blocker;
	}
	conflict->remote = make_side(m, &late, 1);
	if (operation == ELVIS_UPDATE)
		conflict->local = make_side(m, &late, 1);
	conflict->blockers = blockers;
	conflict->n_blockers = n_blockers;
	add(m, conflict, NULL, n_blockers == 1 ? "one row is in the way" : "two rows are in the way");
}

static void
add_error(struct maker *m, enum elvis_conflict_kind kind, const char *sqlstate,
	  const char *message)
{
	static const struct version late = { "late", LATE, "9.75", false };
	struct elvis_conflict *conflict = make_conflict(m, kind, ELVIS_INSERT);

	conflict->remote = make_side(m, &late, 1);
	conflict->sqlstate = sqlstate;
	conflict->message = message;
	add(m, conflict, NULL, message);
}

static void
make_table(struct maker *m)
{
	struct elvis_table *table = arena_zalloc(m->arena, sizeof(*table));
	const struct elvis_column **listed =
		arena_alloc(m->arena, sizeof(*listed) * N_COLUMNS);
	uint32_t *key = arena_alloc(m->arena, sizeof(*key));

	for (int i = 0; i < N_COLUMNS; i++)
		listed[i] = &columns[i];
	key[0] = ID;
	*table = (struct elvis_table){ .version = 1, .schema = "public", .name = "sample",
				       .n_columns = N_COLUMNS, .columns = listed,
				       .n_key = 1, .key = key };
	m->made.table = table;
}

struct samples
samples_make(struct arena *arena)
{
	struct maker maker = { .arena = arena }, *m = &maker;

	m->made.of = m->room = arena_alloc(arena, sizeof(*m->room) * SAMPLES_MAX);
	make_table(m);
	add_meetings(m, ELVIS_INSERT_EXISTS, ELVIS_INSERT);
	add_meetings(m, ELVIS_UPDATE_DIFFERS, ELVIS_UPDATE);
	add_deletes(m);
	add_missing(m, false);
	add_missing(m, true);
	add_blocked(m, ELVIS_UPDATE_EXISTS, ELVIS_UPDATE, 1);
	add_blocked(m, ELVIS_MULTIPLE_UNIQUE_CONFLICTS, ELVIS_INSERT, 2);
	add_error(m, ELVIS_CONSTRAINT_VIOLATION, "23514", "violates a check constraint");
	add_error(m, ELVIS_TYPE_ERROR, "22003", "numeric field overflow");
	add_error(m, ELVIS_TARGET_TABLE_MISSING, "42P01", "the relation does not exist");
	add_error(m, ELVIS_TARGET_COLUMN_MISSING, "42703", "the column does not exist");
	add_error(m, ELVIS_POLICY_ERROR, "XX000", "a policy failed");
	add_error(m, ELVIS_GAP, NULL, "something was written past the triggers");
	return m->made;
}
