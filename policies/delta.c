/*
 * delta: counters add up.
 *
 * Of an UPDATE that meets a row changed here, a column that counts gets what the change
 * added or took away: local + (after - before).  Columns that do not count are taken
 * from whoever changed them; where both did, this abstains for the whole row, and so it
 * does where a number is null or has more than 18 digits.
 *
 * Sums do not depend on their order, and a change that fits adds the same as one that
 * does not, so counters end alike wherever changes go.  The columns beside them are as
 * in merge_columns, so two nodes.  Behind it belongs a policy that does not overwrite a
 * whole row, or what it overwrites was counted in vain.
 *
 * Floating-point numbers have sums that depend on the order, so they cannot be counted.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <elvis/order.h>
#include <elvis/policy.h>

enum { OPTION_COLUMNS };

static const struct elvis_option options[] = {
	[OPTION_COLUMNS] = { .name = "columns",
			     .type = ELVIS_OPTION_COLUMNS,
			     .required = true,
			     .help = "the columns that count, of integer or numeric type" },
	{ .name = NULL },
};

#define DIGITS_MAX 18
#define NUMBER_TEXT_SIZE 32

struct state {
	const struct elvis_host *host;
	const struct elvis_setting *columns;
};

/* A number: digits * 10^-scale */
struct amount {
	int64_t digits;
	int scale;
};

static bool
open(const struct elvis_host *host, const struct elvis_settings *settings, void **made)
{
	struct state *state = malloc(sizeof(*state));

	if (state == NULL) {
		host->fail(host, "out of memory");
		return false;
	}
	state->host = host;
	state->columns = elvis_setting(settings, OPTION_COLUMNS);
	*made = state;
	return true;
}

/* "-12.50"; false: not a number, or too long for us */
static bool
parse_amount(const struct elvis_value *value, struct amount *amount)
{
	const char *at = value->text;
	bool negative, point = false;
	int n = 0;

	*amount = (struct amount){ .digits = 0 };
	if (value->state != ELVIS_VALUE_TEXT)
		return false;
	negative = *at == '-';
	for (at += negative; elvis_is_digit(*at) || (*at == '.' && !point); at++) {
		if (*at == '.') {
			point = true;
			continue;
		}
		if (++n > DIGITS_MAX)
			return false;
		amount->digits = amount->digits * 10 + (*at - '0');
		amount->scale += point;
	}
	if (negative)
		amount->digits = -amount->digits;
	return n > 0 && *at == '\0';
}

static bool
rescale(struct amount *amount, int scale)
{
	for (; amount->scale < scale; amount->scale++)
		if (__builtin_mul_overflow(amount->digits, 10, &amount->digits))
			return false;
	return true;
}

/* local + (after - before) */
static bool
add_up(struct amount *local, struct amount *after, struct amount *before)
{
	int scale = local->scale;

	if (after->scale > scale)
		scale = after->scale;
	if (before->scale > scale)
		scale = before->scale;
	return rescale(local, scale) && rescale(after, scale) && rescale(before, scale) &&
	       !__builtin_sub_overflow(after->digits, before->digits, &after->digits) &&
	       !__builtin_add_overflow(local->digits, after->digits, &local->digits);
}

static void
print_amount(char text[NUMBER_TEXT_SIZE], const struct amount *amount)
{
	uint64_t digits = amount->digits < 0 ? -(uint64_t) amount->digits :
					       (uint64_t) amount->digits;
	uint64_t unit = 1;

	for (int i = 0; i < amount->scale; i++)
		unit *= 10;
	if (amount->scale == 0)
		snprintf(text, NUMBER_TEXT_SIZE, "%s%" PRIu64, amount->digits < 0 ? "-" : "",
			 digits);
	else
		snprintf(text, NUMBER_TEXT_SIZE, "%s%" PRIu64 ".%0*" PRIu64,
			 amount->digits < 0 ? "-" : "", digits / unit, amount->scale,
			 digits % unit);
}

static bool
count_column(const struct state *mine, const struct elvis_conflict *conflict, size_t column,
	     struct elvis_value *merged)
{
	struct amount local, after, before;
	char *text;

	if (!parse_amount(&conflict->local->values[column], &local) ||
	    !parse_amount(&conflict->remote->values[column], &after) ||
	    !parse_amount(&conflict->before[column], &before) ||
	    !add_up(&local, &after, &before))
		return false;
	text = mine->host->alloc(mine->host, NUMBER_TEXT_SIZE);
	print_amount(text, &local);
	*merged = (struct elvis_value){ .state = ELVIS_VALUE_TEXT,
					.length = (uint32_t) strlen(text),
					.text = text };
	return true;
}

static bool
is_counted(const struct state *mine, const char *name)
{
	for (size_t i = 0; i < mine->columns->n_strings; i++)
		if (strcmp(mine->columns->strings[i], name) == 0)
			return true;
	return false;
}

/* As merge_columns does it: what is here must be what was there, or be so already. */
static bool
take_column(const struct elvis_conflict *conflict, size_t column, struct elvis_value *merged)
{
	const struct elvis_value *after = &conflict->remote->values[column];
	const struct elvis_value *local = &conflict->local->values[column];

	if (elvis_value_same(local, after))
		return true;
	if (conflict->table->columns[column]->in_key ||
	    !elvis_value_same(local, &conflict->before[column]))
		return false;
	*merged = *after;
	return true;
}

static bool
merge_column(const struct state *mine, const struct elvis_conflict *conflict, size_t column,
	     struct elvis_value *merged)
{
	const struct elvis_column *about = conflict->table->columns[column];
	const struct elvis_value *after = &conflict->remote->values[column];

	if (about->generated || after->state == ELVIS_VALUE_NOT_CAPTURED ||
	    elvis_value_same(&conflict->before[column], after))
		return true;
	return is_counted(mine, about->name) ? count_column(mine, conflict, column, merged) :
					       take_column(conflict, column, merged);
}

/* A wrong type is wrong for every row, so it is said and not passed on. */
static bool
check_types(const struct state *mine, const struct elvis_table *table)
{
	for (size_t i = 0; i < table->n_columns; i++) {
		const char *type = table->columns[i]->type;

		if (!is_counted(mine, table->columns[i]->name) ||
		    elvis_type_is(type, "smallint") || elvis_type_is(type, "integer") ||
		    elvis_type_is(type, "bigint") || elvis_type_is(type, "numeric"))
			continue;
		mine->host->fail(mine->host, "column \"%s\" is of type %s; only integers and "
				 "numeric can be counted", table->columns[i]->name, type);
		return false;
	}
	return true;
}

static bool
decide(void *state, const struct elvis_conflict *conflict, struct elvis_verdict *verdict)
{
	const struct state *mine = state;
	size_t n = conflict->table->n_columns;
	struct elvis_value *row;

	if (!check_types(mine, conflict->table))
		return false;
	if (conflict->before == NULL || conflict->local == NULL)
		return true;
	row = mine->host->alloc(mine->host, sizeof(*row) * n);
	for (size_t i = 0; i < n; i++)
		if (!merge_column(mine, conflict, i, &row[i]))
			return true;
	verdict->action = ELVIS_MERGE;
	verdict->row = row;
	verdict->reason = "added up";
	return true;
}

ELVIS_POLICY("delta",
	     .version = "1.0",
	     .summary = "counters add up what every node has added",
	     .options = options,
	     .kinds = ELVIS_ON(UPDATE_DIFFERS),
	     .needs = ELVIS_NEEDS_BEFORE,
	     .converges = ELVIS_CONVERGES_TWO_NODES,
	     .open = open,
	     .decide = decide,
	     .close = free);
