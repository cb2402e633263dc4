/*
 * resolution.c - conflicts and how they were settled, as rows of elvis.resolution.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/jsonb.h"
#include "utils/uuid.h"

#include "catalog.h"
#include "compat.h"
#include "conflict.h"
#include "unix_time.h"

enum {
	RESOLUTION_ID = 1,
	RESOLUTION_AT,
	RESOLUTION_LINK,
	RESOLUTION_KIND,
	RESOLUTION_OPERATION,
	RESOLUTION_SCHEMA,
	RESOLUTION_TABLE,
	RESOLUTION_KEY,
	RESOLUTION_BEFORE,
	RESOLUTION_REMOTE,
	RESOLUTION_LOCAL,
	RESOLUTION_BLOCKERS,
	RESOLUTION_WRITTEN,
	RESOLUTION_VERDICT,
	RESOLUTION_POLICY,
	RESOLUTION_REASON,
	RESOLUTION_SQLSTATE,
	RESOLUTION_MESSAGE,
	RESOLUTION_ORIGIN,
	RESOLUTION_REMOTE_AT,
	RESOLUTION_XID,
	RESOLUTION_SEQ,
	RESOLUTION_ORDINAL,
	RESOLUTION_COLUMNS = RESOLUTION_ORDINAL
};

/* A row being made; what is not set is NULL. */
typedef struct Row {
	Datum values[RESOLUTION_COLUMNS];
	bool nulls[RESOLUTION_COLUMNS];
} Row;

/* The columns that a conflict's rows have. */
typedef struct Shape {
	int n, n_key;
	const char **names;
	const int *key;
} Shape;

static const char *const operations[] = {
	[0] = "gap",
	[ELVIS_INSERT] = "insert",
	[ELVIS_UPDATE] = "update",
	[ELVIS_DELETE] = "delete",
	[ELVIS_TRUNCATE] = "truncate",
};

static void
row_set(Row *row, int column, Datum value)
{
	row->values[column - 1] = value;
	row->nulls[column - 1] = false;
}

static void
row_set_text(Row *row, int column, const char *text)
{
	if (text != NULL)
		row_set(row, column, CStringGetTextDatum(text));
}

/* ---- rows as jsonb: text and null, as the types print themselves ---- */

static void
json_string(JsonbParseState **state, JsonbIteratorToken token, const char *text)
{
	JsonbValue value;

	value.type = jbvString;
	value.val.string.val = (char *) text;
	value.val.string.len = (int) strlen(text);
	pushJsonbValue(state, token, &value);
}

static void
json_member(JsonbParseState **state, const char *name, const TextValue *value)
{
	JsonbValue null = { .type = jbvNull };

	if (value->head != ELVIS_COLUMN_NULL && value->head != ELVIS_COLUMN_BYTES)
		return;
	json_string(state, WJB_KEY, name);
	if (value->head == ELVIS_COLUMN_NULL)
		pushJsonbValue(state, WJB_VALUE, &null);
	else
		json_string(state, WJB_VALUE, value->text);
}

/* Columns that were not captured, or are not there, are left out. */
static JsonbValue *
json_row(JsonbParseState **state, const Shape *shape, const TextValue *row,
	 const TextValue *before)
{
	pushJsonbValue(state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < shape->n; i++) {
		bool unchanged = row[i].head == ELVIS_COLUMN_UNCHANGED && before != NULL;

		json_member(state, shape->names[i], unchanged ? &before[i] : &row[i]);
	}
	return pushJsonbValue(state, WJB_END_OBJECT, NULL);
}

static void
row_set_json(Row *row, int column, const Shape *shape, const TextValue *values,
	     const TextValue *before)
{
	JsonbParseState *state = NULL;

	if (values != NULL)
		row_set(row, column,
			JsonbPGetDatum(JsonbValueToJsonb(json_row(&state, shape, values,
								  before))));
}

