/*
 * The target's end of a copy: rows as COPY TO gives them, one after the other, into a table.
 *
 * They are gathered, because what is handed over at once costs the target less than row by row.
 * Where the target can (elvis.can_fill()), each piece is a statement, elvis.fill(); and the next
 * one is on its way while the target works on one.  Else they are the stream of one COPY FROM.
 */
#ifndef SETUP_INTAKE_H
#define SETUP_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/strbuf.h"
#include "pg/conn.h"

/* Where rows go and how they are written; the strings stay the caller's. */
struct intake_form {
	const char *table;	/* as SQL */
	const char *columns;	/* as SQL, in the order of the rows */
	const char *names;	/* the same as an array's literal */
	bool binary;
};

struct intake {
	struct conn *conn;
	const struct intake_form *form;
	struct strbuf gathered;
	int64_t n_gathered, n_passed;	/* rows */
	int queued;		/* pieces the target was sent and has not answered */
	bool fills;
	bool begun;		/* rows have come */
	int64_t bytes;		/* handed over */
};

/*
 * Within the transaction that the session is in.  Rows taken may be written by and by: all are
 * when intake_end() is true.  intake_free() in any case.
 */
MUST_USE bool intake_begin(struct intake *intake, struct conn *conn,
			   const struct intake_form *form, struct err *err);
MUST_USE bool intake_row(struct intake *intake, const char *row, size_t length,
			 struct err *err);
MUST_USE bool intake_end(struct intake *intake, struct err *err);
void intake_free(struct intake *intake);

#endif
