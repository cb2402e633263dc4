/*
 * The directory for what must outlive a crash of elvisd but not of the machine.
 */
#ifndef DAEMON_RUNDIR_H
#define DAEMON_RUNDIR_H

#include "base/attr.h"
#include "base/err.h"

/*
 * `wanted` is the setting, `fallback` what it is unless it was set.  Makes the directory where it
 * is not there.  An ordinary user, who has no right to the fallback, gets one of his own: elvis
 * in $XDG_RUNTIME_DIR, or elvis-UID in /tmp.  The path is the caller's to free; NULL: neither
 * could be had, `err` (ERR_CONFIG) says why.
 */
MUST_USE char *rundir_make(const char *wanted, const char *fallback, struct err *err);

/*
 * A file in it that belongs to one configuration, named after where that lies, so that several
 * daemons may share the directory: "etc-elvis-elvis.conf" and the ending.  The caller's to free.
 */
MUST_USE char *rundir_file(const char *rundir, const char *config, const char *ending);

#endif
