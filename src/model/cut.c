/*
 * cut.c - the end of a target transaction, by its bytes and its tables.
 */
#include "model/cut.h"

/* Of each of its tables, on the average: opening one takes as long as some ten small rows do, and
 * there is room for a few hundred of them in so much. */
#define BYTES_A_TABLE ((size_t) 16 << 10)

/* So many cost little, whatever there is of them. */
#define FEW_TABLES 16

void
cut_start(struct cut *cut)
{
	*cut = (struct cut){
		.limit = cut->limit,
		.most = cut->most,
		.turn = cut->turn + 1,
	};
}

void
cut_count(struct cut *cut, struct cut_share *share, bool rewrites, size_t length)
{
	if (share->turn != cut->turn) {
		*share = (struct cut_share){ .turn = cut->turn };
		cut->tables++;
	}
	if (rewrites) {
		share->rewritten += length;
		cut->piled |= share->rewritten >= cut->limit;
	}
}

bool
cut_is_due(struct cut *cut, size_t bytes)
{
	if (bytes < cut->limit)
		return false;
	if (cut->tables_at_limit == 0)
		cut->tables_at_limit = cut->tables;
	return bytes >= cut->most || cut->piled || cut->tables <= FEW_TABLES ||
	       bytes / BYTES_A_TABLE >= cut->tables ||
	       cut->tables > 2 * cut->tables_at_limit;
}
