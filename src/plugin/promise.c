#include "plugin/promise.h"

#include <inttypes.h>
#include <string.h>

#include "base/attr.h"
#include "plugin/settings.h"

/* A kind's name, and up to where its structure goes that the first release had. */
struct shape {
	enum elvis_plugin_kind kind;
	const char *noun, *macro;
	size_t ours, least;
};

#define SIZE_UP_TO(type, member) \
	(offsetof(type, member) + sizeof(((type *) NULL)->member))

static const struct shape policy_shape = {
	.kind = ELVIS_PLUGIN_POLICY,
	.noun = "policy",
	.macro = "ELVIS_POLICY",
	.ours = sizeof(struct elvis_policy),
	.least = SIZE_UP_TO(struct elvis_policy, decide),
};

static const struct shape sink_shape = {
	.kind = ELVIS_PLUGIN_SINK,
	.noun = "sink",
	.macro = "ELVIS_SINK",
	.ours = sizeof(struct elvis_sink),
	.least = SIZE_UP_TO(struct elvis_sink, close),
};

static const char *
kind_noun(uint32_t kind)
{
	return kind == ELVIS_PLUGIN_POLICY ? "a policy"
	       : kind == ELVIS_PLUGIN_SINK ? "a sink"
					   : "of a kind that this program does not know";
}

static bool
check_head(const struct promise *promise, const struct shape *shape, struct err *err)
{
	struct elvis_abi abi;

	if (promise->symbol == NULL || promise->size < sizeof(abi))
		return err_set(
			err, ERR_CONFIG,
			"it exports no elvis_plugin; wanted a %s, which the macro %s "
			"makes of a file that includes <elvis/%s.h>",
			shape->noun, shape->macro, shape->noun);
	memcpy(&abi, promise->symbol, sizeof(abi));
	if (abi.kind != shape->kind)
		return err_set(err, ERR_CONFIG,
			       "it is %s; wanted a %s: name it where a %s is named, or "
			       "name a %s "
			       "here",
			       kind_noun(abi.kind), shape->noun,
			       shape->kind == ELVIS_PLUGIN_POLICY ? "sink" : "policy",
			       shape->noun);
	if (abi.major != ELVIS_ABI_MAJOR)
		return err_set(err, ERR_CONFIG,
			       "it was compiled for version %" PRIu32
			       " of the plugin interface; "
			       "wanted version %d: compile it again with the headers of "
			       "this elvis",
			       abi.major, ELVIS_ABI_MAJOR);
	if (abi.size < shape->least || abi.size > promise->size)
		return err_set(
			err, ERR_CONFIG,
			"it says that its description has %" PRIu32
			" bytes, and there are "
			"%zu; wanted at least %zu: let the macro %s fill in the size",
			abi.size, promise->size, shape->least, shape->macro);
	return true;
}

/* What an older plugin does not have reads as zero; what a newer one has more is left out. */
static bool
copy_known(const struct promise *promise, const struct shape *shape, void *ours,
	   struct err *err)
{
	struct elvis_abi abi;

	if (!check_head(promise, shape, err))
		return false;
	memcpy(&abi, promise->symbol, sizeof(abi));
	memset(ours, 0, shape->ours);
	memcpy(ours, promise->symbol, abi.size < shape->ours ? abi.size : shape->ours);
	return true;
}

/* One member that MUST be there */
struct must {
	const char *member;
	bool there;
};

static bool
check_musts(const struct must *musts, size_t count, const struct shape *shape,
	    struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (!musts[i].there)
			return err_set(
				err, ERR_CONFIG,
				"it has no %s; wanted one, as <elvis/%s.h> says: add "
				".%s = ... to its %s",
				musts[i].member, shape->noun, musts[i].member,
				shape->macro);
	return true;
}

