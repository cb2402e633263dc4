#include "event.h"

#include <errno.h>
#include <stdlib.h>

#include <jansson.h>

static const char *
operation_letter(uint32_t operation)
{
	switch ((enum elvis_operation) operation) {
	case ELVIS_INSERT:
		return "c";
	case ELVIS_UPDATE:
		return "u";
	case ELVIS_DELETE:
		return "d";
	case ELVIS_TRUNCATE:
		return "t";
	}
	return "?";
}

static json_t *
string_value(const struct elvis_value *value)
{
	return json_stringn(value->text, value->length);
}

static json_t *
integer_value(const struct elvis_value *value)
{
	char *end;
	long long number;

	errno = 0;
	number = strtoll(value->text, &end, 10);
	return *end == '\0' && errno == 0 ? json_integer(number) : string_value(value);
}

/* JSON has no infinity and no NaN; those stay text. */
static json_t *
real_value(const struct elvis_value *value)
{
	char *end;
	json_t *real = json_real(strtod(value->text, &end));

	if (real != NULL && *end == '\0')
		return real;
	json_decref(real);
	return string_value(value);
}

/*
 * What JSON can hold without loss is a JSON value, everything else the type's text:
 * numeric too, which has digits that readers of JSON numbers drop.
 */
static json_t *
typed_value(const struct elvis_value *value, const char *type)
{
	if (value->state == ELVIS_VALUE_NULL)
		return json_null();
	if (strcmp(type, "boolean") == 0)
		return json_boolean(value->text[0] == 't');
	if (strcmp(type, "smallint") == 0 || strcmp(type, "integer") == 0 ||
	    strcmp(type, "bigint") == 0)
		return integer_value(value);
	if (strcmp(type, "real") == 0 || strcmp(type, "double precision") == 0)
		return real_value(value);
	return string_value(value);
}

/* A column that the row has not, or whose value was not captured, is left out. */
static json_t *
row_object(const struct elvis_table *table, const struct elvis_value *row)
{
	json_t *object;

	if (row == NULL)
		return json_null();
	object = json_object();
	for (size_t i = 0; i < table->n_columns; i++) {
		const struct elvis_column *column = table->columns[i];

		if (row[i].state != ELVIS_VALUE_NULL && row[i].state != ELVIS_VALUE_TEXT)
			continue;
		if (json_object_set_new_nocheck(object, column->name,
						typed_value(&row[i], column->type)) != 0) {
			json_decref(object);
			return NULL;
		}
	}
	return object;
}

static json_t *
source_object(const struct elvis_link *link, const struct elvis_change *change)
{
	return json_pack("{s:s, s:s, s:I, s:I, s:i, s:s, s:s, s:I, s:I, s:I, s:i, s:i}",
			 "connector", "elvis",
			 "name", link->name,
			 "ts_ms", (json_int_t) (change->at / 1000),
			 "ts_us", (json_int_t) change->at,
			 "node", (int) link->source,
			 "schema", change->table->schema,
			 "table", change->table->name,
			 "txId", (json_int_t) change->xid,
			 "seq", (json_int_t) change->seq,
			 "ordinal", (json_int_t) change->ordinal,
			 "origin", (int) change->origin,
			 "via", (int) change->via);
}

/* Names of the columns that `after` lacks because their large value did not change. */
static bool
add_not_captured(json_t *event, const struct elvis_change *change)
{
	json_t *names = json_array();
	bool added = names != NULL;

	for (size_t i = 0; added && change->after != NULL && i < change->table->n_columns; i++)
		if (change->after[i].state == ELVIS_VALUE_NOT_CAPTURED)
			added = json_array_append_new(
				names, json_string(change->table->columns[i]->name)) == 0;
	if (added && json_array_size(names) > 0)
		return json_object_set_new(event, "not_captured", names) == 0;
	json_decref(names);
	return added;
}

char *
event_line(const struct elvis_link *link, const struct elvis_change *change, int64_t now_ms)
{
	json_t *event = json_pack("{s:o, s:o, s:o, s:s, s:I}",
				  "before", row_object(change->table, change->before),
				  "after", row_object(change->table, change->after),
				  "source", source_object(link, change),
				  "op", operation_letter(change->operation),
				  "ts_ms", (json_int_t) now_ms);
	char *line = NULL;

	if (event != NULL && add_not_captured(event, change))
		line = json_dumps(event, JSON_COMPACT);
	json_decref(event);
	return line;
}
