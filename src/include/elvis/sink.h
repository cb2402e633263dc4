/*
 * sink.h - all that the author of a sink includes.
 *
 * A sink takes a link's changes somewhere.  One instance per link, all calls on that link's
 * thread, in this order:
 *
 *	open  position  { table*  begin  (table* write)+  commit | rollback }*  durable*  close
 *
 * What lies between begin and commit is a set of whole source transactions; a sink that can makes
 * it one transaction of its own, together with the position it is handed at commit.
 */
#ifndef ELVIS_SINK_H
#define ELVIS_SINK_H

#include <elvis/policy.h>

enum elvis_result {
	ELVIS_SINK_OK = 0,
	ELVIS_SINK_RETRY,		/* try again later: connection lost, deadlock, no space */
	ELVIS_SINK_STOPPED,		/* the link must stop until an operator resumes it */
	ELVIS_SINK_FATAL,		/* cannot work as configured; the link does not run */
};

/* What a sink wants to be handed. */
enum elvis_sink_format {
	ELVIS_SINK_ROWS = 0,	/* struct elvis_change with values as text */
	ELVIS_SINK_RECORDS,	/* the bytes of <elvis/record.h>, as compact as they come */
};

enum elvis_sink_flags {
	ELVIS_SINK_KEEPS_POSITION = 1,	/* position() is the truth; else the source keeps it and
					 * a batch may be delivered twice after a crash */
	ELVIS_SINK_MEETS_CONFLICTS = 2,	/* it asks; the link's tables need policies */
};

/* Rules for one table on this link. */
enum elvis_detect {
	ELVIS_DETECT_BEFORE_IMAGE = 0,	/* the whole before image must match */
	ELVIS_DETECT_CHANGED_COLUMNS,	/* only the columns the change changes, and the key */
	ELVIS_DETECT_KEY,		/* only that the row is there */
	ELVIS_DETECT_ORDER,		/* every change is put to the ordered answer */
};

struct elvis_rules {
	uint32_t detect;	/* enum elvis_detect */
	size_t n_ignored;	/* columns that detection leaves out */
	const char *const *ignored;
	uint32_t n_answers;
	const struct elvis_answer *answers;	/* indexed by enum elvis_conflict_kind */
	const char *const *policies;	/* for each kind the name of the policy that answers;
					 * the whole chain's where it is to be asked */
};

/* Some of a target transaction's changes. */
struct elvis_piece {
	const struct elvis_change *const *changes;	/* ELVIS_SINK_ROWS */
	size_t n_changes;
	const void *records;	/* ELVIS_SINK_RECORDS: whole records, <elvis/record.h> */
	size_t length;
};

struct elvis_link {
	const char *name;
	const char *uuid;	/* 36 characters: the link's identity, whatever its name */
	uint32_t source;	/* number of the source node */
	int64_t incarnation;	/* of the source node */
	uint32_t target;	/* number of the target node; 0: not a node */
	const char *source_signature;	/* elvis.signature() of the source */

	/*
	 * Becomes readable when the link is to stop: whoever waits inside a sink must wait for it
	 * too and return ELVIS_SINK_RETRY.
	 */
	int stop_fd;

	/*
	 * Ask the table's policies.  True: `verdict` holds an answer (never ELVIS_ABSTAIN), and
	 * `policy` the name of the policy that gave it.  False: the question could not be put;
	 * return ELVIS_SINK_RETRY.
	 */
	bool (*ask)(const struct elvis_link *, const struct elvis_conflict *,
		    struct elvis_verdict *, const char **policy);
	void *context;		/* the daemon's own */
};

struct elvis_sink {
	struct elvis_abi abi;	/* set by ELVIS_SINK */
	const char *name;	/* MUST */
	const char *version;	/* MUST */
	const char *summary;	/* MUST */
	const struct elvis_option *options;	/* MAY */
	uint32_t format;	/* enum elvis_sink_format */
	uint32_t flags;		/* bits of enum elvis_sink_flags */

	/* MUST: `host`, `link` and `settings` live until close.  Called again after ELVIS_SINK_RETRY
	 * from any call but write and commit of a sink that can roll back. */
	enum elvis_result (*open)(const struct elvis_host *, const struct elvis_link *,
				  const struct elvis_settings *, void **state);

	/* MUST when it keeps positions: where it stands; *known false: nowhere yet. */
	enum elvis_result (*position)(void *state, struct elvis_position *, bool *known);

	/* MAY: a table's shape and rules, before the first change that refers to it, after each
	 * open, and again when either changes.  Both live until replaced or close.  A sink of
	 * records meets them in the stream as well, as a TABLE record. */
	enum elvis_result (*table)(void *state, const struct elvis_table *,
				   const struct elvis_rules *);

	/* MUST: a target transaction begins that continues from `position`. */
	enum elvis_result (*begin)(void *state, const struct elvis_position *position);

	/* MUST: some of its changes.  May return before they have taken effect; what goes wrong
	 * is then told by the next call.  The piece lives until this returns: one source
	 * transaction may be larger than memory. */
	enum elvis_result (*write)(void *state, const struct elvis_piece *);

	/* MUST: make it whole and remember `next`, made at the source at `at` (us since 1970).  A
	 * sink with `settle` may return before it is whole. */
	enum elvis_result (*commit)(void *state, const struct elvis_position *next, int64_t at);

	/* MUST: as if begin had not been called.  Also after a failed write or commit. */
	void (*rollback)(void *state);

	/* MAY: the newest position that no crash of the target takes back; at most once a second.
	 * Absent: what commit returned ELVIS_SINK_OK for is durable. */
	enum elvis_result (*durable)(void *state, struct elvis_position *, bool *known);

	/* MUST: release everything, without waiting for anybody. */
	void (*close)(void *state);

	/* MAY, for ELVIS_SINK_RECORDS: after open, the richest form of values that it can take,
	 * enum elvis_column_form of <elvis/record.h>.  Absent: ELVIS_FORM_STORED. */
	uint32_t (*form)(void *state);
	/* MAY, with `durable`: wait until what was committed is whole.  Called when nothing follows
	 * at once.  Until then the next write or commit, or this, tells that it is not to be: what
	 * came after it must not have taken effect either. */
	enum elvis_result (*settle)(void *state);
};

#define ELVIS_SINK(sink_name, ...)					\
	extern const struct elvis_sink elvis_plugin;			\
	ELVIS_EXPORT const struct elvis_sink elvis_plugin = {		\
		.abi = { ELVIS_PLUGIN_SINK, ELVIS_ABI_MAJOR,		\
			 sizeof(struct elvis_sink), 0 },		\
		.name = sink_name, __VA_ARGS__ }

#endif
