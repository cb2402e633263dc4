#include "mark.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

static enum elvis_result
refuse_damaged(const struct elvis_host *host, const char *path, const char *what)
{
	host->fail(host, "%s is not what this sink writes (%s); restore it, or move it and the "
		   "files it stands beside away to begin anew", path, what);
	return ELVIS_SINK_STOPPED;
}

static enum elvis_result
check_owner(const struct elvis_host *host, const struct elvis_link *link, const char *path,
	    const char *uuid, int64_t incarnation)
{
	if (strcmp(uuid, link->uuid) != 0) {
		host->fail(host, "%s belongs to link %s, this is %s; give each link a path of its "
			   "own", path, uuid, link->uuid);
		return ELVIS_SINK_FATAL;
	}
	if (incarnation != link->incarnation) {
		host->fail(host, "%s was written for another incarnation of the source; move it "
			   "and the files it stands beside away to begin anew", path);
		return ELVIS_SINK_STOPPED;
	}
	return ELVIS_SINK_OK;
}

static enum elvis_result
unpack(const struct elvis_host *host, const struct elvis_link *link, const char *path,
       json_t *object, struct mark *mark)
{
	struct elvis_position *position = &mark->position;
	json_int_t incarnation, number, length, numbers[5];
	const char *uuid;
	int known;

	if (json_unpack(object, "{s:s, s:I, s:b, s:[I, I, I, I, I!], s:I, s:I}",
			"link", &uuid,
			"incarnation", &incarnation,
			"known", &known,
			"position", &numbers[0], &numbers[1], &numbers[2], &numbers[3],
			&numbers[4],
			"number", &number,
			"length", &length) != 0 ||
	    number < 0 || length < 0)
		return refuse_damaged(host, path, "members are missing");
	mark->known = known != 0;
	mark->number = number;
	mark->length = length;
	*position = (struct elvis_position){ .from_id = numbers[0], .from_token = numbers[1],
					     .to_id = numbers[2], .to_token = numbers[3],
					     .seq = numbers[4] };
	return check_owner(host, link, path, uuid, incarnation);
}

enum elvis_result
mark_read(const struct elvis_host *host, const struct elvis_link *link, const char *path,
	  struct mark *mark, bool *there)
{
	enum elvis_result result;
	json_error_t error;
	json_t *object;

	*mark = (struct mark){ .known = false };
	*there = access(path, F_OK) == 0;
	if (!*there)
		return ELVIS_SINK_OK;
	object = json_load_file(path, 0, &error);
	if (object == NULL)
		return refuse_damaged(host, path, error.text);
	result = unpack(host, link, path, object, mark);
	json_decref(object);
	return result;
}

static json_t *
pack(const struct elvis_link *link, const struct mark *mark)
{
	const struct elvis_position *position = &mark->position;

	return json_pack("{s:s, s:s, s:I, s:b, s:[I, I, I, I, I], s:I, s:I}",
			 "link", link->uuid,
			 "name", link->name,
			 "incarnation", (json_int_t) link->incarnation,
			 "known", mark->known,
			 "position", (json_int_t) position->from_id,
			 (json_int_t) position->from_token, (json_int_t) position->to_id,
			 (json_int_t) position->to_token, (json_int_t) position->seq,
			 "number", (json_int_t) mark->number,
			 "length", (json_int_t) mark->length);
}

int
sync_directory(const char *path)
{
	char *copy = strdup(path);
	int fd = copy != NULL ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int result = fd >= 0 ? fsync(fd) : -1;

	if (fd >= 0)
		close(fd);
	free(copy);
	return result;
}

static int
write_new(const char *path, json_t *object, bool sync)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	int result;

	if (fd < 0)
		return -1;
	result = json_dumpfd(object, fd, JSON_INDENT(1));
	if (result == 0 && sync)
		result = fsync(fd);
	if (close(fd) != 0)
		result = -1;
	return result;
}

enum elvis_result
mark_write(const struct elvis_host *host, const struct elvis_link *link, const char *path,
	   const struct mark *mark, bool sync)
{
	size_t size = strlen(path) + sizeof(".new");
	char *new_path = host->alloc(host, size);
	json_t *object = pack(link, mark);
	int result;

	snprintf(new_path, size, "%s.new", path);
	errno = 0;
	result = object != NULL ? write_new(new_path, object, sync) : -1;
	json_decref(object);
	if (result == 0)
		result = rename(new_path, path);
	if (result == 0 && sync)
		result = sync_directory(path);
	if (result == 0)
		return ELVIS_SINK_OK;
	host->fail(host, "%s could not be written: %s", path,
		   errno != 0 ? strerror(errno) : "out of memory");
	return ELVIS_SINK_RETRY;
}
