/*
 * pins.c - the settings that forms of values depend on, set for a call and put back.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "pgtime.h"
#include "utils/bytea.h"
#include "utils/float.h"
#include "utils/guc.h"

#include "value.h"

static void
pin(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
				 true, 0, false);
}

static bool
formats_are_pinned(void)
{
	return DateStyle == USE_ISO_DATES && IntervalStyle == INTSTYLE_POSTGRES &&
	       extra_float_digits == 1 && bytea_output == BYTEA_OUTPUT_HEX &&
	       strcmp(namespace_search_path, "pg_catalog, pg_temp") == 0 &&
	       strcmp(pg_get_timezone_name(session_timezone), "GMT") == 0;
}

int
value_pin(int pins)
{
	bool encoding = (pins & VALUE_PIN_ENCODING) != 0 &&
			pg_get_client_encoding() != value_wire_encoding();
	bool formats = (pins & VALUE_PIN_FORMATS) != 0 && !formats_are_pinned();
	int nest;

	if (!encoding && !formats)
		return 0;
	nest = NewGUCNestLevel();
	if (encoding)
		pin("client_encoding", pg_encoding_to_char(value_wire_encoding()));
	if (formats) {
		pin("DateStyle", "ISO, YMD");
		pin("IntervalStyle", "postgres");
		pin("extra_float_digits", "1");
		pin("bytea_output", "hex");
		pin("TimeZone", "GMT");
		pin("search_path", "pg_catalog, pg_temp");
	}
	return nest;
}

void
value_unpin(int nest)
{
	if (nest != 0)
		AtEOXact_GUC(true, nest);
}
