/*
 * A policy at work: one plugin with settings, for one link and one table.
 *
 * An instance belongs to one thread at a time.  What a policy says is checked here, so that
 * whoever asks gets a verdict that can be carried out, an abstention, or an error (class
 * ERR_REFUSED) with which the link stops as policy_error.
 */
#ifndef PLUGIN_POLICY_H
#define PLUGIN_POLICY_H

#include <stdbool.h>

#include <elvis/policy.h>

#include "base/attr.h"
#include "base/err.h"
#include "model/setting.h"
#include "plugin/breadcrumb.h"
#include "plugin/loader.h"

struct policy;

/*
 * Makes an instance.  The plugin is referenced, `settings` and `link` are copied, `slot`
 * may be NULL and must outlive the instance.  `table` NULL: column names among the settings
 * are not looked at until policy_fits_table().  False: a setting is wrong (ERR_CONFIG), or
 * the policy refuses (ERR_REFUSED).
 */
MUST_USE bool policy_open(struct policy **policy, const struct plugin *plugin,
			  const struct setting_list *settings, const char *link,
			  const struct elvis_table *table, struct breadcrumb_slot *slot,
			  struct err *err);

void policy_close(struct policy *policy); /* NULL is fine */

/* The columns that the settings name exist in this shape of the table (else ERR_CONFIG). */
MUST_USE bool policy_fits_table(const struct policy *policy, const struct elvis_table *table,
				struct err *err);

/*
 * Asks for a verdict, which may be ELVIS_ABSTAIN; a kind that the policy does not decide is
 * an abstention without asking.  What the verdict points to lives until this instance is
 * asked again or closed.
 */
MUST_USE bool policy_decide(struct policy *policy, const struct elvis_conflict *conflict,
			    struct elvis_verdict *verdict, struct err *err);

/*
 * Asks for the push-down: fills `answers`, whose room `answers->of` is the caller's.  All
 * ELVIS_ANSWER_ASK where the policy has none; kinds that it does not decide become the
 * verdict ELVIS_ABSTAIN, as an answer known beforehand.  Columns live as long as the
 * instance.
 */
MUST_USE bool policy_answers(struct policy *policy, const struct elvis_table *table,
			     struct elvis_answers *answers, struct err *err);

const char *policy_name(const struct policy *policy);
const struct plugin *policy_plugin(const struct policy *policy);

#endif