static bool
check_name(const struct promise *promise, const char *name, struct err *err)
{
	if (strcmp(promise->name, name) == 0)
		return true;
	return err_set(err, ERR_CONFIG,
		       "it calls itself \"%s\"; wanted \"%s\", as the file is called: "
		       "rename one "
		       "of them",
		       name, promise->name);
}

static bool
check_options(const struct elvis_option *options, const struct shape *shape,
	      struct err *err)
{
	return options == NULL || options_check(options, shape->kind, err);
}

static bool
check_bits(uint64_t bits, uint64_t known, const char *member, struct err *err)
{
	if ((bits & ~known) == 0)
		return true;
	return err_set(err, ERR_CONFIG,
		       "its %s are 0x%" PRIx64 ", of which this elvis knows 0x%" PRIx64
		       "; wanted "
		       "no others: take a newer elvis or leave them out",
		       member, bits, known);
}

/* What orders versions has to say by what, or it could not be carried out on every change. */
static bool
check_ordered(const struct elvis_policy *policy, struct err *err)
{
	if (!policy->ordered || policy->answers != NULL)
		return true;
	return err_set(err, ERR_CONFIG,
		       "it is ordered and has no answers(); wanted one that gives "
		       "ELVIS_ANSWER_GREATER_WINS for update_differs");
}

static bool
check_range(uint32_t value, uint32_t last, const char *member, const char *type,
	    struct err *err)
{
	if (value <= last)
		return true;
	return err_set(err, ERR_CONFIG,
		       "its %s is %" PRIu32 "; wanted one of enum %s, 0 to %" PRIu32,
		       member, value, type, last);
}

static bool
policy_has_all(const struct elvis_policy *policy, struct err *err)
{
	const struct must musts[] = {
		{ "name", policy->name != NULL },
		{ "version", policy->version != NULL },
		{ "summary", policy->summary != NULL },
		{ "decide", policy->decide != NULL },
	};

	return check_musts(musts, ARRAY_LEN(musts), &policy_shape, err);
}

bool
promise_policy(const struct promise *promise, struct elvis_policy *policy,
	       struct err *err)
{
	return copy_known(promise, &policy_shape, policy, err) &&
	       policy_has_all(policy, err) && check_name(promise, policy->name, err) &&
	       check_bits(policy->needs, ELVIS_NEEDS_BEFORE | ELVIS_NEEDS_LARGE_VALUES,
			  "needs", err) &&
	       check_range(policy->converges, ELVIS_CONVERGES_ALWAYS, "converges",
			   "elvis_convergence", err) &&
	       check_ordered(policy, err) &&
	       check_options(policy->options, &policy_shape, err);
}

static bool
sink_has_all(const struct elvis_sink *sink, struct err *err)
{
	const bool keeps = sink->flags & ELVIS_SINK_KEEPS_POSITION;
	const struct must musts[] = {
		{ "name", sink->name != NULL },
		{ "version", sink->version != NULL },
		{ "summary", sink->summary != NULL },
		{ "open", sink->open != NULL },
		{ "position", sink->position != NULL || !keeps },
		{ "begin", sink->begin != NULL },
		{ "write", sink->write != NULL },
		{ "commit", sink->commit != NULL },
		{ "rollback", sink->rollback != NULL },
		{ "close", sink->close != NULL },
	};

	return check_musts(musts, ARRAY_LEN(musts), &sink_shape, err);
}

bool
promise_sink(const struct promise *promise, struct elvis_sink *sink, struct err *err)
{
	return copy_known(promise, &sink_shape, sink, err) && sink_has_all(sink, err) &&
	       check_name(promise, sink->name, err) &&
	       check_range(sink->format, ELVIS_SINK_RECORDS, "format",
			   "elvis_sink_format", err) &&
	       check_bits(sink->flags,
			  ELVIS_SINK_KEEPS_POSITION | ELVIS_SINK_MEETS_CONFLICTS, "flags",
			  err) &&
	       check_options(sink->options, &sink_shape, err);
}
