/*
 * target.c - what a session knows about the tables it applies to.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_trigger.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
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
} VersionEntry;

static HTAB *targets;

/* The one that was found last: changes of a table come in runs. */
static Target *found_last;

void
damaged_frame(const char *what)
{
	ereport(ERROR,
		(errcode(ERRCODE_ELVIS_DAMAGED),
		 errmsg("frame is damaged: %s", what)));
}

/* ---- invalidation ---- */

static void
target_outdate(Target *target, Oid relid)
{
	for (TargetMap *map = target->maps; map != NULL; map = map->next)
		if (!OidIsValid(relid) || map->relid == relid)
			map->valid = false;
}

static void
relation_changed(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS status;
	VersionEntry *entry;

	if (targets == NULL)
		return;
	hash_seq_init(&status, targets);
	while ((entry = hash_seq_search(&status)) != NULL)
		target_outdate(entry->target, relid);
}

/* Types and namespaces: names and functions that the codecs hold. */
static void
type_changed(Datum arg, int cache, uint32 hash)
{
	relation_changed(arg, InvalidOid);
}

void
target_init(void)
{
	CacheRegisterRelcacheCallback(relation_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(TYPEOID, type_changed, (Datum) 0);
}

/* ---- learning ---- */

static HTAB *
targets_table(void)
{
	if (targets == NULL) {
		HASHCTL control = { .keysize = sizeof(uint64),
				    .entrysize = sizeof(VersionEntry) };

		targets = hash_create("elvis targets", 64, &control, HASH_ELEM | HASH_BLOBS);
	}
	return targets;
}

static void
target_forget(VersionEntry *entry)
{
	Target *target = entry->target;
	uint64 version = entry->version;

	found_last = NULL;
	hash_search(targets, &version, HASH_REMOVE, NULL);
	MemoryContextDelete(target->context);
}

void
target_forget_all(void)
{
	HASH_SEQ_STATUS status;
	VersionEntry *entry;

	if (targets == NULL)
		return;
	hash_seq_init(&status, targets);
	while ((entry = hash_seq_search(&status)) != NULL)
		target_forget(entry);
}

Target *
target_find(uint64 version)
{
	VersionEntry *entry;

	if (found_last != NULL && found_last->version == version)
		return found_last;
	entry = targets == NULL ? NULL : hash_search(targets, &version, HASH_FIND, NULL);
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
	entry = hash_search(targets_table(), &target->version, HASH_ENTER, &known);
	if (known)
		MemoryContextDelete(entry->target->context);
	MemoryContextSetParent(context, CacheMemoryContext);
	entry->target = target;
	return target;
}

/* ---- the local side ---- */

static void
map_column(TargetMap *map, Relation relation, TargetColumn *column, LocalColumn *local)
{
	TupleDesc desc = RelationGetDescr(relation);

	for (int i = 0; i < desc->natts; i++) {
		Form_pg_attribute attribute = TupleDescAttr(desc, i);

		if (attribute->attisdropped ||
		    strcmp(NameStr(attribute->attname), column->name) != 0)
			continue;
		local->attnum = attribute->attnum;
		local->generated = attribute->attgenerated != '\0';
		value_codec_init(&local->codec, attribute->atttypid, attribute->atttypmod,
				 attribute->attcollation, map->context);
		local->own_form = column->form == ELVIS_FORM_TEXT || column->type_oid == 0 ||
				  column->type_oid == local->codec.base;
		return;
	}
}

static bool
lacks_columns(const Target *target, const TargetMap *map, Relation relation)
{
	TupleDesc desc = RelationGetDescr(relation);
	Bitmapset *mapped = NULL;

	for (int i = 0; i < target->n_columns; i++)
		mapped = bms_add_member(mapped, map->columns[i].attnum);
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped &&
		    TupleDescAttr(desc, i)->attgenerated == '\0' &&
		    !bms_is_member(TupleDescAttr(desc, i)->attnum, mapped))
			return true;
	return false;
}

/* The source's key column that is this local column, or -1. */
static int
key_column_at(const Target *target, const TargetMap *map, AttrNumber attnum)
{
	for (int i = 0; i < target->n_key; i++)
		if (attnum != 0 && map->columns[target->key[i]].attnum == attnum)
			return target->key[i];
	return -1;
}

/* Enforced at once and for every row, and made of plain columns. */
static bool
is_strict_unique(Relation index)
{
	return index->rd_index->indisunique && index->rd_index->indimmediate &&
	       index->rd_index->indisvalid && index->rd_index->indisready &&
	       RelationGetIndexPredicate(index) == NIL;
}

static bool
is_key_index(const Target *target, const TargetMap *map, Relation index)
{
	if (!is_strict_unique(index) || index->rd_rel->relam != BTREE_AM_OID ||
	    index->rd_index->indnkeyatts != target->n_key)
		return false;
	for (int i = 0; i < target->n_key; i++)
		if (key_column_at(target, map, index->rd_index->indkey.values[i]) < 0)
			return false;
	return true;
}

