/*
 * When the process is about to die of a signal: who did it.
 */
#ifndef DAEMON_CRASH_H
#define DAEMON_CRASH_H

/*
 * From now on a deadly signal first marks the breadcrumb of its thread and names the policy
 * on standard error, then kills as it would have.  Once, before there are threads.
 */
void crash_catch(void);

#endif
