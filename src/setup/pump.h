/*
 * One table's rows from one session to another, as COPY writes them.
 */
#ifndef SETUP_PUMP_H
#define SETUP_PUMP_H

#include "base/attr.h"
#include "base/err.h"
#include "pg/conn.h"
#include "setup/inventory.h"

/* How a table's rows travel */
struct pump_form {
	const char *columns;	/* as SQL, for both sides */
	const char *names;	/* the same as an array's literal */
	bool binary;
};

/*
 * The columns that both sides have and store.  A column of the source that the target lacks is
 * ERR_CONFIG.  Binary where both sides would read it alike.
 */
MUST_USE bool pump_form(struct pump_form *form, struct conn *source, struct conn *target,
			const struct inventory_table *from, const struct inventory_table *to,
			struct arena *arena, struct err *err);

/* Pages of a table, before `end`, or to its own end when that is 0: all of it when both are 0 */
struct pump_pages {
	int64_t begin, end;
};

typedef void pump_listener(void *context, int64_t bytes);

/* Within the transactions that both sessions are in. */
MUST_USE bool pump_rows(const struct pump_form *form, struct conn *source,
			struct conn *target, const struct inventory_table *from,
			const struct inventory_table *to, struct pump_pages pages,
			struct arena *arena, pump_listener *listener, void *context,
			struct err *err);

#endif
