/*
 * Inside conf/ only: reading one element of a link's `tables`.
 */
#ifndef CONF_RULE_H
#define CONF_RULE_H

#include "conf/reader.h"

/* A group, or a pattern alone for the policy strict; `item` is a struct conf_rule. */
MUST_USE bool read_rule(struct reader *r, const config_setting_t *setting, void *item);

#endif
