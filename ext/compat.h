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

#endif
