/*
 * policy.h - all that the author of a conflict policy includes.
 *
 * A policy decides; it does not write.  It is a pure function of the conflict and its settings: no
 * SQL, no I/O, no clock, no static variables (instances of one .so run on several threads).  It
 * must be quick: rows are locked while it thinks.  Seen from the other node, local and remote
 * change places; a policy that is to converge must then name the same surviving row.
 *
 *	#include <elvis/policy.h>
 *
 *	static bool
 *	decide(void *state, const struct elvis_conflict *c, struct elvis_verdict *v)
 *	{
 *		(void) state;
 *		v->action = c->local ? ELVIS_KEEP_LOCAL : ELVIS_ABSTAIN;
 *		return true;
 *	}
 *
 *	ELVIS_POLICY("mine", .version = "1", .summary = "the local row stays", .decide = decide);
 *
 *	cc -shared -fPIC $(pkg-config --cflags elvis-plugin) mine.c -o mine.so
 *	elvisctl check-policy ./mine.so
 *
 * <elvis/order.h> compares values and rows.
 */
#ifndef ELVIS_POLICY_H
#define ELVIS_POLICY_H

#include <elvis/conflict.h>

/* How far the policy makes nodes that all write the same table end alike. */
enum elvis_convergence {
	ELVIS_CONVERGES_ONE_WAY = 0,	/* one node writes, the other follows */
	ELVIS_CONVERGES_TWO_NODES,	/* two nodes may write */
	ELVIS_CONVERGES_ALWAYS,		/* any number may write */
};

/* What the policy needs to see (bits). */
enum elvis_needs {
	ELVIS_NEEDS_BEFORE = 1,		/* the before image */
	ELVIS_NEEDS_LARGE_VALUES = 2,	/* large values that are not new, too: elvisctl apply has the
					 * table capture them; it is not asked where one is lacking */
};

/*
 * The push-down: what the policy would say to a kind of conflict whatever the rows hold, so that
 * the target can carry it out without asking.  Frozen.  Zero is "ask me".
 */
enum elvis_answer_rule {
	ELVIS_ANSWER_ASK = 0,
	ELVIS_ANSWER_VERDICT,		/* always `verdict`; ELVIS_ABSTAIN: the next of the chain */
	ELVIS_ANSWER_GREATER_WINS,	/* the side whose `column` is greater, by the type's own
					 * order, NULL below all; on a tie elvis_row_cmp() of
					 * <elvis/order.h>, so that both nodes choose alike.
					 * The winner is written whole.  For kinds that have two
					 * rows: insert_exists, update_differs, and the two of
					 * unique keys, where it replaces the rows in the way */
};

struct elvis_answer {
	uint32_t rule;		/* enum elvis_answer_rule */
	uint32_t verdict;	/* enum elvis_verdict_action, for ELVIS_ANSWER_VERDICT */
	const char *column;	/* for ELVIS_ANSWER_GREATER_WINS; lives as long as the instance */
};

/* Filled by answers() through elvis_answer_set(); count is the running daemon's. */
struct elvis_answers {
	uint32_t count;
	struct elvis_answer *of;	/* indexed by enum elvis_conflict_kind */
};

static inline void
elvis_answer_set(struct elvis_answers *answers, uint32_t kind, struct elvis_answer answer)
{
	if (kind < answers->count)
		answers->of[kind] = answer;
}

/* The same verdict for every kind the daemon knows. */
static inline void
elvis_answer_always(struct elvis_answers *answers, enum elvis_verdict_action verdict)
{
	for (uint32_t kind = 1; kind < answers->count; kind++)
		answers->of[kind] = (struct elvis_answer){
			.rule = ELVIS_ANSWER_VERDICT, .verdict = (uint32_t) verdict };
}

struct elvis_policy {
	struct elvis_abi abi;	/* set by ELVIS_POLICY */
	const char *name;	/* MUST: as the configuration names it */
	const char *version;	/* MUST: the author's own */
	const char *summary;	/* MUST: one line, shown by elvisctl policies */
	const struct elvis_option *options;	/* MAY: ends with a NULL name */

	/* MAY: bits (1 << kind) of the kinds it decides; 0: all.  It is not asked about others. */
	uint64_t kinds;
	uint32_t needs;		/* MAY: bits of enum elvis_needs */
	uint32_t converges;	/* MAY: enum elvis_convergence */

	/*
	 * MAY be true: the rule orders versions (newest, greatest) and is carried out on EVERY
	 * change, also on one that fits, because a fit by value is no proof of order.  answers()
	 * MUST then give ELVIS_ANSWER_GREATER_WINS for update_differs.
	 */
	bool ordered;

	/*
	 * MAY: make an instance.  Called once per link and table, before the first decision and
	 * again after a reload, on the link's thread.  `host` and `settings` live until close.
	 * False: refused (say why by host->fail); the link does not start.
	 */
	bool (*open)(const struct elvis_host *host, const struct elvis_settings *settings,
		     void **state);

	/*
	 * MUST: give a verdict, or leave ELVIS_ABSTAIN.  On the link's thread, never twice at once
	 * for one instance.  May keep nothing of what it is handed.  False: it failed; the link
	 * stops with policy_error.
	 */
	bool (*decide)(void *state, const struct elvis_conflict *, struct elvis_verdict *);

	/* MAY: undo open. */
	void (*close)(void *state);

	/* MAY: the push-down for this table; may be called again when the table's shape changes. */
	void (*answers)(void *state, const struct elvis_table *, struct elvis_answers *);
};

/* Defines and exports the plugin; members by designator, see the example above. */
#define ELVIS_POLICY(policy_name, ...)					\
	extern const struct elvis_policy elvis_plugin;			\
	ELVIS_EXPORT const struct elvis_policy elvis_plugin = {		\
		.abi = { ELVIS_PLUGIN_POLICY, ELVIS_ABI_MAJOR,		\
			 sizeof(struct elvis_policy), 0 },		\
		.name = policy_name, __VA_ARGS__ }

#endif
