#include "plugin/code.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <link.h>
#include <sha256.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define CODE_MAX ((off_t) 1 << 30)

static void
close_at(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

#define AUTO_CLOSE CLEANUP(close_at)

/*
 * Whoever may change what we load is us.  So only the user we run as and root may be able
 * to write to the file, or to put another one in its place.
 */
static bool
check_writers(const char *what, const char *path, const struct stat *st, struct err *err)
{
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return err_set(
			err, ERR_CONFIG,
			"%s: the %s belongs to user %u, who is neither root nor the one "
			"elvis runs as (%u); chown root it if you trust it",
			path, what, (unsigned) st->st_uid, (unsigned) geteuid());
	if (st->st_mode & (S_IWGRP | S_IWOTH))
		return err_set(
			err, ERR_CONFIG,
			"%s: the %s may be written by %s (mode %04o), who would then run "
			"code in elvisd; chmod go-w %s",
			path, what, st->st_mode & S_IWOTH ? "everybody" : "its group",
			(unsigned) st->st_mode & 07777, path);
	return true;
}

/* Opens file and directory once, and looks at what was opened and at nothing by name. */
static bool
open_trusted(const char *file, int *fd, off_t *size, struct err *err)
{
	AUTO_FREE char *real = realpath(file, NULL);
	AUTO_FREE char *copy = mem_strdup(real != NULL ? real : file);
	AUTO_CLOSE int directory = -1;
	struct stat st;

	if (real == NULL)
		return err_set(err, ERR_CONFIG, "%s: %s", file, strerror(errno));
	directory = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0 || fstat(directory, &st) != 0)
		return err_set(err, ERR_CONFIG, "%s: %s", copy, strerror(errno));
	if (!check_writers("directory", copy, &st, err))
		return false;

	*fd = openat(directory, strrchr(real, '/') + 1,
		     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0 || fstat(*fd, &st) != 0)
		return err_set(err, ERR_CONFIG, "%s: %s", file, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CONFIG,
			       "%s: it is not a file; wanted a shared object", file);
	if (st.st_size > CODE_MAX)
		return err_set(err, ERR_CONFIG,
			       "%s: it has %lld bytes; wanted a shared object", file,
			       (long long) st.st_size);
	*size = st.st_size;
	return check_writers("file", real, &st, err);
}

static int
new_memory_file(const char *name)
{
	unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;

#ifdef MFD_EXEC
	/* newer kernels may be set to make such files not executable; older ones do not know
	 * the flag */
	int fd = memfd_create(name, flags | MFD_EXEC);

	if (fd >= 0 || errno != EINVAL)
		return fd;
#endif
	return memfd_create(name, flags);
}

/* A copy that nobody can write to any more, not even we. */
static bool
copy_sealed(int fd, int from, off_t size, struct err *err, const char *file)
{
	for (off_t done = 0; done < size;) {
		ssize_t n = sendfile(fd, from, NULL, (size_t) (size - done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_set(err, ERR_CONFIG, "%s: it could not be read: %s",
				       file,
				       n == 0 ? "it became shorter meanwhile; try again"
					      : strerror(errno));
		done += n;
	}
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW) != 0)
		return err_set(err, ERR_CONFIG, "%s: its copy could not be sealed: %s",
			       file, strerror(errno));
	return true;
}

static bool
hash_copy(struct code *code, off_t size, const char *file, struct err *err)
{
	void *map = mmap(NULL, (size_t) size, PROT_READ, MAP_PRIVATE, code->fd, 0);

	if (map == MAP_FAILED)
		return err_set(err, ERR_CONFIG, "%s: it could not be read: %s", file,
			       size == 0 ? "it is empty" : strerror(errno));
	SHA256Data(map, (size_t) size, code->hash);
	munmap(map, (size_t) size);
	return true;
}

/*
 * The loader takes a name that it has seen for a module that it has loaded.  It cannot have
 * seen this one: the number is ours as long as a module from it is loaded.
 */
static bool
load_copy(struct code *code, const char *file, struct err *err)
{
	char path[32];
	const char *why;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", code->fd);
	code->handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (code->handle != NULL)
		return true;

	why = dlerror();
	if (why == NULL)
		why = "no reason given";
	else if (strncmp(why, path, strlen(path)) == 0)
		why += strlen(path) + strspn(why + strlen(path), ": ");
	return err_set(err, ERR_CONFIG,
		       "%s: it cannot be loaded: %s; wanted a shared object for this "
		       "machine that "
		       "links what it needs",
		       file, why);
}

bool
code_load(struct code *code, const char *file, struct err *err)
{
	AUTO_CLOSE int fd = -1;
	off_t size = 0;

	code->fd = -1;
	code->handle = NULL;
	if (!open_trusted(file, &fd, &size, err))
		return false;
	code->fd = new_memory_file(file);
	if (code->fd < 0)
		return err_set(err, ERR_CONFIG, "%s: no copy of it could be made in memory: %s", file,
			       strerror(errno));
	if (copy_sealed(code->fd, fd, size, err, file) &&
	    hash_copy(code, size, file, err) && load_copy(code, file, err))
		return true;
	code_unload(code);
	return false;
}

void
code_unload(struct code *code)
{
	if (code->handle != NULL)
		dlclose(code->handle);
	close_at(&code->fd);
	code->handle = NULL;
	code->fd = -1;
}

const void *
code_symbol(const struct code *code, const char *name, size_t *size)
{
	const void *address = dlsym(code->handle, name);
	void *symbol = NULL;
	Dl_info info;

	if (address == NULL)
		return NULL;
	/* a module's dependencies may have the name too; only its own counts */
	if (dladdr1(address, &info, &symbol, RTLD_DL_SYMENT) == 0 || symbol == NULL ||
	    strncmp(info.dli_fname, "/proc/self/fd/", 14) != 0)
		return NULL;
	*size = ((const ElfW(Sym) *) symbol)->st_size;
	return address;
}
