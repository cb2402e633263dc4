#include "ctl/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define COLUMNS_MAX 32

struct cell {
	json_t *value;
	char *text;
	bool right;	/* numbers are set to the right */
};

struct report {
	struct {
		const char *key, *heading;
	} columns[COLUMNS_MAX];
	size_t n_columns;
	struct cell *cells;	/* row after row */
	size_t n_cells, room;
	size_t n_rows;
};

struct report *
report_new(void)
{
	return mem_zalloc(sizeof(struct report));
}

void
report_free_at(struct report **report)
{
	for (size_t i = 0; i < (*report)->n_cells; i++) {
		json_decref((*report)->cells[i].value);
		free((*report)->cells[i].text);
	}
	free((*report)->cells);
	free(*report);
	*report = NULL;
}

void
report_column(struct report *report, const char *key, const char *heading)
{
	if (report->n_columns == COLUMNS_MAX)
		abort();
	report->columns[report->n_columns].key = key;
	report->columns[report->n_columns++].heading = heading;
}

void
report_row(struct report *report)
{
	if (report->n_cells != report->n_rows * report->n_columns)
		abort();
	report->n_rows++;
}

static void
add_cell(struct report *report, json_t *value, char *text, bool right)
{
	if (report->n_cells == report->room) {
		report->room = report->room ? report->room * 2 : 64;
		report->cells = mem_resize(report->cells, report->room, sizeof(*report->cells));
	}
	report->cells[report->n_cells++] =
		(struct cell){ .value = value, .text = text, .right = right };
}

void
report_null(struct report *report)
{
	add_cell(report, json_null(), mem_strdup("-"), false);
}

void
report_text(struct report *report, const char *text)
{
	json_t *value = text ? json_string(text) : NULL;

	if (value == NULL)
		report_null(report);
	else
		add_cell(report, value, mem_strdup(text), false);
}

void
report_number(struct report *report, int64_t number)
{
	add_cell(report, json_integer(number), mem_printf("%" PRId64, number), true);
}

void
report_seconds(struct report *report, double seconds)
{
	add_cell(report, json_real(seconds), mem_printf("%.1f", seconds), true);
}

void
report_bool(struct report *report, bool value)
{
	add_cell(report, json_boolean(value), mem_strdup(value ? "yes" : "no"), false);
}

void
report_size(struct report *report, int64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB" };
	double size = (double) bytes;
	size_t unit = 0;

	while (size >= 10240 && unit + 1 < ARRAY_LEN(units)) {
		size /= 1024;
		unit++;
	}
	add_cell(report, json_integer(bytes), mem_printf("%.0f %s", size, units[unit]), true);
}

void
report_json(struct report *report, const char *json)
{
	json_t *value = json ? json_loads(json, JSON_DECODE_ANY, NULL) : NULL;

	if (value == NULL)
		report_null(report);
	else
		add_cell(report, value, mem_strdup(json), false);
}

json_t *
report_array(const struct report *report)
{
	json_t *array = json_array();

	for (size_t row = 0; row < report->n_rows; row++) {
		json_t *object = json_object();

		for (size_t i = 0; i < report->n_columns; i++)
			json_object_set(object, report->columns[i].key,
					report->cells[row * report->n_columns + i].value);
		json_array_append_new(array, object);
	}
	return array;
}

/* Characters, not bytes, so that columns stay straight */
static int
width(const char *text)
{
	int count = 0;

	for (; *text != '\0'; text++)
		count += (*text & 0xc0) != 0x80;
	return count;
}

static void
print_cell(const char *text, int wide, bool right, bool last)
{
	int pad = wide - width(text);

	if (right)
		printf("%*s%s%s", pad, "", text, last ? "" : "  ");
	else
		printf("%s%*s", text, last ? 0 : pad + 2, "");
}

static void
print_table(const struct report *report)
{
	int wide[COLUMNS_MAX];
	size_t shown = 0;

	for (size_t i = 0; i < report->n_columns; i++) {
		if (report->columns[i].heading == NULL)
			continue;
		shown = i;
		wide[i] = width(report->columns[i].heading);
		for (size_t row = 0; row < report->n_rows; row++) {
			int w = width(report->cells[row * report->n_columns + i].text);

			wide[i] = w > wide[i] ? w : wide[i];
		}
	}
	for (size_t row = 0; row <= report->n_rows; row++) {
		const struct cell *cells =
			row == 0 ? NULL : &report->cells[(row - 1) * report->n_columns];

		for (size_t i = 0; i < report->n_columns; i++)
			if (report->columns[i].heading != NULL)
				print_cell(cells ? cells[i].text : report->columns[i].heading,
					   wide[i], cells && cells[i].right, i == shown);
		putchar('\n');
	}
}

void
json_print(json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
	putchar('\n');
	json_decref(value);
}

void
report_print(const struct report *report, bool json, const char *empty)
{
	if (json)
		json_print(report_array(report));
	else if (report->n_rows == 0)
		printf("%s\n", empty);
	else
		print_table(report);
}
