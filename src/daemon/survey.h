/*
 * The databases held against the configuration before links run: who was set up rightly may have
 * been changed since.
 */
#ifndef DAEMON_SURVEY_H
#define DAEMON_SURVEY_H

#include "base/attr.h"
#include "base/err.h"
#include "conf/conf.h"
#include "plugin/loader.h"

/*
 * ERR_CONFIG, with file and line: run like this, nodes would come to differ, or changes would
 * arrive twice.  Attached tables whose triggers are missing or disabled are warned of.  Nodes
 * that do not answer within seconds are passed over, and all of it once `stop_fd` is readable:
 * links wait for their databases, not for this.
 */
MUST_USE bool survey(const struct conf *conf, struct plugin_set *plugins, int stop_fd,
		     const char *subject, struct err *err);

#endif
