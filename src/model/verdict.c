/*
 * verdict.c - what may be answered to what.
 */
#include "model/verdict.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *text;
} kinds[ELVIS_CONFLICT_KIND_END] = {
#define X(id, name, text) [ELVIS_##id] = { name, text },
	ELVIS_CONFLICT_KINDS(X)
#undef X
};

static const char *const verdicts[ELVIS_VERDICT_END] = {
	[ELVIS_ABSTAIN] = "abstain",
#define X(id, name, text) [ELVIS_##id] = name,
	ELVIS_VERDICTS(X)
#undef X
};

#define BIT(action) (1u << ELVIS_##action)

/* It can always be left, tried again, or left to a person. */
#define ANYWAY (BIT(KEEP_LOCAL) | BIT(RETRY) | BIT(STOP))

static const uint32_t suits[ELVIS_CONFLICT_KIND_END] = {
	[ELVIS_INSERT_EXISTS] = ANYWAY | BIT(APPLY_REMOTE) | BIT(MERGE) | BIT(DELETE_LOCAL) |
				BIT(REPLACE_BLOCKERS),
	[ELVIS_UPDATE_EXISTS] = ANYWAY | BIT(MERGE) | BIT(DELETE_LOCAL) | BIT(REPLACE_BLOCKERS),
	[ELVIS_MULTIPLE_UNIQUE_CONFLICTS] = ANYWAY | BIT(MERGE) | BIT(REPLACE_BLOCKERS),
	[ELVIS_UPDATE_MISSING] = ANYWAY | BIT(INSERT_REMOTE),
	[ELVIS_UPDATE_DIFFERS] = ANYWAY | BIT(APPLY_REMOTE) | BIT(MERGE) | BIT(DELETE_LOCAL),
	[ELVIS_DELETE_MISSING] = ANYWAY,
	[ELVIS_DELETE_DIFFERS] = ANYWAY | BIT(APPLY_REMOTE) | BIT(MERGE) | BIT(DELETE_LOCAL),
	[ELVIS_CONSTRAINT_VIOLATION] = ANYWAY | BIT(MERGE),
	[ELVIS_TYPE_ERROR] = ANYWAY | BIT(MERGE),
	[ELVIS_TARGET_TABLE_MISSING] = ANYWAY,
	[ELVIS_TARGET_COLUMN_MISSING] = ANYWAY | BIT(APPLY_REMOTE),
	[ELVIS_POLICY_ERROR] = BIT(STOP),
	[ELVIS_GAP] = BIT(KEEP_LOCAL) | BIT(STOP),
};

const char *
kind_name(uint32_t kind)
{
	return kind > 0 && kind < ELVIS_CONFLICT_KIND_END ? kinds[kind].name : "unknown";
}

const char *
kind_text(uint32_t kind)
{
	return kind > 0 && kind < ELVIS_CONFLICT_KIND_END ? kinds[kind].text : "unknown";
}

const char *
verdict_name(uint32_t action)
{
	return action < ELVIS_VERDICT_END ? verdicts[action] : "unknown";
}

bool
verdict_suits(uint32_t action, uint32_t kind)
{
	if (kind == 0 || kind >= ELVIS_CONFLICT_KIND_END || action >= ELVIS_VERDICT_END)
		return false;
	return action == ELVIS_ABSTAIN || (suits[kind] & (1u << action)) != 0;
}

const char *
verdict_list(char text[VERDICT_LIST_SIZE], uint32_t kind)
{
	size_t length = 0;
	uint32_t left = 0;

	text[0] = '\0';
	for (uint32_t action = 1; action < ELVIS_VERDICT_END; action++)
		left += verdict_suits(action, kind);
	for (uint32_t action = 1; action < ELVIS_VERDICT_END; action++)
		if (verdict_suits(action, kind))
			length += (size_t) snprintf(text + length, VERDICT_LIST_SIZE - length,
						    "%s%s", verdicts[action],
						    --left > 1 ? ", " : left == 1 ? " or " : "");
	return text;
}
