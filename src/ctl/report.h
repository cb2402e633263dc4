/*
 * A list, as a table for people or as JSON for programs: said once, shown either way.
 *
 *	report_column(r, "name", "LINK");
 *	report_row(r);
 *	report_text(r, link->name);
 *	report_print(r, json);
 *
 * Cells come in the order of the columns.  A NULL text is a null in JSON and "-" in a table.
 */
#ifndef CTL_REPORT_H
#define CTL_REPORT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "base/attr.h"

struct report;

MUST_USE struct report *report_new(void);
void report_free_at(struct report **report);

#define AUTO_REPORT CLEANUP(report_free_at)

/* heading NULL: in JSON only */
void report_column(struct report *report, const char *key, const char *heading);
void report_row(struct report *report);
void report_text(struct report *report, const char *text);
void report_number(struct report *report, int64_t number);
void report_seconds(struct report *report, double seconds);
void report_bool(struct report *report, bool value);	/* yes, no */
void report_size(struct report *report, int64_t bytes);	/* in JSON bytes */
void report_null(struct report *report);

/* A value that is JSON text already, such as a row image */
void report_json(struct report *report, const char *json);

/* `empty` is said to people where there are no rows. */
void report_print(const struct report *report, bool json, const char *empty);

/* The rows as an array, the caller's to json_decref(), to be part of something larger */
MUST_USE json_t *report_array(const struct report *report);

void json_print(json_t *value);	/* to stdout, indented; takes the reference */

#endif
