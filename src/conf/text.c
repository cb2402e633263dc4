#include "conf/text.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define BODY_MAX (16 << 20)
#define DEPTH_MAX 10
#define FILES_MAX 1000

/* What a line begins inside of */
enum inside {
	INSIDE_NOTHING,
	INSIDE_STRING,
	INSIDE_COMMENT,
};

static bool read_file(struct conf_text *text, const char *path, struct conf_place from,
		      int depth, struct err *err);

static void
add_place(struct conf_text *text, const char *file, int line)
{
	if (text->n_places == text->room) {
		text->room = text->room ? text->room * 2 : 256;
		text->places = mem_resize(text->places, text->room, sizeof(*text->places));
	}
	text->places[text->n_places++] = (struct conf_place){ .file = file, .line = line };
}

/* At the first digit of a decimal integer; returns its length, and whether it needs an L. */
static size_t
integer_length(const char *at, bool *large)
{
	size_t length = strspn(at, "0123456789");

	*large = false;
	if (!isalnum((unsigned char) at[length]) && at[length] != '.' && at[length] != '_') {
		errno = 0;
		*large = strtoll(at, NULL, 10) > INT32_MAX || errno == ERANGE;
	}
	return length;
}

static bool
begins_word(const char *line, const char *at)
{
	return at == line || !(isalnum((unsigned char) at[-1]) || strchr("._*+", at[-1]));
}

/* Takes out a comma that nothing but the end of its list follows. */
static void
watch_comma(struct conf_text *text, char c)
{
	if (isspace((unsigned char) c))
		return;
	if ((c == ')' || c == ']') && text->comma > 0 && text->comma <= text->body.length)
		text->body.data[text->comma - 1] = ' ';
	text->comma = c == ',' ? text->body.length + 1 : 0;
}

/* Copies a line, keeping track of strings and comments that go over its end. */
static void
add_line(struct conf_text *text, const char *line, enum inside *inside)
{
	struct strbuf *body = &text->body;

	for (const char *at = line; *at != '\0'; at++) {
		bool large;
		size_t length;

		switch (*inside) {
		case INSIDE_STRING:
			if (*at == '\\' && at[1] != '\0')
				strbuf_putc(body, *at++);
			else if (*at == '"')
				*inside = INSIDE_NOTHING;
			break;
		case INSIDE_COMMENT:
			if (at[0] == '*' && at[1] == '/') {
				strbuf_putc(body, *at++);
				*inside = INSIDE_NOTHING;
			}
			break;
		case INSIDE_NOTHING:
			if (*at == '#' || (at[0] == '/' && at[1] == '/'))
				return;	/* the newline is put by the caller */
			if (at[0] != '/')
				watch_comma(text, *at);
			if (*at == '"') {
				*inside = INSIDE_STRING;
			} else if (at[0] == '/' && at[1] == '*') {
				strbuf_putc(body, *at++);
				*inside = INSIDE_COMMENT;
			} else if (isdigit((unsigned char) *at) && begins_word(line, at)) {
				length = integer_length(at, &large);
				strbuf_add(body, at, length);
				if (large)
					strbuf_putc(body, 'L');
				at += length - 1;
				continue;
			}
			break;
		}
		strbuf_putc(body, *at);
	}
}

/* The path of an @include line, in the arena; NULL when the line is something else. */
static const char *
include_path(struct conf_text *text, const char *line, const char *file)
{
	const char *at = line + strspn(line, " \t");
	const char *end, *slash;

	if (strncmp(at, "@include", 8) != 0)
		return NULL;
	at += 8;
	at += strspn(at, " \t");
	if (*at != '"' || (end = strchr(++at, '"')) == NULL)
		return NULL;
	slash = strrchr(file, '/');
	if (*at == '/' || slash == NULL)
		return arena_strndup(text->arena, at, (size_t) (end - at));
	return arena_printf(text->arena, "%.*s/%.*s", (int) (slash - file), file,
			    (int) (end - at), at);
}

static bool
read_lines(struct conf_text *text, FILE *in, const char *file, int depth, struct err *err)
{
	AUTO_FREE char *line = NULL;
	enum inside inside = INSIDE_NOTHING, was;
	int begun = 0;	/* the line where what we are inside of began */
	size_t room = 0;
	ssize_t length;

	for (int number = 1; (length = getline(&line, &room, in)) >= 0; number++) {
		struct conf_place here = { .file = file, .line = number };
		const char *path;

		if ((size_t) length != strlen(line))
			return err_set(err, ERR_CONFIG, "%s:%d: a NUL byte; a configuration is "
				       "plain text", file, number);
		line[strcspn(line, "\n")] = '\0';
		path = inside == INSIDE_NOTHING ? include_path(text, line, file) : NULL;
		if (path != NULL) {
			if (!read_file(text, path, here, depth + 1, err))
				return false;
			continue;
		}
		add_place(text, file, number);
		was = inside;
		add_line(text, line, &inside);
		if (inside != was || inside == INSIDE_NOTHING)
			begun = number;
		strbuf_putc(&text->body, '\n');
	}
	if (inside != INSIDE_NOTHING)
		return err_set(err, ERR_CONFIG, "%s:%d: a %s begins here, or further down, and "
			       "does not end", file, begun,
			       inside == INSIDE_STRING ? "string" : "comment");
	if (ferror(in))
		return err_set(err, ERR_CONFIG, "%s: %s", file, strerror(errno));
	return true;
}

static bool
read_file(struct conf_text *text, const char *path, struct conf_place from, int depth,
	  struct err *err)
{
	FILE *in;
	bool ok;

	if (depth > DEPTH_MAX || text->n_files == FILES_MAX)
		return err_set(err, ERR_CONFIG, "%s:%d: '%s' makes too many files, one "
			       "including the other", from.file, from.line, path);
	in = fopen(path, "re");
	if (in == NULL && from.file != NULL)
		return err_set(err, ERR_CONFIG, "%s:%d: cannot read the included file '%s': %s",
			       from.file, from.line, path, strerror(errno));
	if (in == NULL)
		return err_set(err, ERR_CONFIG, "%s: cannot read the configuration: %s", path,
			       strerror(errno));
	text->files[text->n_files++] = path;
	ok = read_lines(text, in, path, depth, err);
	fclose(in);
	return ok;
}

bool
conf_text_read(struct conf_text *text, const char *path, struct arena *arena, struct err *err)
{
	*text = (struct conf_text){ .arena = arena };
	strbuf_init(&text->body, BODY_MAX);
	text->files = arena_alloc(arena, FILES_MAX * sizeof(*text->files));
	if (!read_file(text, arena_strdup(arena, path), (struct conf_place){ 0 }, 0, err))
		return false;
	if (!strbuf_ok(&text->body))
		return err_set(err, ERR_CONFIG, "%s: more than %d MB; this is not a "
			       "configuration", path, BODY_MAX >> 20);
	return true;
}

void
conf_text_free(struct conf_text *text)
{
	strbuf_free(&text->body);
	free(text->places);
	text->places = NULL;
}

struct conf_place
conf_text_place(const struct conf_text *text, int line)
{
	size_t i = line > 0 ? (size_t) line - 1 : 0;

	if (text->n_places == 0)
		return (struct conf_place){ .file = text->files[0], .line = 1 };
	return text->places[i < text->n_places ? i : text->n_places - 1];
}
