/* A row trigger that does nothing: what any trigger costs before it does its work. */
#include "postgres.h"

#include "commands/trigger.h"
#include "fmgr.h"

PG_MODULE_MAGIC;

Datum bench_empty_trigger(PG_FUNCTION_ARGS);
PG_FUNCTION_INFO_V1(bench_empty_trigger);

Datum
bench_empty_trigger(PG_FUNCTION_ARGS)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		elog(ERROR, "bench_empty_trigger is called by triggers only");
	return PointerGetDatum(NULL);
}
