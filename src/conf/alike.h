/*
 * Inside conf/ only: whether two rules decide alike.
 */
#ifndef CONF_ALIKE_H
#define CONF_ALIKE_H

#include "base/attr.h"
#include "conf/conf.h"

/* For each kind of conflict they have the same policies, in the same order, set alike. */
MUST_USE bool rule_decides_alike(const struct conf_rule *a, const struct conf_rule *b);

#endif
