/*
 * Inside conf/ only: what a lint has found, each thing once.
 *
 * Ten thousand tables under one bad rule are one finding: two with the same `about` and `also`
 * and the same sentence before its first argument are told as the first of them and a count.
 */
#ifndef CONF_FINDING_H
#define CONF_FINDING_H

#include "base/arena.h"
#include "base/attr.h"
#include "conf/topology.h"

struct findings;

struct finding_place {
	const char *file;	/* NULL: no one place */
	int line;
	const void *about, *also;	/* what makes it another finding */
};

MUST_USE struct findings *findings_new(struct arena *arena);
void finding_add(struct findings *findings, enum topology_severity severity,
		 const struct finding_place *place, const char *format, ...) PRINTF_LIKE(4, 5);
MUST_USE const struct topology_finding *findings_finish(struct findings *findings,
							size_t *count);

#endif
