/*
 * map.c - how a source's table lies on the one of this database.
 */
#include "postgres.h"

#include "access/amapi.h"
#include "access/genam.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"

#include "catalog.h"
#include "compat.h"
#include "inval.h"
#include "target.h"

/* ---- invalidation ---- */

/*
 * Changes are counted: of each table, of all at once, of types that are not the server's own.  A
 * map holds good as long as it has seen them all.  To tell of one costs no look at the maps, of
 * which there may be ten thousand.
 */
static HTAB *tables;
static uint64 changes_of_all, changes_of_types;

static void
relation_changed(Datum arg, Oid relid)
{
	LocalTable *table;

	if (!OidIsValid(relid)) {
		changes_of_all++;
		return;
	}
	table = tables == NULL ? NULL : hash_search(tables, &relid, HASH_FIND, NULL);
	if (table != NULL)
		table->changes++;
}

/* Names of schemas, and whom they and their tables are open to: tables are not told. */
static void
name_or_right_changed(Datum arg, int cache, uint32 hash)
{
	changes_of_all++;
}

/* Functions that the codecs hold. */
static void
type_changed(Datum arg, int cache, uint32 hash)
{
	changes_of_types++;
}

void
map_init(void)
{
	inval_relation(relation_changed);
	CacheRegisterSyscacheCallback(TYPEOID, type_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, name_or_right_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHOID, name_or_right_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(AUTHMEMROLEMEM, name_or_right_changed, (Datum) 0);
	CacheRegisterSyscacheCallback(DATABASEOID, name_or_right_changed, (Datum) 0);
}

static LocalTable *
local_table(Oid relid)
{
	LocalTable *table;
	bool known;

	if (tables == NULL) {
		HASHCTL control = { .keysize = sizeof(Oid),
				    .entrysize = sizeof(LocalTable) };

		tables = hash_create("elvis target tables", 64, &control,
				     HASH_ELEM | HASH_BLOBS);
	}
	table = hash_search(tables, &relid, HASH_ENTER, &known);
	if (!known) {
		table->changes = 0;
		table->open = NULL;
	}
	return table;
}

static uint64
changes_of(const TargetMap *map)
{
	return map->local->changes + changes_of_all + (map->has_types ? changes_of_types : 0);
}

/* ---- columns ---- */

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

/* ---- key and indexes ---- */

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

/* Of expressions, or of operators that somebody has made. */
static bool
index_has_code(Relation index)
{
	if (RelationGetIndexExpressions(index) != NIL || RelationGetIndexPredicate(index) != NIL)
		return true;
	if (index->rd_indam->amsupport == 0)
		return true;
	for (int i = 0; i < IndexRelationGetNumberOfKeyAttributes(index); i++)
		if (index_getprocid(index, i + 1, 1) >= FirstNormalObjectId)
			return true;
	return false;
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
		map->has_code |= index_has_code(index);
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

/* ---- what else is to be minded ---- */

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

static bool
has_types(TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
		if (!TupleDescAttr(desc, i)->attisdropped &&
		    TupleDescAttr(desc, i)->atttypid >= FirstNormalObjectId)
			return true;
	return false;
}

/* Functions in what the table demands of a row.  Defaults are asked for columns that the source
 * has not. */
static bool
constraints_have_code(const TargetMap *map, const TupleConstr *constraints)
{
	return constraints != NULL &&
	       (constraints->num_check > 0 || constraints->has_generated_stored ||
		compat_has_virtual(constraints) ||
		(constraints->num_defval > 0 && map->lacks_columns));
}

/* Or behind the input of a type or domain. */
static bool
has_code(const TargetMap *map, Relation relation)
{
	TupleDesc desc = RelationGetDescr(relation);

	if (constraints_have_code(map, desc->constr))
		return true;
	return has_types(desc) || relation->rd_rel->relispartition ||
	       relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
}

static void
map_constraints(TargetMap *map, TupleDesc desc)
{
	if (desc->constr == NULL)
		return;
	map->has_generated = desc->constr->has_generated_stored;
	map->has_checks = desc->constr->num_check > 0 || compat_has_virtual(desc->constr);
	map->not_null = palloc(sizeof(AttrNumber) * desc->natts);
	for (int i = 0; i < desc->natts; i++)
		if (TupleDescAttr(desc, i)->attnotnull)
			map->not_null[map->n_not_null++] = (AttrNumber) (i + 1);
}

static void
map_make(Target *target, TargetMap *map, Relation relation)
{
	map->shape = CreateTupleDescCopyConstr(RelationGetDescr(relation));
	map->owner = relation->rd_rel->relowner;
	map->partitioned = relation->rd_rel->relkind == RELKIND_PARTITIONED_TABLE;
	map->columns = palloc0(sizeof(LocalColumn) * (target->n_columns + 1));
	for (int i = 0; i < target->n_columns; i++) {
		map_column(map, relation, &target->columns[i], &map->columns[i]);
		map->misses_columns |= map->columns[i].attnum == 0 &&
				       !target->columns[i].generated;
	}
	map->lacks_columns = lacks_columns(target, map, relation);
	map_constraints(map, RelationGetDescr(relation));
	map_indexes(target, map, relation);
	map_triggers(map, relation);
	map->has_code |= map->fires_triggers || has_code(map, relation);
}

/* Changes that come while it is made have not been seen. */
static TargetMap *
map_new(Target *target, Relation relation)
{
	MemoryContext old = MemoryContextSwitchTo(
		AllocSetContextCreate(target->context, "elvis target map", ALLOCSET_SMALL_SIZES));
	TargetMap *map = palloc0(sizeof(*map));

	map->context = CurrentMemoryContext;
	map->relid = RelationGetRelid(relation);
	map->local = local_table(map->relid);
	map->has_types = has_types(RelationGetDescr(relation));
	map->seen = changes_of(map);
	map_make(target, map, relation);
	MemoryContextSwitchTo(old);
	return map;
}

TargetMap *
target_known_map(const Target *target, Oid relid)
{
	TargetMap *map = target->maps;

	while (map != NULL && map->relid != relid)
		map = map->next;
	return map != NULL && map->seen == changes_of(map) ? map : NULL;
}

static void
forget_map(Target *target, Oid relid)
{
	for (TargetMap *map, **place = &target->maps; (map = *place) != NULL;) {
		if (map->relid == relid) {
			*place = map->next;
			MemoryContextDelete(map->context);
		} else {
			place = &map->next;
		}
	}
}

TargetMap *
target_map(Target *target, Relation relation)
{
	TargetMap *map = target_known_map(target, RelationGetRelid(relation));

	if (map != NULL)
		return map;
	forget_map(target, RelationGetRelid(relation));
	map = map_new(target, relation);
	map->next = target->maps;
	target->maps = map;
	return map;
}