static void
row_set_key(Row *row, const Shape *shape, const TextValue *image)
{
	JsonbParseState *state = NULL;

	if (image == NULL || shape->n_key == 0)
		return;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < shape->n_key; i++)
		json_member(&state, shape->names[shape->key[i]], &image[shape->key[i]]);
	row_set(row, RESOLUTION_KEY,
		JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT,
								NULL))));
}

/* ---- the row ---- */

static void
row_begin(Row *row, const pg_uuid_t *link, uint8 operation, const Verdict *verdict)
{
	memset(row->nulls, true, sizeof(row->nulls));
	row_set(row, RESOLUTION_AT, TimestampTzGetDatum(GetCurrentTimestamp()));
	row_set(row, RESOLUTION_LINK, UUIDPGetDatum(link));
	row_set_text(row, RESOLUTION_OPERATION, operations[operation]);
	row_set_text(row, RESOLUTION_VERDICT, verdict_action_name(verdict->action));
	row_set_text(row, RESOLUTION_POLICY, verdict->policy);
	row_set_text(row, RESOLUTION_REASON, verdict->reason);
}

static void
row_set_address(Row *row, const struct frame_context *context, uint64 xid, int64 seq,
		uint64 ordinal)
{
	row_set(row, RESOLUTION_ORIGIN, Int32GetDatum((int32) context->origin));
	row_set(row, RESOLUTION_REMOTE_AT, TimestampTzGetDatum(timestamp_from_unix(context->at)));
	row_set(row, RESOLUTION_XID, Int64GetDatum((int64) xid));
	row_set(row, RESOLUTION_SEQ, Int64GetDatum(seq));
	row_set(row, RESOLUTION_ORDINAL, Int64GetDatum((int64) ordinal));
}

/* ---- the table ---- */

/* Rows go in together, so that their index entries do; they are of a call at most. */
#define TOGETHER_MAX 64

/* Larger ones do not wait for as many. */
#define TOGETHER_SIZE (256 * 1024)

StaticAssertDecl(TOGETHER_MAX <= CALL_INSERTS_MAX, "entries are made of so many rows at most");

struct resolutions {
	OpenTable table;
	Target target;		/* of which there is nothing to know, nor of its map */
	TargetMap map;
	MemoryContext rows;	/* those that wait */
	TupleTableSlot *waiting[TOGETHER_MAX];
	int n;
	Size size;
};

/* In the current memory context */
static struct resolutions *
resolutions_begin(void)
{
	struct resolutions *all = palloc0(sizeof(*all));

	all->table.relation = table_open(catalog_oid(CATALOG_RESOLUTION), RowExclusiveLock);
	all->table.result = makeNode(ResultRelInfo);
	all->table.result->ri_RelationDesc = all->table.relation;
	all->table.target = &all->target;
	all->table.map = &all->map;
	all->rows = AllocSetContextCreate(CurrentMemoryContext, "elvis resolutions",
					  ALLOCSET_DEFAULT_SIZES);
	return all;
}

static void
resolutions_flush(ApplyCall *call, struct resolutions *all)
{
	MemoryContext old = MemoryContextSwitchTo(all->rows);

	table_multi_insert(all->table.relation, all->waiting, all->n, GetCurrentCommandId(true),
			   0, NULL);
	entries_insert(call, &all->table, all->waiting, all->n);
	for (int i = 0; i < all->n; i++)
		ExecClearTuple(all->waiting[i]);
	MemoryContextSwitchTo(old);
	MemoryContextReset(all->rows);
	all->n = 0;
	all->size = 0;
}

static void
resolutions_end(ApplyCall *call, struct resolutions *all)
{
	if (all->n > 0)
		resolutions_flush(call, all);
	for (int i = 0; i < TOGETHER_MAX && all->waiting[i] != NULL; i++)
		ExecDropSingleTupleTableSlot(all->waiting[i]);
	table_release(&all->table);
	MemoryContextDelete(all->rows);
}

