#include "postgres.h"

#include "inval.h"

#define LISTENERS 16

static RelcacheCallbackFunction listeners[LISTENERS];
static int count;

static void
tell_all(Datum arg, Oid relid)
{
	for (int i = 0; i < count; i++)
		listeners[i](arg, relid);
}

void
inval_relation(RelcacheCallbackFunction forget)
{
	if (count == 0)
		CacheRegisterRelcacheCallback(tell_all, (Datum) 0);
	if (count == LISTENERS)
		elog(ERROR, "too many files of elvis listen");
	listeners[count++] = forget;
}
