/*
 * value.c - values as bytes: encoder and decoder side by side, so that they cannot drift.
 *
 * Stored forms, header taken off:
 *
 *	fixed length	the datum's bytes in the machine's order (both ends have compared theirs)
 *	text, bytea	the bytes
 *	numeric		a u16 or two, then base-10000 digits, as numeric.c keeps them on disk
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/transam.h"
#include "access/htup_details.h"
#include "access/tupmacs.h"
#include "catalog/pg_type.h"
#include "datatype/timestamp.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/numeric.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include <elvis/record.h>

#include "compat.h"
#include "catalog.h"
#include "room.h"
#include "value.h"

/* What has to be checked before a stored form may become a datum. */
enum stored_check {
	STORED_NOT = 0,
	STORED_ANY,		/* every bit pattern is a value */
	STORED_BOOL,
	STORED_DATE,
	STORED_TIME,
	STORED_TIMETZ,
	STORED_TIMESTAMP,
	STORED_BYTES,		/* variable length from here on */
	STORED_TEXT,
	STORED_NUMERIC,
};

static const struct {
	Oid type;
	uint8 check;
} stored_types[] = {
	{ BOOLOID, STORED_BOOL },
	{ CHAROID, STORED_ANY },
	{ INT2OID, STORED_ANY },
	{ INT4OID, STORED_ANY },
	{ INT8OID, STORED_ANY },
	{ OIDOID, STORED_ANY },
	{ XID8OID, STORED_ANY },
	{ FLOAT4OID, STORED_ANY },
	{ FLOAT8OID, STORED_ANY },
	{ MONEYOID, STORED_ANY },
	{ UUIDOID, STORED_ANY },
	{ MACADDROID, STORED_ANY },
	{ MACADDR8OID, STORED_ANY },
	{ PG_LSNOID, STORED_ANY },
	{ INTERVALOID, STORED_ANY },
	{ DATEOID, STORED_DATE },
	{ TIMEOID, STORED_TIME },
	{ TIMETZOID, STORED_TIMETZ },
	{ TIMESTAMPOID, STORED_TIMESTAMP },
	{ TIMESTAMPTZOID, STORED_TIMESTAMP },
	{ BYTEAOID, STORED_BYTES },
	{ TEXTOID, STORED_TEXT },
	{ VARCHAROID, STORED_TEXT },
	{ BPCHAROID, STORED_TEXT },
	{ NUMERICOID, STORED_NUMERIC },
};

static uint8
stored_check(Oid type)
{
	for (size_t i = 0; i < lengthof(stored_types); i++)
		if (stored_types[i].type == type)
			return stored_types[i].check;
	return STORED_NOT;
}

/* Numbers of objects of this database are inside its values, or its layout may change. */
static bool
holds_local_numbers(Oid type)
{
	switch (type) {
	case REGPROCOID:
	case REGPROCEDUREOID:
	case REGOPEROID:
	case REGOPERATOROID:
	case REGCLASSOID:
	case REGCOLLATIONOID:
	case REGTYPEOID:
	case REGCONFIGOID:
	case REGDICTIONARYOID:
	case REGROLEOID:
	case REGNAMESPACEOID:
	case ACLITEMOID:
		return true;
	default:
		return false;
	}
}

static bool
has_send_function(Oid type)
{
	HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(type));
	bool has;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for type %u", type);
	has = OidIsValid(((Form_pg_type) GETSTRUCT(tuple))->typsend);
	ReleaseSysCache(tuple);
	return has;
}

/*
 * May values of this type travel as send/receive bytes?  Only where both ends are sure to mean
 * the same: built in through and through, elements and subtypes included.
 */
static bool
binary_is_portable(Oid type)
{
	Oid element = get_element_type(type);

	/* their receive functions refuse what they send when it is empty */
	if (type == INT2VECTOROID || type == OIDVECTOROID)
		return false;

	if (OidIsValid(element))
		return binary_is_portable(element);
	if (type >= FirstGenbkiObjectId || holds_local_numbers(type) ||
	    get_typtype(type) == TYPTYPE_COMPOSITE)
		return false;
	return has_send_function(type);
}

