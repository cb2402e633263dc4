/*
 * What a module must be before it may be called: the right kind, the right version of the
 * interface, and everything that the interface says it MUST have.
 */
#ifndef PLUGIN_PROMISE_H
#define PLUGIN_PROMISE_H

#include <stdbool.h>
#include <stddef.h>

#include <elvis/policy.h>
#include <elvis/sink.h>

#include "base/attr.h"
#include "base/err.h"

/* What was found in the module. */
struct promise {
	const char *name;   /* as the file is called */
	const void *symbol; /* its elvis_plugin; NULL: there is none */
	size_t size;        /* of the symbol, as the linker knows it */
};

/*
 * Copies the plugin's structure into ours, as much of it as both know, the rest zero.
 * False (ERR_CONFIG): what was found, what was wanted, what to do; without the file's name.
 */
MUST_USE bool promise_policy(const struct promise *promise, struct elvis_policy *policy,
			     struct err *err);
MUST_USE bool promise_sink(const struct promise *promise, struct elvis_sink *sink,
			   struct err *err);

#endif
