/*
 * order.h - the order of values, as far as their text tells it.
 *
 * For policies that compare rows, by a column or column by column.  Numbers, dates, timestamps and
 * uuids compare as they do in the database.  Text does not: that would take its collation.
 */
#ifndef ELVIS_ORDER_H
#define ELVIS_ORDER_H

#include <elvis/conflict.h>

/* A number in its parts: sign * 0.d1d2d3... * 10^lead.  Past every number come 'i' and 'n'. */
struct elvis_decimal {
	int sign;		/* -1, 0, 1 */
	char special;		/* 'i' infinity, 'n' not a number, 0 */
	int64_t lead;
	const char *digits;	/* from the first that is not 0; may have a point in it */
};

static inline bool
elvis_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
elvis_decimal_exponent(const char *text, int64_t *exponent)
{
	bool negative = *text == '-';

	*exponent = 0;
	if (*text == '-' || *text == '+')
		text++;
	if (!elvis_is_digit(*text))
		return false;
	for (; elvis_is_digit(*text) && *exponent < 1000000; text++)
		*exponent = *exponent * 10 + (*text - '0');
	if (negative)
		*exponent = -*exponent;
	return *text == '\0';
}

static inline bool
elvis_decimal_parse(const char *text, struct elvis_decimal *number)
{
	int64_t before_point = 0, zeros = 0, exponent = 0;
	bool point = false, any = false;

	*number = (struct elvis_decimal){ .sign = *text == '-' ? -1 : 1 };
	if (*text == '-' || *text == '+')
		text++;
	if (strcmp(text, "Infinity") == 0 || strcmp(text, "NaN") == 0) {
		number->special = *text == 'I' ? 'i' : 'n';
		return true;
	}
	for (; elvis_is_digit(*text) || (*text == '.' && !point); text++) {
		if (*text == '.') {
			point = true;
			continue;
		}
		any = true;
		before_point += !point;
		if (number->digits == NULL && *text == '0')
			zeros++;
		else if (number->digits == NULL)
			number->digits = text;
	}
	if ((*text == 'e' || *text == 'E') && elvis_decimal_exponent(text + 1, &exponent))
		text = "";
	if (number->digits == NULL)
		number->sign = 0;
	number->lead = before_point - zeros + exponent;
	return any && *text == '\0';
}

/* The next digit, 0 after the last. */
static inline int
elvis_decimal_digit(const char **at)
{
	if (**at == '.')
		++*at;
	return elvis_is_digit(**at) ? *(*at)++ - '0' : 0;
}

static inline bool
elvis_decimal_ended(const char *at)
{
	return !elvis_is_digit(*at) && !(*at == '.' && elvis_is_digit(at[1]));
}

static inline int
elvis_decimal_magnitude_cmp(const struct elvis_decimal *a, const struct elvis_decimal *b)
{
	const char *x = a->digits, *y = b->digits;

	if (a->lead != b->lead)
		return a->lead < b->lead ? -1 : 1;
	while (!elvis_decimal_ended(x) || !elvis_decimal_ended(y)) {
		int difference = elvis_decimal_digit(&x) - elvis_decimal_digit(&y);

		if (difference != 0)
			return difference;
	}
	return 0;
}

/* Where a special stands among the others: -infinity, numbers, infinity, not a number. */
static inline int
elvis_decimal_rank(const struct elvis_decimal *number)
{
	return number->special == 'n' ? 2 : number->special == 'i' ? number->sign : 0;
}

static inline int
elvis_decimal_cmp(const struct elvis_decimal *a, const struct elvis_decimal *b)
{
	if (a->special || b->special)
		return elvis_decimal_rank(a) - elvis_decimal_rank(b);
	if (a->sign != b->sign)
		return a->sign - b->sign;
	if (a->sign == 0)
		return 0;
	return a->sign * elvis_decimal_magnitude_cmp(a, b);
}

/* A date or timestamp in ISO form at UTC: the year, and what follows it, which has an order. */
struct elvis_moment {
	int infinite;		/* -1, 0, 1 */
	int64_t year;		/* BC: below 1 */
	const char *rest;	/* "-05-01 12:00:00.5" */
	size_t length;
};

static inline bool
elvis_moment_parse(const char *text, struct elvis_moment *moment)
{
	size_t length;

	*moment = (struct elvis_moment){ .infinite = strcmp(text, "infinity") == 0 ? 1 :
						     strcmp(text, "-infinity") == 0 ? -1 : 0 };
	if (moment->infinite != 0)
		return true;
	if (!elvis_is_digit(*text))
		return false;
	for (; elvis_is_digit(*text) && moment->year < 10000000; text++)
		moment->year = moment->year * 10 + (*text - '0');
	length = strlen(text);
	if (length > 3 && strcmp(text + length - 3, " BC") == 0) {
		moment->year = 1 - moment->year;
		length -= 3;
	}
	if (length > 3 && memcmp(text + length - 3, "+00", 3) == 0)
		length -= 3;
	moment->rest = text;
	moment->length = length;
	/* another offset, or another style than ISO, has no order that text tells */
	return length >= 6 && text[0] == '-' && memchr(text, '+', length) == NULL &&
	       (length == 6 || (text[6] == ' ' && memchr(text + 6, '-', length - 6) == NULL));
}