static uint8
pins_of(Oid type, uint8 form)
{
	switch (form) {
	case ELVIS_FORM_STORED:
		return 0;
	case ELVIS_FORM_BINARY:
		return VALUE_PIN_ENCODING;
	default:
		return get_typtype(type) == TYPTYPE_ENUM ? 0
			: VALUE_PIN_ENCODING | VALUE_PIN_FORMATS;
	}
}

void
value_codec_init(ValueCodec *codec, Oid type, int32 typmod, Oid collation,
		 MemoryContext context)
{
	memset(codec, 0, sizeof(*codec));
	codec->type = type;
	codec->typmod = typmod;
	codec->base = getBaseTypeAndTypmod(type, &codec->typmod);
	codec->is_domain = codec->base != type;
	codec->collation = collation;
	codec->context = context;
	get_typlenbyval(codec->base, &codec->length, &codec->by_value);
	codec->stored = stored_check(codec->base);
	if (codec->stored != STORED_NOT)
		codec->form = ELVIS_FORM_STORED;
	else
		codec->form = binary_is_portable(codec->base) ? ELVIS_FORM_BINARY
							      : ELVIS_FORM_TEXT;
	codec->pins = pins_of(codec->base, codec->form);
}

uint8
value_form(const ValueCodec *codec, uint8 portable)
{
	if (portable == ELVIS_FORM_TEXT || codec->form == ELVIS_FORM_TEXT)
		return ELVIS_FORM_TEXT;
	return portable == ELVIS_FORM_BINARY ? ELVIS_FORM_BINARY : codec->form;
}

/* ---- functions of the type, looked up at first use ---- */

static FmgrInfo *
codec_send(ValueCodec *codec)
{
	if (!codec->send_known) {
		Oid function;
		bool varlena;

		getTypeBinaryOutputInfo(codec->base, &function, &varlena);
		fmgr_info_cxt(function, &codec->send, codec->context);
		codec->send_known = true;
	}
	return &codec->send;
}

static FmgrInfo *
codec_receive(ValueCodec *codec)
{
	if (!codec->receive_known) {
		Oid function;

		getTypeBinaryInputInfo(codec->base, &function, &codec->receive_param);
		fmgr_info_cxt(function, &codec->receive, codec->context);
		codec->receive_known = true;
	}
	return &codec->receive;
}

static FmgrInfo *
codec_output(ValueCodec *codec)
{
	if (!codec->output_known) {
		Oid function;
		bool varlena;

		getTypeOutputInfo(codec->base, &function, &varlena);
		fmgr_info_cxt(function, &codec->output, codec->context);
		codec->output_known = true;
	}
	return &codec->output;
}

static FmgrInfo *
codec_input(ValueCodec *codec)
{
	if (!codec->input_known) {
		Oid function;

		getTypeInputInfo(codec->base, &function, &codec->input_param);
		fmgr_info_cxt(function, &codec->input, codec->context);
		codec->input_known = true;
	}
	return &codec->input;
}

/* NULL when the type has no equality. */
static FmgrInfo *
codec_equality(ValueCodec *codec)
{
	if (!codec->equality_known) {
		Oid function = lookup_type_cache(codec->base, TYPECACHE_EQ_OPR)->eq_opr;

		if (OidIsValid(function))
			function = get_opcode(function);
		if (OidIsValid(function))
			fmgr_info_cxt(function, &codec->equality, codec->context);
		codec->has_equality = OidIsValid(function);
		codec->equality_known = true;
	}
	return codec->has_equality ? &codec->equality : NULL;
}

/* ---- encoding ---- */

/* The head of a column of `length` bytes; returns where they go. */
static inline uint8 *
begin_column(StringInfo out, size_t length)
{
	uint8 *at = room_for(out, length + ELVIS_VARINT_MAX);

	at = elvis_put_varint(at, length + ELVIS_COLUMN_BYTES);
	room_used(out, at + length);
	return at;
}

static inline void
append_column(StringInfo out, const void *bytes, size_t length)
{
	memcpy(begin_column(out, length), bytes, length);
}

/* The bytes of a fixed-length datum; a by-value one is put into `room`. */
static const void *
fixed_bytes(const ValueCodec *codec, Datum value, Datum *room)
{
	if (!codec->by_value)
		return DatumGetPointer(value);
	store_att_byval(room, value, codec->length);
	return room;
}