/* A slot lives as long as the relation is open. */
static TupleTableSlot *
waiting_slot(struct resolutions *all)
{
	TupleTableSlot **slot = &all->waiting[all->n];
	MemoryContext old;

	if (*slot == NULL) {
		old = MemoryContextSwitchTo(GetMemoryChunkContext(all));
		*slot = MakeSingleTupleTableSlot(RelationGetDescr(all->table.relation),
						 &TTSOpsHeapTuple);
		MemoryContextSwitchTo(old);
	}
	return *slot;
}

static int64
resolutions_add(ApplyCall *call, struct resolutions *all, Row *row)
{
	int64 id = catalog_sequence_next(CATALOG_RESOLUTION_ID, 1);
	MemoryContext old = MemoryContextSwitchTo(all->rows);
	HeapTuple tuple;

	row_set(row, RESOLUTION_ID, Int64GetDatum(id));
	tuple = heap_form_tuple(RelationGetDescr(all->table.relation), row->values, row->nulls);
	MemoryContextSwitchTo(old);
	ExecStoreHeapTuple(tuple, waiting_slot(all), true);
	all->n++;
	all->size += tuple->t_len;
	if (all->n == TOGETHER_MAX || all->size >= TOGETHER_SIZE)
		resolutions_flush(call, all);
	return id;
}

static struct resolutions *
resolutions_of(ApplyCall *call)
{
	MemoryContext old;

	if (call->resolutions == NULL) {
		old = MemoryContextSwitchTo(call->context);
		call->resolutions = resolutions_begin();
		MemoryContextSwitchTo(old);
	}
	return call->resolutions;
}

void
resolution_close(ApplyCall *call)
{
	if (call->resolutions != NULL)
		resolutions_end(call, call->resolutions);
	call->resolutions = NULL;
}

/* ---- of a change under way ---- */

static void
shape_of(const Target *target, Shape *shape)
{
	shape->n = target->n_columns;
	shape->n_key = target->n_key;
	shape->key = target->key;
	shape->names = palloc(sizeof(char *) * (target->n_columns + 1));
	for (int i = 0; i < target->n_columns; i++)
		shape->names[i] = target->columns[i].name;
}

static void
row_set_blockers(Row *row, const Shape *shape, const Conflict *conflict)
{
	JsonbParseState *state = NULL;

	if (conflict->n_blockers == 0)
		return;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < conflict->n_blockers; i++) {
		const Blocker *blocker = &conflict->blockers[i];

		json_string(&state, WJB_KEY, blocker->index);
		(void) json_row(&state, shape,
				conflict_row(conflict->change->target, conflict->table,
					     blocker->row), NULL);
	}
	row_set(row, RESOLUTION_BLOCKERS,
		JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT,
								NULL))));
}

void
resolution_record(ApplyCall *call, const Conflict *conflict, const Verdict *verdict,
		  const TextValue *written)
{
	const Target *target = conflict->change->target;
	const Walk *walk = call->walk;
	const WalkPoint *point = &walk->point;
	TextValue *before = conflict_before(conflict), *remote = conflict_remote(conflict);
	Shape shape;
	Row row;

	shape_of(target, &shape);
	row_begin(&row, &walk->position.link, conflict->change->operation, verdict);
	row_set_text(&row, RESOLUTION_KIND, conflict_kind_name(conflict->kind));
	row_set_text(&row, RESOLUTION_SCHEMA, target->schema);
	row_set_text(&row, RESOLUTION_TABLE, target->name);
	row_set_key(&row, &shape, before != NULL ? before : remote);
	row_set_json(&row, RESOLUTION_BEFORE, &shape, before, NULL);
	row_set_json(&row, RESOLUTION_REMOTE, &shape, remote, before);
	row_set_json(&row, RESOLUTION_LOCAL, &shape,
		     conflict_row(target, conflict->table, conflict->local), NULL);
	row_set_blockers(&row, &shape, conflict);
	row_set_json(&row, RESOLUTION_WRITTEN, &shape, written, NULL);
	row_set_text(&row, RESOLUTION_SQLSTATE, conflict->sqlstate);
	row_set_text(&row, RESOLUTION_MESSAGE, conflict->message);
	row_set_address(&row, &point->context,
			point->context.xid != 0 ? point->context.xid : point->begin.xid,
			point->begin.seq, point->ordinal);
	(void) resolutions_add(call, resolutions_of(call), &row);
}

