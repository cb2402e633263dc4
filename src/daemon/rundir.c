#include "daemon/rundir.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/mem.h"

/* Of a longer path the end tells more. */
#define NAME_LENGTH 200

static bool
make(const char *path, struct err *err)
{
	struct stat st;

	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return err_set(err, ERR_CONFIG, "run_dir %s: %s", path, strerror(errno));
	if (access(path, W_OK | X_OK) != 0)
		return err_set(err, ERR_CONFIG, "run_dir %s: %s", path, strerror(errno));
	if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
		return err_set(err, ERR_CONFIG, "run_dir %s is not a directory", path);
	return true;
}

/* In a place where everybody may make one: it must be ours, and nobody else's to write. */
static bool
is_private(const char *path, struct err *err)
{
	struct stat st;

	return (lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() &&
		(st.st_mode & 022) == 0) ||
	       err_set(err, ERR_CONFIG, "run_dir %s is not a directory of this user alone", path);
}

static char *
own_place(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");

	if (runtime != NULL && runtime[0] == '/')
		return mem_printf("%s/elvis", runtime);
	return mem_printf("/tmp/elvis-%ld", (long) geteuid());
}

char *
rundir_make(const char *wanted, const char *fallback, struct err *err)
{
	char *path;

	if (make(wanted, err))
		return mem_strdup(wanted);
	if (strcmp(wanted, fallback) != 0)
		return NULL;
	err_clear(err);
	path = own_place();
	if (make(path, err) && is_private(path, err))
		return path;
	free(path);
	return NULL;
}

char *
rundir_file(const char *rundir, const char *config, const char *ending)
{
	AUTO_FREE char *real = realpath(config, NULL);
	AUTO_FREE char *name = mem_strdup(real != NULL ? real : config);
	size_t length = strlen(name);
	size_t skip = length > NAME_LENGTH ? length - NAME_LENGTH : strspn(name, "/");

	for (char *slash = name; (slash = strchr(slash, '/')) != NULL;)
		*slash = '-';
	return mem_printf("%s/%s%s", rundir, name + skip, ending);
}
