#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static char nothing[1] = "";

void
strbuf_init(struct strbuf *s, size_t max)
{
	*s = (struct strbuf) { .data = nothing, .max = max };
}

void
strbuf_free(struct strbuf *s)
{
	if (s->size > 0)
		free(s->data);
	strbuf_init(s, s->max);
}

void
strbuf_reset(struct strbuf *s)
{
	s->length = 0;
	s->overflow = false;
	if (s->size > 0)
		s->data[0] = '\0';
}

/* Room for `more` bytes and the end, or the mark. */
static bool
make_room(struct strbuf *s, size_t more)
{
	size_t needed, size;

	if (s->overflow || more > s->max - s->length) {
		s->overflow = true;
		return false;
	}
	needed = s->length + more + 1;
	if (needed <= s->size)
		return true;

	size = s->size > 0 ? s->size : 64;
	while (size < needed)
		size *= 2;
	s->data = mem_resize(s->size > 0 ? s->data : NULL, size, 1);
	s->size = size;
	return true;
}

bool
strbuf_add(struct strbuf *s, const void *data, size_t length)
{
	if (!make_room(s, length))
		return false;
	if (length > 0)
		memcpy(s->data + s->length, data, length);
	s->length += length;
	s->data[s->length] = '\0';
	return true;
}

bool
strbuf_puts(struct strbuf *s, const char *text)
{
	return strbuf_add(s, text, strlen(text));
}

bool
strbuf_putc(struct strbuf *s, char c)
{
	return strbuf_add(s, &c, 1);
}

bool
strbuf_printf(struct strbuf *s, const char *format, ...)
{
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (length < 0 || !make_room(s, (size_t) length)) {
		s->overflow = true;
		return false;
	}

	va_start(args, format);
	vsnprintf(s->data + s->length, (size_t) length + 1, format, args);
	va_end(args);
	s->length += (size_t) length;
	return true;
}

bool
strbuf_ok(const struct strbuf *s)
{
	return !s->overflow;
}

char *
strbuf_take(struct strbuf *s)
{
	char *text = s->size > 0 ? s->data : mem_strdup("");

	strbuf_init(s, s->max);
	return text;
}