/* ---- a conflict that comes back from the daemon, for a stop ---- */

typedef struct TellHead {
	uint8 kind, operation, parts;
	uint64 seq, ordinal, xid;
	struct frame_context context;
} TellHead;

static _Noreturn void
damaged_conflict(void)
{
	ereport(ERROR,
		(errcode(ERRCODE_ELVIS_DAMAGED), errmsg("conflict is damaged")));
}

static void
read_head(struct elvis_bytes *in, TellHead *head)
{
	uint64 version, attempt, origin;

	memset(head, 0, sizeof(*head));
	if (!elvis_get_u8(in, &head->kind) || !elvis_get_u8(in, &head->operation) ||
	    !elvis_get_varint(in, &version) || !elvis_get_varint(in, &head->seq) ||
	    !elvis_get_varint(in, &head->ordinal) || !elvis_get_varint(in, &attempt) ||
	    !elvis_get_varint(in, &origin) || !elvis_get_i64(in, &head->context.at) ||
	    !elvis_get_varint(in, &head->xid) || !elvis_get_u8(in, &head->parts) ||
	    head->operation >= lengthof(operations) || head->seq > PG_INT64_MAX ||
	    head->ordinal > PG_INT64_MAX || origin > PG_INT32_MAX)
		damaged_conflict();
	head->context.origin = (uint32) origin;
}

static TextValue *
read_row(struct elvis_bytes *in, const Shape *shape)
{
	TextValue *row = palloc0(sizeof(*row) * (shape->n + 1));
	struct frame_value *values = palloc(sizeof(*values) * (shape->n + 1));

	if (!frame_get_values(in, shape->n, FRAME_OF_CONFLICT, values))
		damaged_conflict();
	for (int i = 0; i < shape->n; i++) {
		row[i].head = values[i].head;
		if (row[i].head == ELVIS_COLUMN_BYTES)
			row[i].text = value_from_wire(values[i].bytes, values[i].length);
	}
	return row;
}

static TextValue *
read_local(struct elvis_bytes *in, const Shape *shape)
{
	uint64 origin;
	uint8 source;
	int64 at;

	if (!elvis_get_varint(in, &origin) || !elvis_get_u8(in, &source) ||
	    !elvis_get_i64(in, &at))
		damaged_conflict();
	return read_row(in, shape);
}

static char *
read_string(struct elvis_bytes *in)
{
	struct elvis_bytes run;

	if (!elvis_get_string(in, &run))
		damaged_conflict();
	return value_from_wire(run.at, run.end - run.at);
}

static void
read_blockers(struct elvis_bytes *in, const Shape *shape, Row *row)
{
	JsonbParseState *state = NULL;
	uint64 n;

	if (!frame_get_count(in, UINT32_MAX, &n))
		damaged_conflict();
	if (n == 0)
		return;
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	while (n-- > 0) {
		json_string(&state, WJB_KEY, read_string(in));
		(void) json_row(&state, shape, read_local(in, shape), NULL);
	}
	row_set(row, RESOLUTION_BLOCKERS,
		JsonbPGetDatum(JsonbValueToJsonb(pushJsonbValue(&state, WJB_END_OBJECT,
								NULL))));
}