static void
encode_varlena(StringInfo out, struct varlena *value)
{
	struct varlena *plain = value;

	if (likely(VARATT_IS_SHORT(value) && !VARATT_IS_EXTERNAL(value))) {
		append_column(out, VARDATA_SHORT(value),
			      VARSIZE_SHORT(value) - VARHDRSZ_SHORT);
		return;
	}
	if (VARATT_IS_EXTENDED(value))
		plain = detoast_attr(value);
	append_column(out, VARDATA(plain), VARSIZE(plain) - VARHDRSZ);
	if (plain != value)
		pfree(plain);
}

static void
encode_stored(StringInfo out, const ValueCodec *codec, Datum value)
{
	Datum room;

	if (codec->stored >= STORED_BYTES)
		encode_varlena(out, (struct varlena *) DatumGetPointer(value));
	else
		append_column(out, fixed_bytes(codec, value, &room), codec->length);
}

void
value_encode_at(StringInfo out, ValueCodec *codec, const char *at)
{
	if (codec->form != ELVIS_FORM_STORED)
		value_encode_form(out, codec, codec->form,
				  fetch_att(at, codec->by_value, codec->length));
	else if (codec->stored >= STORED_BYTES)
		encode_varlena(out, (struct varlena *) at);
	else if (codec->length == sizeof(int32))	/* known lengths need no call */
		append_column(out, at, sizeof(int32));
	else if (codec->length == sizeof(int64))
		append_column(out, at, sizeof(int64));
	else
		append_column(out, at, codec->length);
}

void
value_encode_form(StringInfo out, ValueCodec *codec, uint8 form, Datum value)
{
	if (form == ELVIS_FORM_STORED) {
		encode_stored(out, codec, value);
	} else if (form == ELVIS_FORM_BINARY) {
		bytea *bytes = SendFunctionCall(codec_send(codec), value);

		append_column(out, VARDATA_ANY(bytes), VARSIZE_ANY_EXHDR(bytes));
	} else {
		char *text = value_to_wire(value_text(codec, value));

		append_column(out, text, strlen(text));
	}
}

char *
value_text(ValueCodec *codec, Datum value)
{
	return OutputFunctionCall(codec_output(codec), value);
}

/*
 * What text is in while it travels.  The server cannot convert SQL_ASCII, which is whatever its
 * users put into it.
 */
int
value_wire_encoding(void)
{
	return GetDatabaseEncoding() == PG_SQL_ASCII ? PG_SQL_ASCII : PG_UTF8;
}

char *
value_to_wire(char *text)
{
	return pg_server_to_any(text, (int) strlen(text), value_wire_encoding());
}

char *
value_from_wire(const uint8 *bytes, size_t length)
{
	char *text = pnstrdup((const char *) bytes, length);

	/* a NUL inside would end the text early: refused before conversion looks at it */
	if (strlen(text) != length)
		ereport(ERROR,
			(errcode(ERRCODE_CHARACTER_NOT_IN_REPERTOIRE),
			 errmsg("text received contains a zero byte")));
	return pg_any_to_server(text, (int) length, value_wire_encoding());
}

/* ---- decoding ---- */

static _Noreturn void
damaged(const ValueCodec *codec)
{
	ereport(ERROR,
		(errcode(ERRCODE_ELVIS_DAMAGED),
		 errmsg("bytes received for type %s are not a value of it",
			format_type_be(codec->base))));
}

static Datum
decode_numeric(const ValueCodec *codec, const uint8 *bytes, size_t length)
{
	struct varlena *value;

	if (!value_numeric_valid(bytes, length))
		damaged(codec);
	value = palloc(VARHDRSZ + length);
	SET_VARSIZE(value, VARHDRSZ + length);
	memcpy(VARDATA(value), bytes, length);
	if (codec->typmod < (int32) VARHDRSZ || value_numeric_fits(bytes, length, codec->typmod))
		return PointerGetDatum(value);
	return DirectFunctionCall2(numeric, PointerGetDatum(value),
				   Int32GetDatum(codec->typmod));
}

/*
 * Characters in text that has been verified; in UTF-8, which nearly every database has, the bytes
 * that begin one are counted, eight at a time.
 */
