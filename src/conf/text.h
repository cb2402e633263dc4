/*
 * The text of a configuration with its @include lines replaced by what they name, and for each
 * line where it came from.
 *
 * libconfig could include by itself, but the versions in use differ in which paths they take and
 * cannot say which file was missing.  Two more differences are evened out here: version 1.5 cuts
 * integers above 32 bits silently, so those get the suffix L; and it knows no comma behind the
 * last element of a list, so that is taken out.
 */
#ifndef CONF_TEXT_H
#define CONF_TEXT_H

#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/strbuf.h"

struct conf_place {
	const char *file;
	int line;
};

struct conf_text {
	struct strbuf body;
	size_t comma;			/* place in body behind a comma just read; 0: none */
	struct conf_place *places;	/* of each line of body, from its first */
	size_t n_places, room;
	const char **files;		/* in the order in which they were opened */
	size_t n_files;
	struct arena *arena;		/* file names live here */
};

/* @include "path" is taken relative to the file it stands in.  Both need conf_text_free(). */
MUST_USE bool conf_text_read(struct conf_text *text, const char *path, struct arena *arena,
			     struct err *err);
void conf_text_free(struct conf_text *text);

/* Where a line of the body, counted from 1, came from */
MUST_USE struct conf_place conf_text_place(const struct conf_text *text, int line);

#endif
