/*
 * table.c - what elvis.attach() asks before it puts triggers on a table.
 */
#include "postgres.h"

#include "access/relation.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/catalog.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_inherits.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "catalog.h"
#include "compat.h"
#include "key.h"
#include "node.h"
#include "relation.h"

PG_FUNCTION_INFO_V1(elvis_version);
PG_FUNCTION_INFO_V1(elvis_tables_changed);
PG_FUNCTION_INFO_V1(elvis_check_attachable);

Datum
elvis_version(PG_FUNCTION_ARGS)
{
	Relation relation;
	int64 version;

	relation = table_open(PG_GETARG_OID(0), AccessShareLock);
	if (!relation_is_captured(relation)) {
		table_close(relation, AccessShareLock);
		PG_RETURN_NULL();
	}
	version = relation_captured(relation)->version;
	table_close(relation, AccessShareLock);
	PG_RETURN_INT64(version);
}

Datum
elvis_tables_changed(PG_FUNCTION_ARGS)
{
	Oid relid = PG_GETARG_OID(0);
	ListCell *cell;

	foreach(cell, find_all_inheritors(relid, AccessShareLock, NULL))
		CacheInvalidateRelcacheByRelid(lfirst_oid(cell));
	CommandCounterIncrement();
	PG_RETURN_VOID();
}

/* ---- may this be done, and by this user? ---- */

static _Noreturn void
refuse(Relation table, const char *why, const char *hint)
{
	ereport(ERROR, (errcode(ERRCODE_WRONG_OBJECT_TYPE),
			errmsg("table \"%s\" cannot be attached: %s",
			       RelationGetRelationName(table), why),
			hint != NULL ? errhint("%s", hint) : 0));
}

/* Who called the function that runs with its owner's rights. */
static void
check_rights(Relation table)
{
	Oid user = GetOuterUserId();
	Oid admin = get_role_oid("elvis_admin", true);

	if (compat_owns_table(RelationGetRelid(table), user) ||
	    (OidIsValid(admin) && has_privs_of_role(user, admin)))
		return;
	aclcheck_error(ACLCHECK_NOT_OWNER, OBJECT_TABLE, RelationGetRelationName(table));
}

static void
check_kind(Relation table)
{
	Oid schema = RelationGetNamespace(table);

	switch (table->rd_rel->relkind) {
	case RELKIND_RELATION:
	case RELKIND_PARTITIONED_TABLE:
		break;
	case RELKIND_FOREIGN_TABLE:
		refuse(table, "it is a foreign table", "Attach it where it is stored.");
	default:
		refuse(table, "it is not a table", NULL);
	}
	if (IsCatalogRelation(table) ||
	    schema == get_namespace_oid("information_schema", true))
		refuse(table, "it is a system table", NULL);
	if (schema == catalog_schema())
		refuse(table, "it belongs to elvis", NULL);
	if (table->rd_rel->relpersistence == RELPERSISTENCE_TEMP)
		refuse(table, "it is temporary", NULL);
	if (table->rd_rel->relpersistence == RELPERSISTENCE_UNLOGGED)
		refuse(table, "it is unlogged",
		       "It is empty after a crash and its replicas are not; "
		       "see ALTER TABLE ... SET LOGGED.");
	if (table->rd_rel->relispartition)
		refuse(table, "it is a partition",
		       "Attach the partitioned table; its partitions come with it.");
}

static void
tell_inheritance(Relation table)
{
	if (table->rd_rel->relkind == RELKIND_RELATION &&
	    has_subclass(RelationGetRelid(table)))
		ereport(NOTICE, (errmsg("only the rows of table \"%s\" itself are "
					"replicated, not those of "
					"tables that inherit from it",
					RelationGetRelationName(table)),
				 errhint("Attach those tables as well.")));
}

static void
check_key(Relation table, const char *key)
{
	AttrNumber numbers[INDEX_MAX_KEYS];
	const char *why;

	if (key_columns(table, key, RelationGetRelid(table), numbers, &why) > 0)
		return;
	if (key != NULL)
		ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("\"%s\" cannot be the key of table \"%s\": %s", key,
				RelationGetRelationName(table), why)));
	if (why != NULL)
		ereport(ERROR,
			(errcode(ERRCODE_WRONG_OBJECT_TYPE),
			 errmsg("the primary key of table \"%s\" cannot be its key: %s",
				RelationGetRelationName(table), why),
			 errhint("Name another unique index on NOT NULL columns: "
				 "elvis.attach(table, role, key => 'index').")));
	ereport(NOTICE,
		(errmsg("table \"%s\" has no primary key: only INSERT and TRUNCATE will "
			"be possible",
			RelationGetRelationName(table)),
		 errhint("A unique index on NOT NULL columns can be named as its key: "
			 "elvis.attach(table, role, key => 'index').")));
}

Datum
elvis_check_attachable(PG_FUNCTION_ARGS)
{
	Relation table = relation_open(PG_GETARG_OID(0), AccessShareLock);
	char *role = text_to_cstring(PG_GETARG_TEXT_PP(1));

	check_rights(table);
	if (strcmp(role, "none") != 0) {
		node_genuine();
		if (strcmp(role, "master") != 0 && strcmp(role, "replica") != 0 &&
		    strcmp(role, "relay") != 0)
			ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					errmsg("a table's role is \"master\", "
					       "\"replica\" or \"relay\", "
					       "not \"%s\"",
					       role)));
		check_kind(table);
		check_key(table, PG_ARGISNULL(2) ? NULL : NameStr(*PG_GETARG_NAME(2)));
		tell_inheritance(table);
	}
	relation_close(table, AccessShareLock);
	PG_RETURN_VOID();
}