static int
count_characters(const char *text, int length)
{
	const uint64 ones = UINT64CONST(0x0101010101010101);
	int following = 0, i = 0;

	if (GetDatabaseEncoding() != PG_UTF8)
		return pg_mbstrlen_with_len(text, length);
	for (; i + 8 <= length; i += 8) {
		uint64 bytes;

		memcpy(&bytes, text + i, 8);
		following += (int) (((bytes >> 7 & ~bytes >> 6 & ones) * ones) >> 56);
	}
	for (; i < length; i++)
		following += (text[i] & 0xc0) == 0x80;
	return length - following;
}

/* varchar(n) and char(n): too long is the type's error, as an assignment in SQL would raise. */
static Datum
fit_text(const ValueCodec *codec, struct varlena *value)
{
	int characters, limit = codec->typmod - VARHDRSZ;
	int length = VARSIZE(value) - VARHDRSZ;

	if (limit < 0 || codec->base == TEXTOID ||
	    (codec->base == VARCHAROID && length <= limit))
		return PointerGetDatum(value);
	characters = count_characters(VARDATA(value), length);
	if (codec->base == VARCHAROID)
		return characters <= limit ? PointerGetDatum(value)
			: DirectFunctionCall3(varchar, PointerGetDatum(value),
					      Int32GetDatum(codec->typmod), BoolGetDatum(false));
	return characters == limit ? PointerGetDatum(value)
		: DirectFunctionCall3(bpchar, PointerGetDatum(value),
				      Int32GetDatum(codec->typmod), BoolGetDatum(false));
}

static Datum
decode_varlena(const ValueCodec *codec, const uint8 *bytes, size_t length)
{
	struct varlena *value;

	if (length > MaxAllocSize - VARHDRSZ)
		damaged(codec);
	if (codec->stored == STORED_TEXT)
		(void) pg_verify_mbstr(GetDatabaseEncoding(), (const char *) bytes,
				       (int) length, false);
	value = palloc(VARHDRSZ + length);
	SET_VARSIZE(value, VARHDRSZ + length);
	memcpy(VARDATA(value), bytes, length);
	return codec->stored == STORED_TEXT ? fit_text(codec, value) : PointerGetDatum(value);
}

/* Is this fixed-length datum one that its type's receive function would have let in? */
static bool
fixed_in_range(const ValueCodec *codec, Datum value)
{
	switch ((enum stored_check) codec->stored) {
	case STORED_DATE: {
		DateADT date = DatumGetDateADT(value);

		return DATE_NOT_FINITE(date) || IS_VALID_DATE(date);
	}
	case STORED_TIMESTAMP: {
		Timestamp timestamp = DatumGetTimestamp(value);

		return TIMESTAMP_NOT_FINITE(timestamp) || IS_VALID_TIMESTAMP(timestamp);
	}
	case STORED_TIME: {
		TimeADT time = DatumGetTimeADT(value);

		return time >= 0 && time <= USECS_PER_DAY;
	}
	case STORED_TIMETZ: {
		TimeTzADT *time = DatumGetTimeTzADTP(value);

		return time->time >= 0 && time->time <= USECS_PER_DAY &&
		       time->zone > -TZDISP_LIMIT && time->zone < TZDISP_LIMIT;
	}
	case STORED_NOT:
	case STORED_ANY:
	case STORED_BOOL:
	case STORED_BYTES:
	case STORED_TEXT:
	case STORED_NUMERIC:
		return true;
	}
	return false;
}

/* time(n), timestamp(n), interval fields: rounded as an assignment in SQL would. */
static Datum
fit_time(const ValueCodec *codec, Datum value)
{
	Datum typmod = Int32GetDatum(codec->typmod);

	switch (codec->base) {
	case TIMEOID:
		return DirectFunctionCall2(time_scale, value, typmod);
	case TIMETZOID:
		return DirectFunctionCall2(timetz_scale, value, typmod);
	case TIMESTAMPOID:
		return DirectFunctionCall2(timestamp_scale, value, typmod);
	case TIMESTAMPTZOID:
		return DirectFunctionCall2(timestamptz_scale, value, typmod);
	case INTERVALOID:
		return DirectFunctionCall2(interval_scale, value, typmod);
	default:
		return value;
	}
}

