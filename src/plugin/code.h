/*
 * The code of one plugin: a private copy of its file, hashed and loaded.  The only user of
 * dlopen.
 */
#ifndef PLUGIN_CODE_H
#define PLUGIN_CODE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"

#define CODE_HASH_SIZE 65 /* SHA-256 in hex, and a '\0' */

struct code {
	int fd; /* the copy; open as long as it is loaded */
	void *handle;
	char hash[CODE_HASH_SIZE];
};

/*
 * Loads the file, which must be there.  False (ERR_CONFIG): whoever may write to it, or to
 * its directory, is not only us and root; or it is no module, or lacks what it links.  The
 * error's text begins with the file's name.
 */
MUST_USE bool code_load(struct code *code, const char *file, struct err *err);
void code_unload(struct code *code);

/* The address of what the module exports under that name, and its size; NULL: nothing. */
MUST_USE const void *code_symbol(const struct code *code, const char *name, size_t *size);

#endif
