#include "conf/pattern.h"

#include <string.h>

#include "base/strbuf.h"

/*
 * A compiled part is the name it stands for, with two bytes that no UTF-8 text contains in the
 * place of the wildcards; so a quoted * stays an ordinary character.
 */
#define ANY '\xff'	/* any run of characters, also none */
#define ONE '\xfe'	/* one character */

#define PART_MAX 1024

static bool
is_continuation(char c)
{
	return (c & 0xc0) == 0x80;
}

static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* Reads up to the closing quote; *at stands behind the opening one and ends behind the other. */
static bool
read_quoted(const char **at, struct strbuf *part)
{
	const char *c = *at;

	for (;; c++) {
		if (*c == '\0')
			return false;
		if (*c == '"' && *++c != '"')
			break;
		strbuf_putc(part, *c);
	}
	*at = c;
	return true;
}

/* One part, up to a dot or the end, compiled into the arena. */
static bool
read_part(const char **at, const char *whole, const char **compiled, struct arena *arena,
	  struct err *err)
{
	AUTO_STRBUF struct strbuf part;

	strbuf_init(&part, PART_MAX);
	while (**at != '\0' && **at != '.') {
		char c = *(*at)++;

		if (c == '"') {
			if (!read_quoted(at, &part))
				return err_set(err, ERR_CONFIG,
					       "pattern '%s' has a quote that is not closed",
					       whole);
		} else if (c == '*') {
			if (part.length == 0 || part.data[part.length - 1] != ANY)
				strbuf_putc(&part, ANY);
		} else if (c == '?') {
			strbuf_putc(&part, ONE);
		} else if (c == ANY || c == ONE) {
			return err_set(err, ERR_CONFIG, "pattern '%s' is not UTF-8", whole);
		} else {
			strbuf_putc(&part, fold(c));
		}
	}
	if (!strbuf_ok(&part))
		return err_set(err, ERR_CONFIG, "pattern '%.40s...' is too long for a name",
			       whole);
	if (part.length == 0)
		return err_set(err, ERR_CONFIG,
			       "pattern '%s' has an empty part; it is written schema.table, "
			       "as in public.* or \"my.schema\".\"t\"", whole);
	*compiled = arena_strndup(arena, part.data, part.length);
	return true;
}

bool
pattern_parse(struct pattern *pattern, const char *text, struct arena *arena, struct err *err)
{
	const char *at = text;

	pattern->text = arena_strdup(arena, text);
	if (!read_part(&at, text, &pattern->schema, arena, err))
		return false;
	if (*at == '\0')
		return err_set(err, ERR_CONFIG,
			       "pattern '%s' names no schema; write %s%s for all of public or "
			       "*.%s for every schema", text, "public.", text, text);
	at++;
	if (!read_part(&at, text, &pattern->table, arena, err))
		return false;
	if (*at != '\0')
		return err_set(err, ERR_CONFIG,
			       "pattern '%s' has more than two parts; a name with a dot in it "
			       "is quoted, as in \"my.schema\".\"t\"", text);
	return true;
}

/* The place behind one character */
static const char *
character_end(const char *at)
{
	for (at++; is_continuation(*at); at++)
		;
	return at;
}

/* Goes back to the last ANY on a mismatch: linear for what people write. */
static bool
part_matches(const char *part, const char *name)
{
	const char *any = NULL, *retry = NULL;

	for (;;) {
		if (*part == ANY) {
			any = ++part;
			retry = name;
		} else if (*name == '\0') {
			return *part == '\0';
		} else if (*part == ONE) {
			part++;
			name = character_end(name);
		} else if (*part == *name) {
			part++;
			name++;
		} else if (any != NULL) {
			part = any;
			name = retry = character_end(retry);
		} else {
			return false;
		}
	}
}

bool
pattern_matches(const struct pattern *pattern, const char *schema, const char *table)
{
	return part_matches(pattern->schema, schema) && part_matches(pattern->table, table);
}

static bool
is_name(const char *part)
{
	return strchr(part, ANY) == NULL && strchr(part, ONE) == NULL;
}

bool
pattern_is_name(const struct pattern *pattern)
{
	return is_name(pattern->schema) && is_name(pattern->table);
}

/* Is there a name that both match?  Tries both readings of each ANY. */
static bool
parts_overlap(const char *a, const char *b)
{
	if (*a == '\0' && *b == '\0')
		return true;
	if (*a == ANY)
		return parts_overlap(a + 1, b) ||
		       (*b != '\0' && parts_overlap(a, *b == ANY ? b + 1 : character_end(b)));
	if (*b == ANY)
		return parts_overlap(b, a);
	if (*a == '\0' || *b == '\0')
		return false;
	if (*a == ONE)
		return parts_overlap(a + 1, character_end(b));
	if (*b == ONE)
		return parts_overlap(character_end(a), b + 1);
	return *a == *b && parts_overlap(a + 1, b + 1);
}

bool
pattern_overlaps(const struct pattern *a, const struct pattern *b)
{
	return parts_overlap(a->schema, b->schema) && parts_overlap(a->table, b->table);
}
