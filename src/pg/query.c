/*
 * query.c - binary parameters and results.
 */
#include "pg/query.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/* Object numbers of built-in types: the same in every database since they were given out. */
#define OID_BOOL 16
#define OID_BYTEA 17
#define OID_INT8 20
#define OID_INT4 23
#define OID_TEXT 25
#define OID_UUID 2950

/* From 1970-01-01, where the world counts, to 2000-01-01, where PostgreSQL does */
#define EPOCH_US (INT64_C(946684800) * 1000000)

static int
params_add(struct params *params, Oid type, const void *value, size_t length, int format)
{
	int i = params->count++;

	assert(i < PARAMS_MAX);
	params->types[i] = type;
	params->values[i] = value;
	params->lengths[i] = (int) length;
	params->formats[i] = format;
	return i;
}

/* A number lives in the structure itself, which therefore must stay where it is. */
static void
params_add_number(struct params *params, Oid type, const void *value, size_t length)
{
	int i = params_add(params, type, NULL, length, 1);

	memcpy(params->room[i], value, length);
	params->values[i] = params->room[i];
}

void
params_bool(struct params *params, bool value)
{
	uint8_t byte = value;

	params_add_number(params, OID_BOOL, &byte, sizeof(byte));
}

void
params_i32(struct params *params, int32_t value)
{
	uint32_t wire = htobe32((uint32_t) value);

	params_add_number(params, OID_INT4, &wire, sizeof(wire));
}

void
params_i64(struct params *params, int64_t value)
{
	uint64_t wire = htobe64((uint64_t) value);

	params_add_number(params, OID_INT8, &wire, sizeof(wire));
}

void
params_text(struct params *params, const char *value)
{
	params_add(params, OID_TEXT, value, value != NULL ? strlen(value) : 0, 0);
}

void
params_uuid(struct params *params, const char *value)
{
	params_add(params, OID_UUID, value, strlen(value), 0);
}

void
params_bytes(struct params *params, const void *value, size_t length)
{
	/* an empty value is not a null: any address but NULL will do */
	params_add(params, OID_BYTEA, length > 0 ? value : "", length, 1);
}

void
params_literal(struct params *params, const char *value)
{
	params_add(params, 0, value, value != NULL ? strlen(value) : 0, 0);
}

bool
result_null(const PGresult *result, int row, int column)
{
	return PQgetisnull(result, row, column);
}

/* The value's bytes if it has exactly `length`, which a null or another type has not */
static const void *
result_fixed(const PGresult *result, int row, int column, int length)
{
	return PQgetlength(result, row, column) == length ? PQgetvalue(result, row, column) : NULL;
}

bool
result_bool(const PGresult *result, int row, int column)
{
	const char *byte = result_fixed(result, row, column, 1);

	return byte != NULL && *byte != 0;
}

char
result_char(const PGresult *result, int row, int column)
{
	const char *byte = result_fixed(result, row, column, 1);

	return byte != NULL ? *byte : '\0';
}

int32_t
result_i32(const PGresult *result, int row, int column)
{
	const void *bytes = result_fixed(result, row, column, 4);
	uint32_t wire = 0;

	if (bytes != NULL)
		memcpy(&wire, bytes, sizeof(wire));
	return (int32_t) be32toh(wire);
}

int64_t
result_i64(const PGresult *result, int row, int column)
{
	const void *bytes = result_fixed(result, row, column, 8);
	uint64_t wire = 0;

	if (bytes != NULL)
		memcpy(&wire, bytes, sizeof(wire));
	return (int64_t) be64toh(wire);
}

const char *
result_text(const PGresult *result, int row, int column)
{
	return PQgetvalue(result, row, column);
}

const void *
result_bytes(const PGresult *result, int row, int column, size_t *length)
{
	*length = (size_t) PQgetlength(result, row, column);
	return PQgetvalue(result, row, column);
}

int64_t
result_time(const PGresult *result, int row, int column)
{
	if (result_null(result, row, column))
		return 0;
	return result_i64(result, row, column) + EPOCH_US;
}

void
result_clear_at(PGresult **result)
{
	PQclear(*result);
	*result = NULL;
}
