/*
 * target.c - what a session knows about the tables it applies to.
 */
#include "postgres.h"

#include "access/transam.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include <elvis/policy.h>
#include <elvis/sink.h>

#include "catalog.h"
#include "target.h"

typedef struct VersionEntry {
	uint64 version;
	Target *target;
	char status;
} VersionEntry;

/* Looked into for each change: of thousands of tables too, it is to stay near. */
#define SH_PREFIX versions
#define SH_ELEMENT_TYPE VersionEntry
#define SH_KEY_TYPE uint64
#define SH_KEY version
#define SH_HASH_KEY(table, version) murmurhash32((uint32) (version) ^ (uint32) ((version) >> 32))
#define SH_EQUAL(table, a, b) ((a) == (b))
#define SH_SCOPE static inline
#define SH_DECLARE
#define SH_DEFINE
#include "lib/simplehash.h"

static versions_hash *targets;

/* The one that was found last: changes of a table come in runs. */
static Target *found_last;

void
damaged_frame(const char *what)
{
	ereport(ERROR,
		(errcode(ERRCODE_ELVIS_DAMAGED),
		 errmsg("frame is damaged: %s", what)));
}

/* ---- learning ---- */

void
target_forget_all(void)
{
	versions_iterator at;
	VersionEntry *entry;

	found_last = NULL;
	if (targets == NULL)
		return;
	versions_start_iterate(targets, &at);
	while ((entry = versions_iterate(targets, &at)) != NULL)
		MemoryContextDelete(entry->target->context);
	versions_reset(targets);
}

Target *
target_find(uint64 version)
{
	VersionEntry *entry;

	if (found_last != NULL && found_last->version == version)
		return found_last;
	entry = targets == NULL ? NULL : versions_lookup(targets, version);
	found_last = entry == NULL ? NULL : entry->target;
	return found_last;
}

static char *
text_of(struct elvis_bytes run)
{
	return value_from_wire(run.at, run.end - run.at);
}

static int
column_named(const Target *target, const char *name)
{
	for (int i = 0; i < target->n_columns; i++)
		if (strcmp(target->columns[i].name, name) == 0)
			return i;
	return -1;
}

static void
learn_columns(Target *target, struct elvis_bytes *in)
{
	for (int i = 0; i < target->n_columns; i++) {
		TargetColumn *column = &target->columns[i];
		struct frame_column from;

		if (!frame_get_column(in, &from))
			damaged_frame("a column of a table");
		column->name = text_of(from.name);
		column->type = text_of(from.type);
		column->form = from.form;
		column->generated = (from.flags & ELVIS_COLUMN_GENERATED) != 0;
		column->type_oid = from.type_oid;
	}
}

static void
learn_key(Target *target, struct elvis_bytes *in)
{
	uint64 n;

	if (!frame_get_count(in, INDEX_MAX_KEYS, &n))
		damaged_frame("the key of a table");
	target->n_key = (int) n;
	target->key = palloc(sizeof(int) * (n + 1));
	for (int i = 0; i < target->n_key; i++) {
		uint64 column;

		if (!elvis_get_varint(in, &column) || column >= (uint64) target->n_columns)
			damaged_frame("the key of a table");
		target->key[i] = (int) column;
	}
}

static void
learn_ignored(Target *target, struct elvis_bytes *in)
{
	uint64 n;

	if (!elvis_get_u8(in, &target->detect) || target->detect > ELVIS_DETECT_ORDER ||
	    !frame_get_count(in, UINT32_MAX, &n))
		damaged_frame("the rules of a table");
	while (n-- > 0) {
		struct elvis_bytes name;
		int column;

		if (!elvis_get_string(in, &name))
			damaged_frame("the rules of a table");
		column = column_named(target, text_of(name));
		if (column >= 0)
			target->columns[column].ignored = true;
	}
}

static void
learn_rule(Target *target, const struct frame_rule *from, TargetRule *rule)
{
	rule->rule = from->rule;
	rule->verdict = from->verdict;
	rule->policy = text_of(from->policy);
	rule->column = -1;
	if (from->rule != ELVIS_ANSWER_GREATER_WINS)
		return;
	rule->column = column_named(target, text_of(from->column));
	if (rule->column < 0)
		ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_COLUMN),
			 errmsg("policy \"%s\" orders rows of table \"%s.%s\" by column \"%s\", "
				"which the source does not have",
				rule->policy, target->schema, target->name,
				text_of(from->column))));
}

