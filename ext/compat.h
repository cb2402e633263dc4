/*
 * compat.h - where the server's majors differ.  The only file that says PG_VERSION_NUM.
 */
#ifndef ELVIS_EXT_COMPAT_H
#define ELVIS_EXT_COMPAT_H

#if PG_VERSION_NUM < 140000
#error "elvis needs PostgreSQL 14 or newer"
#endif

/* What is inside a varlena is no longer part of postgres.h. */
#if PG_VERSION_NUM >= 160000
#include "varatt.h"
#endif

/* Permissions of a range table's entries are a list of their own. */
#if PG_VERSION_NUM >= 160000
#include "parser/parse_relation.h"
#endif

/* Settings of ours that nobody defines are told as mistakes. */
#if PG_VERSION_NUM >= 150000
#define compat_reserve_prefix(name) MarkGUCPrefixReserved(name)
#else
#define compat_reserve_prefix(name) EmitWarningsOnPlaceholders(name)
#endif

/* Shared memory without preloading: a registry of segments from 17 on. */
#define COMPAT_HAS_NAMED_DSM (PG_VERSION_NUM >= 170000)

/* Scans of an index tell how many lookups they made from 18 on, if somebody asks. */
#if PG_VERSION_NUM >= 180000
#define compat_index_beginscan(heap, index, snapshot, n_keys) \
	index_beginscan(heap, index, snapshot, NULL, n_keys, 0)
#else
#define compat_index_beginscan(heap, index, snapshot, n_keys) \
	index_beginscan(heap, index, snapshot, n_keys, 0)
#endif

#if PG_VERSION_NUM >= 160000
#define compat_owns_table(relid, user) object_ownercheck(RelationRelationId, relid, user)
#else
#define compat_owns_table(relid, user) pg_class_ownercheck(relid, user)
#endif

/* How a backend is found whose latch is to be set. */
#if PG_VERSION_NUM >= 170000
#define compat_my_procno() (MyProcNumber)
#else
#define compat_my_procno() (MyProc->pgprocno)
#endif

/* The file in which a relation is stored. */
#if PG_VERSION_NUM >= 160000
#define compat_file RelFileLocator
#define compat_file_of(relation) ((relation)->rd_locator)
#else
#define compat_file RelFileNode
#define compat_file_of(relation) ((relation)->rd_node)
#endif

/* Columns that are computed when they are read, from 18 on. */
#if PG_VERSION_NUM >= 180000
#define compat_has_virtual(constraints) ((constraints)->has_generated_virtual)
#else
#define compat_has_virtual(constraints) (false)
#endif

/* Some kinds of indexes keep things open from one entry to the next, from 17 on. */
#if PG_VERSION_NUM >= 170000
#define compat_index_insert_cleanup(index, info) index_insert_cleanup(index, info)
#else
#define compat_index_insert_cleanup(index, info) ((void) 0)
#endif

/* Everything before this place of the WAL is on disk. */
#if PG_VERSION_NUM >= 150000
#define compat_flushed() GetFlushRecPtr(NULL)
#else
#define compat_flushed() GetFlushRecPtr()
#endif

/* An update tells which indexes need an entry: yes or no; which of them, from 16 on. */
#if PG_VERSION_NUM >= 160000
#define compat_update_indexes TU_UpdateIndexes
#define compat_update_all_indexes TU_All
#define compat_needs_indexes(how) ((how) != TU_None)
#define compat_insert_index_tuples(result, slot, estate, update, how) \
	ExecInsertIndexTuples(result, slot, estate, update, false, NULL, NIL, \
			      (how) == TU_Summarizing)
#else
#define compat_update_indexes bool
#define compat_update_all_indexes true
#define compat_needs_indexes(how) (how)
#define compat_insert_index_tuples(result, slot, estate, update, how) \
	ExecInsertIndexTuples(result, slot, estate, update, false, NULL, NIL)
#endif

/* What a page of a btree says of itself, which has a name of its own from 15 on. */
#if PG_VERSION_NUM >= 150000
#define compat_btree_opaque(page) BTPageGetOpaque(page)
#else
#define compat_btree_opaque(page) ((BTPageOpaque) PageGetSpecialPointer(page))
#endif

/* A btree's last leaf, locked. */
#if PG_VERSION_NUM >= 170000
#define compat_last_leaf(index) _bt_get_endpoint(index, 0, true)
#else
#define compat_last_leaf(index) _bt_get_endpoint(index, 0, true, NULL)
#endif

/* The leaf of a btree where a key goes, locked for writing. */
#if PG_VERSION_NUM >= 170000
#define compat_btree_search(table, index, key, leaf) _bt_search(index, table, key, leaf, BT_WRITE)
#elif PG_VERSION_NUM >= 160000
#define compat_btree_search(table, index, key, leaf) \
	_bt_search(index, table, key, leaf, BT_WRITE, NULL)
