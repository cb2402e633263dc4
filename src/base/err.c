#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* What libraries report often ends its line; our sentence goes on. */
static void
trim(char *text)
{
	size_t length = strlen(text);

	while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == ' '))
		text[--length] = '\0';
}

bool
err_set(struct err *err, enum err_class class, const char *format, ...)
{
	char text[sizeof(err->text)];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	trim(text);

	err->class = class;
	memcpy(err->text, text, sizeof(err->text));
	return false;
}

bool
err_wrap(struct err *err, const char *format, ...)
{
	char text[sizeof(err->text)];
	va_list args;
	size_t length;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);

	length = strlen(text);
	snprintf(text + length, sizeof(text) - length, ": %s", err->text);
	memcpy(err->text, text, sizeof(err->text));
	return false;
}

void
err_clear(struct err *err)
{
	err->class = ERR_NONE;
	err->text[0] = '\0';
}