/* Kinds that the daemon did not know are asked about. */
static void
learn_rules(Target *target, struct elvis_bytes *in)
{
	uint64 n;

	for (int kind = 0; kind < ELVIS_CONFLICT_KIND_END; kind++)
		target->rules[kind] = (TargetRule) { .rule = ELVIS_ANSWER_ASK, .column = -1,
						     .policy = "strict" };
	if (!frame_get_count(in, UINT32_MAX, &n))
		damaged_frame("the rules of a table");
	for (uint64 kind = 0; kind < n; kind++) {
		struct frame_rule from;

		if (!frame_get_rule(in, &from) || from.rule > ELVIS_ANSWER_GREATER_WINS ||
		    from.verdict >= ELVIS_VERDICT_END)
			damaged_frame("the rules of a table");
		if (kind < ELVIS_CONFLICT_KIND_END)
			learn_rule(target, &from, &target->rules[kind]);
	}
	if (target->detect == ELVIS_DETECT_ORDER &&
	    target->rules[ELVIS_UPDATE_DIFFERS].rule != ELVIS_ANSWER_GREATER_WINS)
		ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("table \"%s.%s\" is to be applied in order, but no policy says by which column",
				target->schema, target->name)));
}

static int
compare_names(const void *a, const void *b, void *arg)
{
	const TargetColumn *columns = arg;

	return strcmp(columns[*(const int *) a].name, columns[*(const int *) b].name);
}

static void
sort_by_name(Target *target)
{
	target->by_name = palloc(sizeof(int) * (target->n_columns + 1));
	for (int i = 0; i < target->n_columns; i++)
		target->by_name[i] = i;
	qsort_arg(target->by_name, target->n_columns, sizeof(int), compare_names,
		  target->columns);
}

static Target *
target_read(struct elvis_bytes in)
{
	Target *target = palloc0(sizeof(*target));
	struct frame_table from;

	target->context = CurrentMemoryContext;
	if (!frame_get_table(&in, &from))
		damaged_frame("a table");
	target->version = from.version;
	target->schema = text_of(from.schema);
	target->name = text_of(from.name);
	target->n_columns = (int) from.n_columns;
	target->columns = palloc0(sizeof(TargetColumn) * (from.n_columns + 1));
	learn_columns(target, &in);
	learn_key(target, &in);
	learn_ignored(target, &in);
	learn_rules(target, &in);
	if (in.at != in.end)
		damaged_frame("a table");
	sort_by_name(target);
	return target;
}

uint64
target_version_of(struct elvis_bytes payload)
{
	struct frame_table table;

	if (!frame_get_table(&payload, &table))
		damaged_frame("a table");
	return table.version;
}

Target *
target_learn(struct elvis_bytes payload)
{
	MemoryContext context, old;
	VersionEntry *entry;
	Target *target;
	bool known;

	/* read under the current context, so that damage leaves nothing behind */
	context = AllocSetContextCreate(CurrentMemoryContext, "elvis target",
					ALLOCSET_SMALL_SIZES);
	old = MemoryContextSwitchTo(context);
	target = target_read(payload);
	MemoryContextSwitchTo(old);

	found_last = NULL;
	if (targets == NULL)
		targets = versions_create(CacheMemoryContext, 64, NULL);
	entry = versions_insert(targets, target->version, &known);
	if (known)
		MemoryContextDelete(entry->target->context);
	MemoryContextSetParent(context, CacheMemoryContext);
	entry->target = target;
	return target;
}

/* ---- values ---- */

/* A type that the wire may name: one of the server's own that has values. */
static bool
is_source_type(Oid type)
{
	char kind = type < FirstGenbkiObjectId ? get_typtype(type) : '\0';

	return kind == TYPTYPE_BASE || kind == TYPTYPE_RANGE || kind == TYPTYPE_MULTIRANGE;
}

ValueCodec *
target_source_codec(Target *target, int column)
{
	TargetColumn *from = &target->columns[column];

	if (from->source == NULL) {
		ValueCodec *codec;

		if (!is_source_type(from->type_oid))
			ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" of table \"%s.%s\" has type \"%s\" at the "
					"source, which is not known here",
					from->name, target->schema, target->name, from->type)));
		codec = MemoryContextAlloc(target->context, sizeof(*codec));
		value_codec_init(codec, from->type_oid, -1, InvalidOid, target->context);
		from->source = codec;
	}
	return from->source;
}

Datum
target_decode(Target *target, TargetMap *map, int column, const struct frame_value *value)
{
	LocalColumn *local = &map->columns[column];
	uint8 form = target->columns[column].form;

	if (!local->own_form) {
		ValueCodec *source = target_source_codec(target, column);
		Datum at_source = value_decode(source, form, value->bytes, value->length);

		return value_from_text(&local->codec, value_text(source, at_source));
	}
	return value_decode(&local->codec, form, value->bytes, value->length);
}

char *
target_text(Target *target, int column, const struct frame_value *value)
{
	uint8 form = target->columns[column].form;
	ValueCodec *source;

	if (form == ELVIS_FORM_TEXT)
		return value_from_wire(value->bytes, value->length);
	source = target_source_codec(target, column);
	return value_text(source, value_decode(source, form, value->bytes, value->length));
}
