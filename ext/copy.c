/*
 * copy.c - a table's first rows come from another node, and are to be known as that node's.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/guc.h"
#include "utils/timestamp.h"

#include "capture.h"
#include "unix_time.h"

PG_FUNCTION_INFO_V1(elvis_begin_copy);

/*
 * What this transaction writes was first written at node `source` and came from there: a link back
 * to it sends none of it, links to others pass it on as that node's.  Triggers that are not for
 * replicas do not fire, among them those that refuse users and those that check foreign keys.
 *
 * To be called by members of elvis_admin, who need not be superusers for this one setting.
 */
Datum
elvis_begin_copy(PG_FUNCTION_ARGS)
{
	int32 source = PG_GETARG_INT32(0);

	if (source <= 0)
		ereport(ERROR,
			errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			errmsg("%d is not the number of a node", source));
	(void) set_config_option("session_replication_role", "replica", PGC_SUSET, PGC_S_SESSION,
				 GUC_ACTION_LOCAL, true, 0, false);
	capture_set_context((uint32) source, (uint32) source,
			    timestamp_to_unix(GetCurrentTimestamp()), 0);
	PG_RETURN_VOID();
}