static void
map_key(const Target *target, TargetMap *map, Relation index)
{
	oidvector *classes;
	bool isnull;

	classes = (oidvector *) DatumGetPointer(
		SysCacheGetAttr(INDEXRELID, index->rd_indextuple, Anum_pg_index_indclass,
				&isnull));
	map->key_index = RelationGetRelid(index);
	map->key = palloc(sizeof(int) * target->n_key);
	map->scan_key = palloc(sizeof(ScanKeyData) * target->n_key);
	for (int i = 0; i < target->n_key; i++) {
		Oid family = get_opclass_family(classes->values[i]);
		Oid type = get_opclass_input_type(classes->values[i]);
		Oid equals = get_opfamily_member(family, type, type, BTEqualStrategyNumber);

		map->key[i] = key_column_at(target, map, index->rd_index->indkey.values[i]);
		ScanKeyInit(&map->scan_key[i], i + 1, BTEqualStrategyNumber,
			    get_opcode(equals), (Datum) 0);
		map->scan_key[i].sk_collation = index->rd_indcollation[i];
	}
}

static void
map_indexes(const Target *target, TargetMap *map, Relation relation)
{
	List *indexes = RelationGetIndexList(relation);
	ListCell *cell;

	foreach(cell, indexes) {
		Relation index = index_open(lfirst_oid(cell), AccessShareLock);

		if (!index->rd_index->indimmediate)
			map->deferrable = true;
		if (RelationGetIndexExpressions(index) != NIL ||
		    RelationGetIndexPredicate(index) != NIL)
			map->has_code = true;
		if (index->rd_index->indisunique && index->rd_index->indimmediate &&
		    index->rd_index->indisready)
			map->unique = lappend_oid(map->unique, lfirst_oid(cell));
		if (target->n_key > 0 && is_key_index(target, map, index) &&
		    (!OidIsValid(map->key_index) || index->rd_index->indisprimary))
			map_key(target, map, index);
		index_close(index, NoLock);
	}
	list_free(indexes);
}

static bool
is_capture(Oid function)
{
	char *name;

	if (get_func_namespace(function) != catalog_schema())
		return false;
	name = get_func_name(function);
	return name != NULL && strcmp(name, "capture") == 0;
}

static void
map_triggers(TargetMap *map, Relation relation)
{
	TriggerDesc *triggers = relation->trigdesc;

	for (int i = 0; triggers != NULL && i < triggers->numtriggers; i++) {
		Trigger *trigger = &triggers->triggers[i];

		if (!TRIGGER_FOR_ROW(trigger->tgtype) ||
		    (trigger->tgenabled != TRIGGER_FIRES_ALWAYS &&
		     trigger->tgenabled != TRIGGER_FIRES_ON_REPLICA))
			continue;
		if (is_capture(trigger->tgfoid))
			map->relay = true;
		else
			map->fires_triggers = true;
	}
}

/* Functions in what the table demands of a row, or behind the input of a type or domain. */
static bool
has_code(Relation relation)
{
	TupleDesc desc = RelationGetDescr(relation);

	if (desc->constr != NULL &&
	    (desc->constr->num_check > 0 || desc->constr->num_defval > 0))
		return true;
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped &&
		    TupleDescAttr(desc, i)->atttypid >= FirstNormalObjectId)
			return true;
	return relation->rd_rel->relispartition ||
	       relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
}

static void
map_make(Target *target, TargetMap *map, Relation relation)
{
	map->relid = RelationGetRelid(relation);
	map->owner = relation->rd_rel->relowner;
	map->partitioned = relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	map->columns = palloc0(sizeof(LocalColumn) * (target->n_columns + 1));
	for (int i = 0; i < target->n_columns; i++) {
		map_column(map, relation, &target->columns[i], &map->columns[i]);
		map->misses_columns |= map->columns[i].attnum == 0 &&
				       !target->columns[i].generated;
	}
	map->lacks_columns = lacks_columns(target, map, relation);
	map->has_generated = relation->rd_att->constr != NULL &&
			     relation->rd_att->constr->has_generated_stored;
	map_indexes(target, map, relation);
	map_triggers(map, relation);
	map->has_code |= map->fires_triggers || has_code(relation);
	map->valid = true;
}

TargetMap *
target_map(Target *target, Relation relation)
{
	MemoryContext old;
	TargetMap *map, **place = &target->maps;

	while ((map = *place) != NULL && map->relid != RelationGetRelid(relation))
		place = &map->next;
	if (map != NULL && map->valid)
		return map;
	if (map != NULL) {
		*place = map->next;
		MemoryContextDelete(map->context);
	}
	old = MemoryContextSwitchTo(AllocSetContextCreate(target->context, "elvis target map",
							  ALLOCSET_SMALL_SIZES));
	map = palloc0(sizeof(*map));
	map->context = CurrentMemoryContext;
	map_make(target, map, relation);
	MemoryContextSwitchTo(old);
	map->next = target->maps;
	target->maps = map;
	return map;
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
