/*
 * From a conflict to a verdict: the chain of policies, and what of it is known beforehand.
 *
 * Each policy is asked in turn until one does not abstain; at the end of every chain is
 * `strict`, which stops the link.  A verdict that does not suit the kind of conflict, or a policy
 * that fails, is a policy_error and stops the link too.
 */
#ifndef ENGINE_RESOLVER_H
#define ENGINE_RESOLVER_H

#include <stdint.h>

#include <elvis/sink.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "engine/ends.h"

/* The name under which the end of every chain answers */
#define POLICY_STRICT "strict"

/*
 * What the target may know beforehand about a table: for each kind the answer of the first
 * policy that decides that kind, if it gives one.  In the arena.  False: a policy failed.
 */
MUST_USE bool resolver_rules(const struct table_rules *table_rules,
			     const struct elvis_table *table, struct arena *arena,
			     const struct elvis_rules **rules, struct err *err);

/*
 * Asks.  `verdict` is never an abstention afterwards; what it points to lives as long as the
 * policies keep it, at least until they are asked again, or in the arena.  `policy` is the name
 * of whose verdict it is.
 */
void resolver_ask(const struct table_rules *table_rules, const struct elvis_conflict *conflict,
		  struct arena *arena, struct elvis_verdict *verdict, const char **policy);

#endif
