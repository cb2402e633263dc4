/*
 * Parameters into a statement, values out of its result, in PostgreSQL's binary form.
 *
 *	struct params params = PARAMS_NONE;
 *
 *	params_text(&params, name);
 *	params_i64(&params, id);
 *	if (!conn_run(conn, "SELECT ... $1 ... $2", &params, &result, err))
 *
 * Text and bytes are not copied: they must live until conn_run() or conn_send() returns.
 * A struct params is not to be copied either.
 */
#ifndef PG_QUERY_H
#define PG_QUERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libpq-fe.h>

#include "base/attr.h"

#define PARAMS_MAX 16

struct params {
	int count;
	Oid types[PARAMS_MAX];
	const char *values[PARAMS_MAX];
	int lengths[PARAMS_MAX];
	int formats[PARAMS_MAX];
	char room[PARAMS_MAX][8];	/* numbers in network order */
};

#define PARAMS_NONE { .count = 0 }

void params_bool(struct params *params, bool value);
void params_i32(struct params *params, int32_t value);
void params_i64(struct params *params, int64_t value);
void params_text(struct params *params, const char *value); /* NULL: null */
void params_uuid(struct params *params, const char *value); /* as text, 36 characters */
void params_bytes(struct params *params, const void *value, size_t length);

/* A value of any type in its text form, its type left to the statement: "$1::text[]" */
void params_literal(struct params *params, const char *value); /* NULL: null */

/*
 * Values of a result in binary form.  The column must be of the type asked for, which the
 * statement sees to; a null is 0, false, "" or empty.  Pointers live as long as the result.
 */
bool result_null(const PGresult *result, int row, int column);
bool result_bool(const PGresult *result, int row, int column);
char result_char(const PGresult *result, int row, int column); /* "char" */
int32_t result_i32(const PGresult *result, int row, int column); /* int4, oid */
int64_t result_i64(const PGresult *result, int row, int column); /* int8, xid8 */
const char *result_text(const PGresult *result, int row, int column); /* text, name */
const void *result_bytes(const PGresult *result, int row, int column, size_t *length);

/* timestamptz, as microseconds since 1970-01-01 UTC */
int64_t result_time(const PGresult *result, int row, int column);

void result_clear_at(PGresult **result);

#define AUTO_RESULT CLEANUP(result_clear_at)

#endif
