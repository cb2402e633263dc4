/*
 * late_writer.c - a module that writes into a table when everybody else has done his last things
 * before commit: its callback was registered before elvis was loaded, and callbacks run in the
 * reverse order.
 *
 *	LOAD 'late_writer';
 *	SET late_writer.statement = 'insert ...';
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

PG_MODULE_MAGIC;

void _PG_init(void);

static char *statement;

static void
write_late(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_PRE_COMMIT || statement == NULL || statement[0] == '\0' ||
	    !TransactionIdIsValid(GetTopTransactionIdIfAny()))
		return;
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	if (SPI_execute(statement, false, 0) < 0)
		elog(ERROR, "the late statement failed");
	SPI_finish();
	PopActiveSnapshot();
}

void
_PG_init(void)
{
	DefineCustomStringVariable("late_writer.statement", "Run before each commit that wrote.",
				   NULL, &statement, "", PGC_USERSET, 0, NULL, NULL, NULL);
	RegisterXactCallback(write_late, NULL);
}
