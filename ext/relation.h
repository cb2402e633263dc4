/*
 * relation.h - what capture knows about a table, and the numbered versions of its shape.
 *
 * Changes in the log refer to a row of elvis.relation, so that a log written before an
 * ALTER TABLE can be read after it.  Capture is the authority on them: whenever the
 * server says that something about the table may have changed, its descriptor is built
 * anew and compared.
 */
#ifndef ELVIS_EXT_RELATION_H
#define ELVIS_EXT_RELATION_H

#include "access/xact.h"
#include "lib/stringinfo.h"
#include "utils/rel.h"

#include "value.h"

struct captured_column {
	int number;		/* in the row, from 0 */
	int16 length;
	bool by_value;
	bool in_key;
	bool generated;		/* computed by the table */
	bool carried;		/* values are captured: not generated, or part of the key */
	ValueCodec codec;
};

/* One column of a row as it is stored, dropped ones included. */
struct stored_column {
	int16 length;		/* -1: variable */
	uint8 align_mask;
	int column;		/* of `columns`; one more than there are when it is dropped */
	uint32 offset;		/* among the first, where nothing before it can vary */
};

/* Where a row's values are: for each of `columns` where it is stored, NULL for a null. */
struct image {
	const char **at;
	Datum *copies;		/* of those that are not stored anywhere */
};

/* One table, as capture sees it.  Lives for the session; contents until it is stale. */
struct captured {
	Oid relid;
	bool stale;		/* to be built anew before it is used again */
	bool has_types;		/* that are not the server's own */
	bool has_key;		/* without one only INSERT and TRUNCATE are captured */
	Oid root;		/* the attached table: itself, or the root of its partitions */
	int64 version;		/* 0: not known */
	SubTransactionId version_owner;	/* who wrote that version's row and has not committed */
	uint32 capture_unchanged;	/* larger out-of-line values that are not new are left out */
	int pins;		/* enum value_pins of all columns */
	int n_columns;
	struct captured_column *columns;
	int n_stored;
	struct stored_column *stored;
	int n_steady;		/* of the first, without nulls, the offset is known */
	uint32 steady_length;
	struct image old_image, new_image;	/* of the row that is captured just now */
	int n_key;
	int *key;		/* numbers of columns, from 0 */
	uint8 head[10];		/* the version as a varint */
	int head_length;
	StringInfoData descriptor;	/* TABLE record without version and rules */
	MemoryContext context;	/* of all of the above */
	struct captured *family;	/* the root's: what all its partitions have in common */
	uint64 transaction;	/* of this session, that captured something of the family last */
	CommandId highest;	/* its newest command of which something was captured */
};

void relation_init(void);

/* Is it attached as master or relay, or a partition of such a table? */
bool relation_is_captured(Relation relation);

/*
 * The facts of an attached table or a partition of one; an error for any other.  Valid
 * until the table is next asked for.
 */
struct captured *relation_captured(Relation relation);

/* Number of the newest version of a table that may be gone; 0 when there is none. */
int64 relation_newest_version(Oid relid);

/*
 * The descriptor of a version, in `context`: NULL when there is no such version.  Its
 * table's number goes to *relid when that is asked for.
 */
bytea *relation_descriptor(int64 version, Oid *relid, MemoryContext context);

/* Called when subtransactions end, for versions that they wrote. */
void relation_subxact_end(SubTransactionId self, SubTransactionId parent, bool committed);
void relation_xact_end(bool committed);

#endif
