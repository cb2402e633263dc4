#include "event.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

static bool
make_room(struct event *event, size_t length)
{
	size_t room = event->room > 0 ? event->room : 4096;
	char *text;

	if (event->room - event->length >= length)
		return true;
	while (room - event->length < length)
		room *= 2;
	text = realloc(event->text, room);
	if (text == NULL) {
		event->failed = true;
		return false;
	}
	event->text = text;
	event->room = room;
	return true;
}

static void
put(struct event *event, const char *bytes, size_t length)
{
	if (event->failed || !make_room(event, length))
		return;
	memcpy(event->text + event->length, bytes, length);
	event->length += length;
}

static void
put_text(struct event *event, const char *text)
{
	put(event, text, strlen(text));
}

static void
put_number(struct event *event, const char *name, int64_t number)
{
	char text[64];

	snprintf(text, sizeof(text), "\"%s\":%" PRId64, name, number);
	put_text(event, text);
}

/* What is between the quotes as it is: no control character, no quote, no backslash. */
static bool
is_plain(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if ((unsigned char) text[i] < 0x20 || text[i] == '"' || text[i] == '\\')
			return false;
	return true;
}

static void
put_escaped(struct event *event, const char *text, size_t length)
{
	json_t *string = json_stringn(text, length);
	char *escaped = string != NULL ? json_dumps(string, JSON_ENCODE_ANY) : NULL;

	if (escaped != NULL)
		put_text(event, escaped);
	else
		event->failed = true;
	free(escaped);
	json_decref(string);
}

static void
put_string(struct event *event, const char *text, size_t length)
{
	if (!is_plain(text, length)) {
		put_escaped(event, text, length);
		return;
	}
	put(event, "\"", 1);
	put(event, text, length);
	put(event, "\"", 1);
}

static bool
is_integer(const char *type)
{
	return strcmp(type, "smallint") == 0 || strcmp(type, "integer") == 0 ||
	       strcmp(type, "bigint") == 0;
}

/* JSON has no infinity and no NaN; as PostgreSQL prints the others they are JSON. */
static bool
is_real(const char *type, const char *text)
{
	return (strcmp(type, "real") == 0 || strcmp(type, "double precision") == 0) &&
	       strpbrk(text, "IN") == NULL;
}

/*
 * What JSON can hold without loss is a JSON value, everything else the type's text:
 * numeric too, which has digits that readers of JSON numbers drop.
 */
static void
put_value(struct event *event, const struct elvis_value *value, const char *type)
{
	if (value->state == ELVIS_VALUE_NULL)
		put(event, "null", 4);
	else if (strcmp(type, "boolean") == 0)
		put_text(event, value->text[0] == 't' ? "true" : "false");
	else if (is_integer(type) || is_real(type, value->text))
		put(event, value->text, value->length);
	else
		put_string(event, value->text, value->length);
}

/* A column that the row has not, or whose value was not captured, is left out. */
static void
put_row(struct event *event, const char *name, const struct elvis_table *table,
	const struct elvis_value *row)
{
	char separator = '{';

	put_string(event, name, strlen(name));
	put(event, ":", 1);
	if (row == NULL) {
		put(event, "null", 4);
		return;
	}
	for (size_t i = 0; i < table->n_columns; i++) {
		const struct elvis_column *column = table->columns[i];

		if (row[i].state != ELVIS_VALUE_NULL && row[i].state != ELVIS_VALUE_TEXT)
			continue;
		put(event, &separator, 1);
		put_string(event, column->name, strlen(column->name));
		put(event, ":", 1);
		put_value(event, &row[i], column->type);
		separator = ',';
	}
	put_text(event, separator == '{' ? "{}" : "}");
}

static void
put_name(struct event *event, const char *name, const char *value)
{
	put_string(event, name, strlen(name));
	put(event, ":", 1);
	put_string(event, value, strlen(value));
}

static void
put_source(struct event *event, const struct elvis_link *link,
	   const struct elvis_change *change)
{
	const struct {
		const char *name;
		int64_t number;
	} numbers[] = {
		{ "ts_ms", change->at / 1000 },
		{ "ts_us", change->at },
		{ "node", link->source },
		{ "txId", (int64_t) change->xid },
		{ "seq", change->seq },
		{ "ordinal", (int64_t) change->ordinal },
		{ "origin", change->origin },
		{ "via", change->via },
	};

	put_text(event, "\"source\":{\"connector\":\"elvis\",");
	put_name(event, "name", link->name);
	put(event, ",", 1);
	put_name(event, "schema", change->table->schema);
	put(event, ",", 1);
	put_name(event, "table", change->table->name);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		put(event, ",", 1);
		put_number(event, numbers[i].name, numbers[i].number);
	}
	put(event, "}", 1);
}

/* Names of the columns that the row lacks because their large value was not new. */
static void
put_not_captured(struct event *event, const struct elvis_change *change)
{
	const struct elvis_value *row = change->after != NULL ? change->after : change->before;
	const char *before = ",\"not_captured\":[";

	for (size_t i = 0; row != NULL && i < change->table->n_columns; i++) {
		const char *name = change->table->columns[i]->name;

		if (row[i].state != ELVIS_VALUE_NOT_CAPTURED)
			continue;
		put_text(event, before);
		put_string(event, name, strlen(name));
		before = ",";
	}
	if (before[1] == '\0')
		put(event, "]", 1);
}

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

bool
event_make(struct event *event, const struct elvis_link *link,
	   const struct elvis_change *change, int64_t now_ms)
{
	event->length = 0;
	event->failed = false;
	put(event, "{", 1);
	put_row(event, "before", change->table, change->before);
	put(event, ",", 1);
	put_row(event, "after", change->table, change->after);
	put(event, ",", 1);
	put_source(event, link, change);
	put(event, ",", 1);
	put_name(event, "op", operation_letter(change->operation));
	put(event, ",", 1);
	put_number(event, "ts_ms", now_ms);
	put_not_captured(event, change);
	put(event, "}\n", 2);
	return !event->failed;
}

void
event_free(struct event *event)
{
	free(event->text);
}
