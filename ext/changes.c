/*
 * changes.c - the log as rows that people can read (elvis.changes).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include <elvis/record.h>

#include "compat.h"
#include "relation.h"
#include "version.h"

PG_FUNCTION_INFO_V1(elvis_decode);
PG_FUNCTION_INFO_V1(elvis_newest_version);

#define UNIX_TO_POSTGRES_US \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY)

enum { COLUMN_TABLE, COLUMN_OP, COLUMN_BEFORE, COLUMN_AFTER, COLUMN_XID, COLUMN_ORIGIN,
       COLUMN_AT, COLUMNS };

struct printing {
	Tuplestorestate *rows;
	TupleDesc shape;
	Datum values[COLUMNS];
	bool nulls[COLUMNS];
};

/* ---- values ---- */

/* One value of an image: where its bytes are, or that it has none. */
struct cell {
	uint64_t head;
	struct elvis_bytes value;
};

static char *
cell_text(struct version_column *column, const struct cell *cell)
{
	size_t length = cell->value.end - cell->value.at;

	if (column->form == ELVIS_FORM_TEXT)
		return value_from_wire(cell->value.at, length);
	return value_text(&column->codec, value_decode(&column->codec, column->form,
						       cell->value.at, length));
}

static void
put_numeric(JsonbValue *out, char *text)
{
	Datum number = DirectFunctionCall3(numeric_in, CStringGetDatum(text), InvalidOid,
					   Int32GetDatum(-1));

	if (numeric_is_nan(DatumGetNumeric(number)) ||
	    numeric_is_inf(DatumGetNumeric(number))) {
		out->type = jbvString;
		out->val.string.val = text;
		out->val.string.len = strlen(text);
		return;
	}
	out->type = jbvNumeric;
	out->val.numeric = DatumGetNumeric(number);
}

/* As to_jsonb() would have it, for the types that JSON knows. */
static void
put_json(JsonbValue *out, struct version_column *column, const struct cell *cell)
{
	char *text;

	if (cell->head == ELVIS_COLUMN_NULL) {
		out->type = jbvNull;
		return;
	}
	text = cell_text(column, cell);
	switch (column->type_oid) {
	case BOOLOID:
		out->type = jbvBool;
		out->val.boolean = text[0] == 't';
		break;
	case INT2OID:
	case INT4OID:
	case INT8OID:
	case NUMERICOID:
	case FLOAT4OID:
	case FLOAT8OID:
		put_numeric(out, text);
		break;
	case JSONOID:
	case JSONBOID: {
		Jsonb *inner = DatumGetJsonbP(DirectFunctionCall1(jsonb_in,
								  CStringGetDatum(text)));

		out->type = jbvBinary;
		out->val.binary.data = &inner->root;
		out->val.binary.len = VARSIZE(inner) - VARHDRSZ;
		if (JB_ROOT_IS_SCALAR(inner))
			(void) JsonbExtractScalar(&inner->root, out);
		break;
	}
	default:
		out->type = jbvString;
		out->val.string.val = text;
		out->val.string.len = strlen(text);
		break;
	}
}

static Datum
image(struct version *version, const struct cell *cells)
{
	JsonbParseState *state = NULL;
	JsonbValue *object;

	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	for (int i = 0; i < version->n_columns; i++) {
		JsonbValue key, value;

		if (cells[i].head == ELVIS_COLUMN_NOT_CAPTURED)
			continue;
		key.type = jbvString;
		key.val.string.val = unconstify(char *, version->columns[i].name);
		key.val.string.len = strlen(version->columns[i].name);
		pushJsonbValue(&state, WJB_KEY, &key);
		put_json(&value, &version->columns[i], &cells[i]);
		pushJsonbValue(&state, WJB_VALUE, &value);
	}
	object = pushJsonbValue(&state, WJB_END_OBJECT, NULL);
	return PointerGetDatum(JsonbValueToJsonb(object));
}

/* ---- rows ---- */

