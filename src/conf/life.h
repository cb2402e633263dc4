/*
 * Inside conf/ only: how a configuration begins and ends.
 */
#ifndef CONF_LIFE_H
#define CONF_LIFE_H

#include <stdatomic.h>

#include "base/arena.h"
#include "conf/conf.h"

struct conf_life {
	struct arena *arena;	/* holds the configuration and all it points to */
	atomic_int references;
};

/* A configuration with every option at its default, to be filled; conf_unref() ends it. */
MUST_USE struct conf *conf_new(const char *origin, struct arena **arena);

#endif
