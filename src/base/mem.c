#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef __GLIBC__
#include <malloc.h>
#endif

/* _exit: the handlers of exit() might want memory, or a lock this thread holds. */
static NORETURN void
out_of_memory(void)
{
	static const char message[] = "error   memory: the system has no more; ending\n";
	ssize_t written = write(STDERR_FILENO, message, sizeof(message) - 1);

	(void) written;
	_exit(MEM_EXIT_STATUS);
}

/* What is larger than BY_ITSELF is given back at once. */
void
mem_keep(void)
{
#ifdef __GLIBC__
	enum { KEPT = 4 << 20, BY_ITSELF = 2 << 20 };

	mallopt(M_MMAP_THRESHOLD, BY_ITSELF);
	mallopt(M_TRIM_THRESHOLD, KEPT);
#endif
}

void *
mem_alloc(size_t size)
{
	void *memory = malloc(size > 0 ? size : 1);

	if (memory == NULL)
		out_of_memory();
	return memory;
}

void *
mem_zalloc(size_t size)
{
	void *memory = calloc(1, size > 0 ? size : 1);

	if (memory == NULL)
		out_of_memory();
	return memory;
}

char *
mem_strdup(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(mem_alloc(size), text, size);
}

char *
mem_printf(const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0)
		out_of_memory();
	return text;
}

void *
mem_resize(void *old, size_t count, size_t size)
{
	void *memory;
	size_t total;

	if (__builtin_mul_overflow(count, size, &total))
		out_of_memory();
	memory = realloc(old, total > 0 ? total : 1);
	if (memory == NULL)
		out_of_memory();
	return memory;
}

void
mem_free_at(void *pointer)
{
	void *memory;

	/* a copy, not a cast to void **: the pointer has some other type */
	memcpy(&memory, pointer, sizeof(memory));
	free(memory);
}
