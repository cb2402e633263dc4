/*
 * version.c - descriptors of elvis.relation, parsed and kept.
 */
#include "postgres.h"

#include "catalog/pg_collation.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

#include "catalog.h"
#include "compat.h"
#include "inval.h"
#include "relation.h"
#include "version.h"

PG_FUNCTION_INFO_V1(elvis_describe);

struct kept {
	uint64 id;	/* the key of the table */
	struct version *version;
};

static HTAB *kept;
static MemoryContext context;	/* of all that is kept */
static Oid table;		/* elvis.relation, when it was read */
static bool doubtful;		/* whether it is that table still */

static void
table_changed(Datum arg, Oid relid)
{
	if (!OidIsValid(relid) || relid == table)
		doubtful = true;
}

void
version_init(void)
{
	inval_relation(table_changed);
}

/*
 * Numbers begin anew when the extension is made anew, and only then: a vacuum of the table
 * is no reason to throw away what the caller may have in hand.
 */
static bool
is_good(void)
{
	if (kept == NULL)
		return false;
	if (unlikely(doubtful))
		doubtful = catalog_oid(CATALOG_RELATION) != table;
	return !doubtful;
}

static void
prepare(void)
{
	HASHCTL how = {.keysize = sizeof(uint64), .entrysize = sizeof(struct kept)};

	if (is_good())
		return;
	if (context != NULL)
		MemoryContextDelete(context);
	kept = NULL;
	context = AllocSetContextCreate(CacheMemoryContext, "elvis versions",
					ALLOCSET_SMALL_SIZES);
	how.hcxt = context;
	kept = hash_create("elvis versions", 64, &how,
			   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	table = catalog_oid(CATALOG_RELATION);
	doubtful = false;
}

void
version_damaged(const char *what)
{
	ereport(ERROR,
		(errcode(ERRCODE_ELVIS_DAMAGED),
		 errmsg("the log is damaged: %s", what)));
}

bool
version_get_column(struct elvis_bytes *in, uint64_t *head, struct elvis_bytes *value,
		   struct elvis_bytes *whole)
{
	whole->at = in->at;
	if (!elvis_get_varint(in, head))
		return false;
	value->at = value->end = in->at;
	if (*head >= ELVIS_COLUMN_BYTES &&
	    !elvis_get_bytes(in, *head - ELVIS_COLUMN_BYTES, value))
		return false;
	whole->end = in->at;
	return true;
}

/* ---- parsing ---- */

static const char *
get_string(struct elvis_bytes *in)
{
	struct elvis_bytes run;

	if (!elvis_get_string(in, &run))
		version_damaged("a table's description ends too early");
	return pnstrdup((const char *) run.at, run.end - run.at);
}

static uint64
get_varint(struct elvis_bytes *in)
{
	uint64_t value;

	if (!elvis_get_varint(in, &value))
		version_damaged("a table's description ends too early");
	return value;
}

static uint8
get_u8(struct elvis_bytes *in)
{
	uint8_t value;

	if (!elvis_get_u8(in, &value))
		version_damaged("a table's description ends too early");
	return value;
}

static void
parse_column(struct elvis_bytes *in, struct version_column *column)
{
	column->form = get_u8(in);
	column->flags = get_u8(in);
	column->name = get_string(in);
	column->type = get_string(in);
	column->type_oid = (Oid) get_varint(in);
	column->typmod = (int32) get_varint(in) - 1;
	if (OidIsValid(column->type_oid))
		value_codec_init(&column->codec, column->type_oid, column->typmod,
				 DEFAULT_COLLATION_OID, context);
}

static struct version *
parse(uint64 id, Oid relid, struct elvis_bytes in)
{
	struct version *version = palloc0(sizeof(*version));

	version->id = id;
	version->relid = relid;
	version->schema = get_string(&in);
	version->table = get_string(&in);
	version->n_columns = (int) get_varint(&in);
	if (version->n_columns > in.end - in.at)
		version_damaged("a table's description ends too early");
	version->columns =
		palloc0(sizeof(struct version_column) * Max(version->n_columns, 1));
	for (int i = 0; i < version->n_columns; i++)
		parse_column(&in, &version->columns[i]);
	version->n_key = (int) get_varint(&in);
	if (version->n_key > in.end - in.at)
		version_damaged("a table's description ends too early");
	version->key = palloc0(sizeof(int) * Max(version->n_key, 1));
	for (int i = 0; i < version->n_key; i++) {
		version->key[i] = (int) get_varint(&in);
		if (version->key[i] >= version->n_columns)
			version_damaged("a table's key is not of its columns");
	}
	return version;
}

static struct version *
load(uint64 id)
{
	MemoryContext before;
	struct version *version;
	struct elvis_bytes in;
	bytea *descriptor;
	Oid relid;

	descriptor = relation_descriptor((int64) id, &relid, CurrentMemoryContext);
	if (descriptor == NULL)
		ereport(ERROR, (errcode(ERRCODE_ELVIS_DAMAGED),
				errmsg("version " UINT64_FORMAT
				       " of a table is not in elvis.relation",
				       id)));
	in.at = (const uint8 *) VARDATA_ANY(descriptor);
	in.end = in.at + VARSIZE_ANY_EXHDR(descriptor);
	before = MemoryContextSwitchTo(context);
	version = parse(id, relid, in);
	MemoryContextSwitchTo(before);
	pfree(descriptor);
	return version;
}

struct version *
version_get(uint64 id)
{
	struct kept *found;
	struct version *version;

	prepare();
	found = hash_search(kept, &id, HASH_FIND, NULL);
	if (found != NULL)
		return found->version;
	version = load(id);
	found = hash_search(kept, &id, HASH_ENTER, NULL);
	found->version = version;
	return version;
}

/* ---- describing ---- */

static void
put_varint(StringInfo out, uint64 value)
{
	uint8 bytes[ELVIS_VARINT_MAX];

	appendBinaryStringInfo(out, (char *) bytes,
			       elvis_put_varint(bytes, value) - bytes);
}

static void
put_string(StringInfo out, const char *string)
{
	char *wire = value_to_wire(pstrdup(string));

	put_varint(out, strlen(wire));
	appendStringInfoString(out, wire);
}

static void
describe(StringInfo out, const struct version *version, bool portable)
{
	put_varint(out, version->id);
	put_string(out, version->schema);
	put_string(out, version->table);
	put_varint(out, version->n_columns);
	for (int i = 0; i < version->n_columns; i++) {
		const struct version_column *column = &version->columns[i];
		bool changes = portable && column->form == ELVIS_FORM_STORED;

		appendStringInfoChar(out, changes ? ELVIS_FORM_BINARY : column->form);
		appendStringInfoChar(out, column->flags);
		put_string(out, column->name);
		put_string(out, column->type);
		put_varint(out, column->type_oid);
		put_varint(out, (uint64) (column->typmod + 1));
	}
	put_varint(out, version->n_key);
	for (int i = 0; i < version->n_key; i++)
		put_varint(out, version->key[i]);
}

Datum
elvis_describe(PG_FUNCTION_ARGS)
{
	int64 id = PG_GETARG_INT64(0);
	bool portable = PG_GETARG_BOOL(1);
	StringInfoData out;
	bytea *result;

	if (relation_descriptor(id, NULL, CurrentMemoryContext) == NULL)
		PG_RETURN_NULL();
	initStringInfo(&out);
	appendStringInfoSpaces(&out, VARHDRSZ);
	describe(&out, version_get((uint64) id), portable);
	result = (bytea *) out.data;
	SET_VARSIZE(result, out.len);
	PG_RETURN_BYTEA_P(result);
}
