/*
 * unix_time.h - the server's time and the wire's: microseconds since 2000 and since 1970.
 */
#ifndef ELVIS_EXT_UNIX_TIME_H
#define ELVIS_EXT_UNIX_TIME_H

#include "common/int.h"
#include "datatype/timestamp.h"

#define UNIX_TIME_OFFSET \
	((int64) (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * SECS_PER_DAY * USECS_PER_SEC)

/* What is beyond the calendar becomes its end: a time from the wire is anybody's number. */
static inline TimestampTz
timestamp_from_unix(int64 us)
{
	TimestampTz at;

	if (pg_sub_s64_overflow(us, UNIX_TIME_OFFSET, &at) || !IS_VALID_TIMESTAMP(at))
		return us < 0 ? DT_NOBEGIN : DT_NOEND;
	return at;
}

static inline int64
timestamp_to_unix(TimestampTz at)
{
	return at + UNIX_TIME_OFFSET;
}

#endif
