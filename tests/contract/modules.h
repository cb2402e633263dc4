/*
 * The modules that were built, in a private directory: where the build tree is may be
 * writable by a group, and the loader would refuse it rightly.
 */
#ifndef MODULES_H
#define MODULES_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/loader.h"

#include "../unit/unit.h"

static char modules_dir[64];

/* The copy's path, in a buffer that the next call uses again */
static inline const char *
module_path(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s.so", modules_dir, name);
	return path;
}

/* Copies PLACE/.libs/NAME.so of the build tree. */
static inline void
module_copy(const char *place, const char *name)
{
	char from[1024];
	struct stat st;
	int in, out;

	snprintf(from, sizeof(from), "%s/%s/.libs/%s.so", getenv("ELVIS_BUILDDIR"), place, name);
	in = open(from, O_RDONLY);
	ck_assert_msg(in >= 0 && fstat(in, &st) == 0, "%s is not built", from);
	unlink(module_path(name));
	out = open(module_path(name), O_WRONLY | O_CREAT | O_EXCL, 0755);
	ck_assert_int_ge(out, 0);
	ck_assert_int_eq(sendfile(out, in, NULL, (size_t) st.st_size), st.st_size);
	close(in);
	close(out);
}

static inline void
modules_setup(void)
{
	umask(022);
	snprintf(modules_dir, sizeof(modules_dir), "/tmp/elvis-modules.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(modules_dir));
}

static inline void
modules_teardown(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", modules_dir);
	ck_assert_int_eq(system(command), 0);
}

/* A set that looks there and nowhere else but where elvis is installed. */
static inline struct plugin_set *
modules_set(void)
{
	const char *const dirs[] = { modules_dir };

	return plugin_set_new(dirs, 1, dirs, 1);
}

/* "policies/strict.la sinks/null.la" in a variable of the environment: calls for each. */
static inline size_t
modules_each(const char *variable, void (*visit)(const char *place, const char *name))
{
	char *list = strdup(getenv(variable) != NULL ? getenv(variable) : ""), *save;
	size_t n = 0;

	for (char *word = strtok_r(list, " \t\n", &save); word != NULL;
	     word = strtok_r(NULL, " \t\n", &save)) {
		char *slash = strrchr(word, '/'), *dot = strrchr(word, '.');

		*slash = *dot = '\0';
		visit(word, slash + 1);
		n++;
	}
	free(list);
	return n;
}

#endif
