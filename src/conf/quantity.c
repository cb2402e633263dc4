#include "conf/quantity.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct unit {
	const char *name;
	int64_t factor;
};

/* Ascending, each a multiple of the one before */
static const struct unit sizes[] = {
	{ "B", 1 },
	{ "kB", INT64_C(1) << 10 },
	{ "MB", INT64_C(1) << 20 },
	{ "GB", INT64_C(1) << 30 },
	{ "TB", INT64_C(1) << 40 },
};

static const struct unit durations[] = {
	{ "ms", 1 },
	{ "s", 1000 },
	{ "min", 60 * 1000 },
	{ "h", 60 * 60 * 1000 },
	{ "d", 24 * 60 * 60 * 1000 },
};

static bool
quantity_parse(const char *text, const struct unit *units, size_t n_units, int64_t *value)
{
	char *end;
	long long number;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	number = strtoll(text, &end, 10);
	if (errno != 0)
		return false;
	end += strspn(end, " ");
	if (*end == '\0') {
		*value = 0;
		return number == 0;
	}
	for (size_t i = 0; i < n_units; i++)
		if (strcmp(end, units[i].name) == 0)
			return !__builtin_mul_overflow(number, units[i].factor, value);
	return false;
}

static const char *
quantity_text(char text[QUANTITY_TEXT_SIZE], int64_t value, const struct unit *units,
	      size_t n_units)
{
	size_t i = 0;

	while (value != 0 && i + 1 < n_units && value % units[i + 1].factor == 0)
		i++;
	snprintf(text, QUANTITY_TEXT_SIZE, "%" PRId64 " %s", value / units[i].factor,
		 units[i].name);
	return text;
}

bool
quantity_size(const char *text, int64_t *bytes)
{
	return quantity_parse(text, sizes, ARRAY_LEN(sizes), bytes);
}

bool
quantity_duration(const char *text, int64_t *ms)
{
	return quantity_parse(text, durations, ARRAY_LEN(durations), ms);
}

const char *
quantity_size_text(char text[QUANTITY_TEXT_SIZE], int64_t bytes)
{
	return quantity_text(text, bytes, sizes, ARRAY_LEN(sizes));
}

const char *
quantity_duration_text(char text[QUANTITY_TEXT_SIZE], int64_t ms)
{
	return quantity_text(text, ms, durations, ARRAY_LEN(durations));
}