static void
print(struct printing *printing, const struct version *version, const char *op)
{
	printing->values[COLUMN_TABLE] = CStringGetTextDatum(
		quote_qualified_identifier(version->schema, version->table));
	printing->values[COLUMN_OP] = CStringGetTextDatum(op);
	tuplestore_putvalues(printing->rows, printing->shape, printing->values,
			     printing->nulls);
	printing->nulls[COLUMN_BEFORE] = printing->nulls[COLUMN_AFTER] = true;
}

static void
set(struct printing *printing, int column, Datum value)
{
	printing->values[column] = value;
	printing->nulls[column] = false;
}

static void
get_cells(struct elvis_bytes *in, const struct version *version, const uint8 *bitmap,
	  struct cell *cells)
{
	for (int i = 0; i < version->n_columns; i++) {
		struct elvis_bytes whole;

		if (bitmap != NULL && (bitmap[i / 8] >> i % 8 & 1) == 0)
			continue;
		if (!version_get_column(in, &cells[i].head, &cells[i].value, &whole))
			version_damaged("a change ends too early");
	}
}

static void
print_change(struct printing *printing, uint8 tag, struct elvis_bytes in)
{
	struct elvis_bytes tids, bitmap;
	struct version *version;
	struct cell *cells;
	uint64_t number;
	uint8_t flags;

	if (!elvis_get_u8(&in, &flags) || !elvis_get_varint(&in, &number) ||
	    !elvis_get_bytes(&in, (flags & ELVIS_CHANGE_OLD_TID ? 6 : 0) +
			     (flags & ELVIS_CHANGE_NEW_TID ? 6 : 0), &tids))
		version_damaged("a change ends too early");
	version = version_get(number);
	cells = palloc0(sizeof(*cells) * Max(version->n_columns, 1));
	get_cells(&in, version, NULL, cells);
	if (tag == ELVIS_RECORD_INSERT) {
		set(printing, COLUMN_AFTER, image(version, cells));
		print(printing, version, "insert");
		return;
	}
	set(printing, COLUMN_BEFORE, image(version, cells));
	if (tag == ELVIS_RECORD_DELETE) {
		print(printing, version, "delete");
		return;
	}
	if (!elvis_get_bytes(&in, (version->n_columns + 7) / 8, &bitmap))
		version_damaged("a change ends too early");
	get_cells(&in, version, bitmap.at, cells);
	set(printing, COLUMN_AFTER, image(version, cells));
	print(printing, version, "update");
}

static void
print_truncate(struct printing *printing, struct elvis_bytes in)
{
	uint64_t n, number;
	uint8_t flags;

	if (!elvis_get_u8(&in, &flags) || !elvis_get_varint(&in, &n))
		version_damaged("a TRUNCATE ends too early");
	for (; n > 0; n--) {
		if (!elvis_get_varint(&in, &number))
			version_damaged("a TRUNCATE ends too early");
		print(printing, version_get(number), "truncate");
	}
}

static void
print_gap(struct printing *printing, struct elvis_bytes in)
{
	JsonbParseState *state = NULL;
	struct elvis_bytes reason;
	JsonbValue word;
	uint64_t number;

	if (!elvis_get_varint(&in, &number) || !elvis_get_string(&in, &reason))
		version_damaged("a gap ends too early");
	pushJsonbValue(&state, WJB_BEGIN_OBJECT, NULL);
	word.type = jbvString;
	word.val.string.val = pstrdup("reason");
	word.val.string.len = strlen("reason");
	pushJsonbValue(&state, WJB_KEY, &word);
	word.val.string.val = pnstrdup((const char *) reason.at, reason.end - reason.at);
	word.val.string.len = reason.end - reason.at;
	pushJsonbValue(&state, WJB_VALUE, &word);
	set(printing, COLUMN_AFTER, PointerGetDatum(JsonbValueToJsonb(
		pushJsonbValue(&state, WJB_END_OBJECT, NULL))));
	print(printing, version_get(number), "gap");
}

