/*
 * render.h - records on their way out: counted, and their values in forms that travel
 * further.
 */
#ifndef ELVIS_EXT_RENDER_H
#define ELVIS_EXT_RENDER_H

#include "lib/stringinfo.h"

#include <elvis/record.h>

/*
 * Appends records with no value in a richer form than `portable` (enum
 * elvis_column_form). Returns how many changes there are among them.  Settings must be
 * pinned unless `portable` is ELVIS_FORM_STORED.
 */
int64 render_records(StringInfo out, struct elvis_bytes in, uint8 portable);

#endif