static void
read_parts(struct elvis_bytes *in, const TellHead *head, const Shape *shape, Row *row)
{
	TextValue *before = NULL, *remote = NULL;

	if (head->parts & ELVIS_PART_BEFORE)
		before = read_row(in, shape);
	if (head->parts & ELVIS_PART_REMOTE)
		remote = read_row(in, shape);
	row_set_key(row, shape, before != NULL ? before : remote);
	row_set_json(row, RESOLUTION_BEFORE, shape, before, NULL);
	row_set_json(row, RESOLUTION_REMOTE, shape, remote, before);
	if (head->parts & ELVIS_PART_LOCAL)
		row_set_json(row, RESOLUTION_LOCAL, shape, read_local(in, shape), NULL);
	read_blockers(in, shape, row);
	if (head->parts & ELVIS_PART_MESSAGE) {
		row_set_text(row, RESOLUTION_SQLSTATE, read_string(in));
		row_set_text(row, RESOLUTION_MESSAGE, read_string(in));
	}
}

static void
shape_of_arguments(ArrayType *columns, ArrayType *key, Shape *shape)
{
	Datum *names, *numbers;
	int *places;

	deconstruct_array(columns, TEXTOID, -1, false, TYPALIGN_INT, &names, NULL, &shape->n);
	deconstruct_array(key, INT4OID, 4, true, TYPALIGN_INT, &numbers, NULL, &shape->n_key);
	if (shape->n > FRAME_COLUMNS_MAX || array_contains_nulls(columns) ||
	    array_contains_nulls(key))
		damaged_conflict();
	shape->names = palloc(sizeof(char *) * (shape->n + 1));
	for (int i = 0; i < shape->n; i++)
		shape->names[i] = TextDatumGetCString(names[i]);
	shape->key = places = palloc(sizeof(int) * (shape->n_key + 1));
	for (int i = 0; i < shape->n_key; i++) {
		places[i] = DatumGetInt32(numbers[i]);
		if (places[i] < 0 || places[i] >= shape->n)
			damaged_conflict();
	}
}

static char *
argument_text(FunctionCallInfo fcinfo, int n)
{
	return PG_ARGISNULL(n) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(n));
}

/* elvis.record_resolution(conflict, link, schema, table, columns, key, verdict, policy, reason) */
PG_FUNCTION_INFO_V1(elvis_record_resolution);
Datum
elvis_record_resolution(PG_FUNCTION_ARGS)
{
	Verdict verdict = { 0 };
	struct elvis_bytes in;
	bytea *conflict;
	struct resolutions *all;
	TellHead head;
	Shape shape;
	Row row;
	int64 id;

	for (int i = 0; i < 8; i++)
		if (PG_ARGISNULL(i))
			ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("only the reason may be null")));
	conflict = PG_GETARG_BYTEA_PP(0);
	in.at = (uint8_t *) VARDATA_ANY(conflict);
	in.end = in.at + VARSIZE_ANY_EXHDR(conflict);
	read_head(&in, &head);
	shape_of_arguments(PG_GETARG_ARRAYTYPE_P(4), PG_GETARG_ARRAYTYPE_P(5), &shape);
	verdict.policy = argument_text(fcinfo, 7);
	verdict.reason = argument_text(fcinfo, 8);
	row_begin(&row, PG_GETARG_UUID_P(1), head.operation, &verdict);
	row_set_text(&row, RESOLUTION_VERDICT, argument_text(fcinfo, 6));
	row_set_text(&row, RESOLUTION_KIND, conflict_kind_name(head.kind));
	row_set_text(&row, RESOLUTION_SCHEMA, argument_text(fcinfo, 2));
	row_set_text(&row, RESOLUTION_TABLE, argument_text(fcinfo, 3));
	row_set_address(&row, &head.context, head.xid, (int64) head.seq, head.ordinal);
	read_parts(&in, &head, &shape, &row);
	if (in.at != in.end)
		damaged_conflict();
	all = resolutions_begin();
	id = resolutions_add(NULL, all, &row);
	resolutions_end(NULL, all);
	PG_RETURN_INT64(id);
}