static inline int
elvis_moment_cmp(const struct elvis_moment *a, const struct elvis_moment *b)
{
	size_t common = a->length < b->length ? a->length : b->length;
	int order;

	if (a->infinite != b->infinite)
		return a->infinite - b->infinite;
	if (a->infinite != 0)
		return 0;
	if (a->year != b->year)
		return a->year < b->year ? -1 : 1;
	order = memcmp(a->rest, b->rest, common);
	if (order != 0)
		return order;
	return a->length == b->length ? 0 : a->length < b->length ? -1 : 1;
}

/* "numeric(10,2)" and "timestamp(3) with time zone" begin as their types do. */
static inline bool
elvis_type_is(const char *type, const char *name)
{
	size_t length = strlen(name);

	return strncmp(type, name, length) == 0 &&
	       (type[length] == '\0' || type[length] == '(' || type[length] == ' ');
}

static inline bool
elvis_type_is_number(const char *type)
{
	return elvis_type_is(type, "smallint") || elvis_type_is(type, "integer") ||
	       elvis_type_is(type, "bigint") || elvis_type_is(type, "numeric") ||
	       elvis_type_is(type, "real") || strcmp(type, "double precision") == 0 ||
	       strcmp(type, "oid") == 0 || strcmp(type, "xid8") == 0;
}

/*
 * Compares two values of a column of that type, as struct elvis_column has it: *order < 0, 0
 * or > 0.  NULL is below everything, as nothing is known of when it was written.  False: the
 * order of this type cannot be told from text, or a value is not there.
 */
static inline bool
elvis_value_cmp(const char *type, const struct elvis_value *a, const struct elvis_value *b,
		int *order)
{
	struct elvis_decimal number_a, number_b;
	struct elvis_moment moment_a, moment_b;

	if ((a->state != ELVIS_VALUE_NULL && a->state != ELVIS_VALUE_TEXT) ||
	    (b->state != ELVIS_VALUE_NULL && b->state != ELVIS_VALUE_TEXT))
		return false;
	if (a->state == ELVIS_VALUE_NULL || b->state == ELVIS_VALUE_NULL) {
		*order = (a->state == ELVIS_VALUE_TEXT) - (b->state == ELVIS_VALUE_TEXT);
		return true;
	}
	if (elvis_type_is_number(type)) {
		if (!elvis_decimal_parse(a->text, &number_a) ||
		    !elvis_decimal_parse(b->text, &number_b))
			return false;
		*order = elvis_decimal_cmp(&number_a, &number_b);
		return true;
	}
	if (elvis_type_is(type, "timestamp") || strcmp(type, "date") == 0) {
		if (!elvis_moment_parse(a->text, &moment_a) ||
		    !elvis_moment_parse(b->text, &moment_b))
			return false;
		*order = elvis_moment_cmp(&moment_a, &moment_b);
		return true;
	}
	if (strcmp(type, "uuid") == 0) {
		*order = strcmp(a->text, b->text);
		return true;
	}
	return false;
}

/* One column of two rows, byte by byte, NULL first; 0 also for what one of them does not tell. */
static inline int
elvis_text_cmp(const struct elvis_value *a, const struct elvis_value *b)
{
	if ((a->state != ELVIS_VALUE_NULL && a->state != ELVIS_VALUE_TEXT) ||
	    (b->state != ELVIS_VALUE_NULL && b->state != ELVIS_VALUE_TEXT))
		return 0;
	if (a->state == ELVIS_VALUE_NULL || b->state == ELVIS_VALUE_NULL)
		return (a->state == ELVIS_VALUE_TEXT) - (b->state == ELVIS_VALUE_TEXT);
	return strcmp(a->text, b->text);
}

/* The same state and the same text. */
static inline bool
elvis_value_same(const struct elvis_value *a, const struct elvis_value *b)
{
	return a->state == b->state &&
	       (a->state != ELVIS_VALUE_TEXT ||
		(a->length == b->length && memcmp(a->text, b->text, a->length) == 0));
}

/*
 * An order of rows for ties, that every node computes alike: of the columns that differ the one
 * whose name comes first decides.  By name, because the order of columns may differ between
 * nodes; generated columns do not count.
 */
static inline int
elvis_row_cmp(const struct elvis_table *table, const struct elvis_value *a,
	      const struct elvis_value *b)
{
	const char *first = NULL;
	int order = 0;

	for (size_t i = 0; i < table->n_columns; i++) {
		const struct elvis_column *column = table->columns[i];
		int difference = column->generated ? 0 : elvis_text_cmp(&a[i], &b[i]);

		if (difference != 0 && (first == NULL || strcmp(column->name, first) < 0)) {
			first = column->name;
			order = difference;
		}
	}
	return order;
}

#endif