#else
#define compat_btree_search(table, index, key, leaf) _bt_search(index, key, leaf, BT_WRITE, NULL)
#endif

/* An executor state for one table: where its range table goes, and its updated columns. */
#if PG_VERSION_NUM >= 180000
#define compat_init_range_table(estate, entry) \
	do { \
		List *compat_infos = NIL; \
		addRTEPermissionInfo(&compat_infos, entry); \
		ExecInitRangeTable(estate, list_make1(entry), compat_infos, \
				   bms_make_singleton(1)); \
	} while (0)
#elif PG_VERSION_NUM >= 160000
#define compat_init_range_table(estate, entry) \
	do { \
		List *compat_infos = NIL; \
		addRTEPermissionInfo(&compat_infos, entry); \
		ExecInitRangeTable(estate, list_make1(entry), compat_infos); \
	} while (0)
#else
#define compat_init_range_table(estate, entry) ExecInitRangeTable(estate, list_make1(entry))
#endif

#if PG_VERSION_NUM >= 160000
#define compat_set_updated_columns(estate, columns) \
	(linitial_node(RTEPermissionInfo, (estate)->es_rteperminfos)->updatedCols = (columns))
#else
#define compat_set_updated_columns(estate, columns) \
	(linitial_node(RangeTblEntry, (estate)->es_range_table)->updatedCols = (columns))
#endif

/* Row triggers around an update and a delete whose row is locked already. */
#if PG_VERSION_NUM >= 160000
#define compat_init_recheck(epq, estate) EvalPlanQualInit(epq, estate, NULL, NIL, -1, NIL)
#else
#define compat_init_recheck(epq, estate) EvalPlanQualInit(epq, estate, NULL, NIL, -1)
#endif

#if PG_VERSION_NUM >= 180000
#define compat_before_update_triggers(estate, epq, result, tid, slot) \
	ExecBRUpdateTriggers(estate, epq, result, tid, NULL, slot, NULL, NULL, false)
#define compat_before_delete_triggers(estate, epq, result, tid) \
	ExecBRDeleteTriggers(estate, epq, result, tid, NULL, NULL, NULL, NULL, false)
#elif PG_VERSION_NUM >= 160000
#define compat_before_update_triggers(estate, epq, result, tid, slot) \
	ExecBRUpdateTriggers(estate, epq, result, tid, NULL, slot, NULL, NULL)
#define compat_before_delete_triggers(estate, epq, result, tid) \
	ExecBRDeleteTriggers(estate, epq, result, tid, NULL, NULL, NULL, NULL)
#elif PG_VERSION_NUM >= 150000
#define compat_before_update_triggers(estate, epq, result, tid, slot) \
	ExecBRUpdateTriggers(estate, epq, result, tid, NULL, slot, NULL)
#define compat_before_delete_triggers(estate, epq, result, tid) \
	ExecBRDeleteTriggers(estate, epq, result, tid, NULL, NULL)
#else
#define compat_before_update_triggers(estate, epq, result, tid, slot) \
	ExecBRUpdateTriggers(estate, epq, result, tid, NULL, slot)
#define compat_before_delete_triggers(estate, epq, result, tid) \
	ExecBRDeleteTriggers(estate, epq, result, tid, NULL, NULL)
#endif

#if PG_VERSION_NUM >= 150000
#define compat_after_update_triggers(estate, result, tid, slot) \
	ExecARUpdateTriggers(estate, result, NULL, NULL, tid, NULL, slot, NIL, NULL, false)
#define compat_after_delete_triggers(estate, result, tid) \
	ExecARDeleteTriggers(estate, result, tid, NULL, NULL, false)
#else
#define compat_after_update_triggers(estate, result, tid, slot) \
	ExecARUpdateTriggers(estate, result, tid, NULL, slot, NIL, NULL)
#define compat_after_delete_triggers(estate, result, tid) \
	ExecARDeleteTriggers(estate, result, tid, NULL, NULL)
#endif

/* TRUNCATE by us is not in the name of the tables' owners unless we made it so. */
#if PG_VERSION_NUM >= 160000
#define compat_truncate(relations, relids, logged, restart) \
	ExecuteTruncateGuts(relations, relids, logged, DROP_RESTRICT, restart, false)
#else
#define compat_truncate(relations, relids, logged, restart) \
	ExecuteTruncateGuts(relations, relids, logged, DROP_RESTRICT, restart)
#endif

/* Looks for a row that meets the slot's on one of the indexes. */
#if PG_VERSION_NUM >= 180000
#define compat_check_index(result, slot, estate, tid, indexes) \
	ExecCheckIndexConstraints(result, slot, estate, tid, &(slot)->tts_tid, indexes)
#else
#define compat_check_index(result, slot, estate, tid, indexes) \
	ExecCheckIndexConstraints(result, slot, estate, tid, indexes)
#endif

#endif