static Datum
decode_fixed(const ValueCodec *codec, const uint8 *bytes, size_t length)
{
	Datum value;

	if (length != (size_t) codec->length)
		damaged(codec);
	if (codec->stored == STORED_BOOL && bytes[0] > 1)
		damaged(codec);
	if (codec->by_value) {
		Datum room = 0;

		memcpy(&room, bytes, length);
		value = fetch_att(&room, true, codec->length);
	} else if (codec->base == UUIDOID) {
		return PointerGetDatum(bytes);
	} else {
		value = PointerGetDatum(memcpy(palloc(length), bytes, length));
	}
	if (!fixed_in_range(codec, value))
		ereport(ERROR,
			(errcode(ERRCODE_DATETIME_VALUE_OUT_OF_RANGE),
			 errmsg("value received for type %s is out of range",
				format_type_be(codec->base))));
	return codec->typmod >= 0 ? fit_time(codec, value) : value;
}

/* Receive functions may write behind the end of what they are given, hence the copy. */
static Datum
decode_binary(ValueCodec *codec, const uint8 *bytes, size_t length)
{
	FmgrInfo *receive = codec_receive(codec);
	StringInfoData in;
	Datum value;

	in.data = palloc(length + 1);
	memcpy(in.data, bytes, length);
	in.data[length] = '\0';
	in.len = (int) length;
	in.maxlen = in.len + 1;
	in.cursor = 0;
	value = ReceiveFunctionCall(receive, &in, codec->receive_param, codec->typmod);
	if (in.cursor != in.len)
		damaged(codec);
	pfree(in.data);
	return value;
}

static Datum
decode_text(ValueCodec *codec, char *text)
{
	FmgrInfo *input = codec_input(codec);

	return InputFunctionCall(input, text, codec->input_param, codec->typmod);
}

static Datum
domain_checked(ValueCodec *codec, Datum value)
{
	if (codec->is_domain)
		domain_check(value, false, codec->type, &codec->domain, codec->context);
	return value;
}

Datum
value_from_text(ValueCodec *codec, char *text)
{
	return domain_checked(codec, decode_text(codec, text));
}

Datum
value_decode(ValueCodec *codec, uint8 form, const uint8 *bytes, size_t length)
{
	Datum value;

	if (length > MaxAllocSize - VARHDRSZ - 1)
		damaged(codec);
	if (form == ELVIS_FORM_STORED && codec->stored == STORED_NUMERIC)
		value = decode_numeric(codec, bytes, length);
	else if (form == ELVIS_FORM_STORED && codec->stored >= STORED_BYTES)
		value = decode_varlena(codec, bytes, length);
	else if (form == ELVIS_FORM_STORED && codec->stored != STORED_NOT)
		value = decode_fixed(codec, bytes, length);
	else if (form == ELVIS_FORM_BINARY)
		value = decode_binary(codec, bytes, length);
	else if (form == ELVIS_FORM_TEXT)
		value = decode_text(codec, value_from_wire(bytes, length));
	else
		damaged(codec);
	return domain_checked(codec, value);
}

void
value_decode_null(ValueCodec *codec)
{
	if (codec->is_domain)
		domain_check((Datum) 0, true, codec->type, &codec->domain, codec->context);
}

/* ---- comparing ---- */

bool
value_is_stored_as(const ValueCodec *codec, Datum value, const uint8 *bytes, size_t length)
{
	struct varlena *plain;
	bool same;

	if (codec->stored < STORED_BYTES) {
		Datum room;

		return codec->stored != STORED_NOT && length == (size_t) codec->length &&
		       memcmp(fixed_bytes(codec, value, &room), bytes, length) == 0;
	}
	plain = pg_detoast_datum_packed((struct varlena *) DatumGetPointer(value));
	same = VARSIZE_ANY_EXHDR(plain) == length &&
	       memcmp(VARDATA_ANY(plain), bytes, length) == 0;
	if ((Pointer) plain != DatumGetPointer(value))
		pfree(plain);
	return same;
}

bool
value_same_image(ValueCodec *codec, Datum a, Datum b)
{
	FmgrInfo *equality;

	if (datum_image_eq(a, b, codec->by_value, codec->length))
		return true;
	equality = codec_equality(codec);
	return equality != NULL &&
	       DatumGetBool(FunctionCall2Coll(equality, codec->collation, a, b));
}