static void
enter_context(struct printing *printing, struct elvis_bytes in)
{
	uint64_t origin;
	int64_t at;

	if (!elvis_get_i64(&in, &at) || !elvis_get_varint(&in, &origin))
		version_damaged("a context ends too early");
	set(printing, COLUMN_ORIGIN, Int32GetDatum((int32) origin));
	set(printing, COLUMN_AT, TimestampTzGetDatum(at - UNIX_TO_POSTGRES_US));
}

static void
print_record(struct printing *printing, uint8 tag, struct elvis_bytes payload)
{
	switch (tag) {
	case ELVIS_RECORD_CONTEXT:
		enter_context(printing, payload);
		break;
	case ELVIS_RECORD_TRUNCATE:
		print_truncate(printing, payload);
		break;
	case ELVIS_RECORD_GAP:
		print_gap(printing, payload);
		break;
	case ELVIS_RECORD_INSERT:
	case ELVIS_RECORD_UPDATE:
	case ELVIS_RECORD_DELETE:
		print_change(printing, tag, payload);
		break;
	case ELVIS_RECORD_BEGIN:
	case ELVIS_RECORD_COMMIT:
		break;	/* of a stream */
	default:
		version_damaged("a record of an unknown kind");
	}
}

static void
print_chunk(struct printing *printing, struct elvis_bytes in)
{
	MemoryContext garbage = AllocSetContextCreate(
		CurrentMemoryContext, "elvis changes", ALLOCSET_DEFAULT_SIZES);
	MemoryContext before = MemoryContextSwitchTo(garbage);

	while (in.at < in.end) {
		struct elvis_bytes payload;
		uint8_t tag;

		if (!elvis_get_record(&in, &tag, &payload))
			version_damaged("a record ends too early");
		print_record(printing, tag, payload);
		MemoryContextReset(garbage);
		CHECK_FOR_INTERRUPTS();
	}
	MemoryContextSwitchTo(before);
	MemoryContextDelete(garbage);
}

static void
begin(struct printing *printing, FunctionCallInfo fcinfo)
{
	ReturnSetInfo *answer = (ReturnSetInfo *) fcinfo->resultinfo;
	MemoryContext before;

	if (answer == NULL || !IsA(answer, ReturnSetInfo) ||
	    (answer->allowedModes & SFRM_Materialize) == 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				errmsg("elvis.decode() is a set of rows and must be used "
				       "as one")));
	before = MemoryContextSwitchTo(answer->econtext->ecxt_per_query_memory);
	if (get_call_result_type(fcinfo, NULL, &printing->shape) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	printing->rows = tuplestore_begin_heap(true, false, work_mem);
	answer->returnMode = SFRM_Materialize;
	answer->setResult = printing->rows;
	answer->setDesc = printing->shape;
	MemoryContextSwitchTo(before);
	memset(printing->nulls, true, sizeof(printing->nulls));
	printing->nulls[COLUMN_TABLE] = printing->nulls[COLUMN_OP] = false;
}

Datum
elvis_decode(PG_FUNCTION_ARGS)
{
	bytea *body = PG_GETARG_BYTEA_PP(1);
	struct elvis_bytes in;
	struct printing printing;
	int nest;

	begin(&printing, fcinfo);
	set(&printing, COLUMN_XID, PG_GETARG_DATUM(0));
	in.at = (const uint8 *) VARDATA_ANY(body);
	in.end = in.at + VARSIZE_ANY_EXHDR(body);
	if (in.end - in.at < 2 || in.at[0] != ELVIS_RECORD_FORMAT)
		version_damaged("a chunk has another format than the one known");
	in.at += 2;
	nest = value_pin(VALUE_PIN_ENCODING | VALUE_PIN_FORMATS);
	print_chunk(&printing, in);
	value_unpin(nest);
	return (Datum) 0;
}

Datum
elvis_newest_version(PG_FUNCTION_ARGS)
{
	int64 version = relation_newest_version(PG_GETARG_OID(0));

	if (version == 0)
		PG_RETURN_NULL();
	PG_RETURN_INT64(version);
}
