#include "plugin/settings.h"

#include <string.h>

#include "unit.h"

static const char *const words[] = { "newest", "oldest", NULL };

enum {
	KEEP,
	LIMIT,
	SHARE,
	WHICH,
	COLUMN,
	LABELS,
	N_OPTIONS
};

static const struct elvis_option options[] = {
	[KEEP] = { .name = "keep",
		   .type = ELVIS_OPTION_BOOL,
		   .fallback = "true",
		   .help = "h" },
	[LIMIT] = { .name = "limit",
		    .type = ELVIS_OPTION_INT,
		    .min = 1,
		    .max = 10,
		    .help = "h" },
	[SHARE] = { .name = "share", .type = ELVIS_OPTION_FLOAT, .help = "h" },
	[WHICH] = { .name = "which",
		    .type = ELVIS_OPTION_STRING,
		    .choices = words,
		    .help = "h" },
	[COLUMN] = { .name = "column", .type = ELVIS_OPTION_COLUMN, .help = "h" },
	[LABELS] = { .name = "labels",
		     .type = ELVIS_OPTION_STRINGS,
		     .fallback = "a, b",
		     .help = "h" },
	{ .name = NULL },
};

static struct arena *arena;
static struct err err;
static struct elvis_settings settings;

static void
setup(void)
{
	arena = arena_new();
	err = (struct err) ERR_INIT;
}

/* Reads settings of one item, or of none. */
static bool
read_one(struct setting item)
{
	struct setting_list given = { .items = &item, .count = item.name != NULL };

	item.file = "elvis.conf";
	item.line = 12;
	return settings_read(&settings, options, &given, "policy \"mine\"", arena, &err);
}

#define REFUSED(item, expected)                              \
	do {                                                 \
		setup();                                     \
		ck_assert(!read_one((struct setting) item)); \
		ck_assert_int_eq(err.class, ERR_CONFIG);     \
		ck_assert_str_eq(err.text, expected);        \
		arena_free(arena);                           \
	} while (0)

#define ITEM(...)           \
	{                   \
		__VA_ARGS__ \
	}

START_TEST(what_is_not_given_has_its_default)
{
	setup();
	ck_assert(read_one((struct setting){ .name = NULL }));

	ck_assert_uint_eq(settings.count, N_OPTIONS);
	ck_assert(elvis_setting(&settings, KEEP)->given);
	ck_assert(elvis_setting(&settings, KEEP)->boolean);
	ck_assert(!elvis_setting(&settings, LIMIT)->given);
	ck_assert_uint_eq(elvis_setting(&settings, LABELS)->n_strings, 2);
	ck_assert_str_eq(elvis_setting(&settings, LABELS)->strings[1], "b");
	ck_assert(!elvis_setting(&settings, N_OPTIONS + 1)->given);
	arena_free(arena);
}
END_TEST

START_TEST(what_is_given_counts)
{
	setup();
	ck_assert(read_one((struct setting) ITEM(.name = "limit", .type = SETTING_INT,
						 .integer = 10)));
	ck_assert_int_eq(elvis_setting(&settings, LIMIT)->integer, 10);

	ck_assert(read_one((struct setting) ITEM(.name = "which", .type = SETTING_STRING,
						 .string = "oldest")));
	ck_assert_str_eq(elvis_setting(&settings, WHICH)->string, "oldest");
	arena_free(arena);
}
END_TEST

START_TEST(an_integer_is_a_number_and_a_string_a_list)
{
	setup();
	ck_assert(read_one((struct setting) ITEM(.name = "share", .type = SETTING_INT,
						 .integer = 2)));
	ck_assert_double_eq(elvis_setting(&settings, SHARE)->real, 2.0);

	ck_assert(read_one((struct setting) ITEM(.name = "labels", .type = SETTING_STRING,
						 .string = "one, two")));
	ck_assert_uint_eq(elvis_setting(&settings, LABELS)->n_strings, 1);
	ck_assert_str_eq(elvis_setting(&settings, LABELS)->strings[0], "one, two");
	arena_free(arena);
}
END_TEST

START_TEST(an_unknown_option_is_refused_with_the_nearest)
{
	REFUSED(ITEM(.name = "colum", .type = SETTING_STRING, .string = "x"),
		"elvis.conf:12: policy \"mine\" has no option \"colum\"; did you mean "
		"\"column\"?");
	REFUSED(ITEM(.name = "zzzzzz", .type = SETTING_STRING, .string = "x"),
		"elvis.conf:12: policy \"mine\" has no option \"zzzzzz\"; it has "
		"\"keep\", "
		"\"limit\", \"share\", \"which\", \"column\" or \"labels\"");
}
END_TEST

START_TEST(a_wrong_type_is_refused)
{
	REFUSED(ITEM(.name = "limit", .type = SETTING_STRING, .string = "3"),
		"elvis.conf:12: policy \"mine\": option \"limit\" must be an integer, "
		"not a string");
	REFUSED(ITEM(.name = "keep", .type = SETTING_INT, .integer = 1),
		"elvis.conf:12: policy \"mine\": option \"keep\" must be true or false, "
		"not an "
		"integer");
	REFUSED(ITEM(.name = "which", .type = SETTING_FLOAT, .real = 1.5),
		"elvis.conf:12: policy \"mine\": option \"which\" must be a string, not "
		"a number");
}
END_TEST

START_TEST(a_value_out_of_range_is_refused)
{
	REFUSED(ITEM(.name = "limit", .type = SETTING_INT, .integer = 11),
		"elvis.conf:12: policy \"mine\": option \"limit\" must be between 1 and "
		"10, not 11");
	REFUSED(ITEM(.name = "which", .type = SETTING_STRING, .string = "last"),
		"elvis.conf:12: policy \"mine\": option \"which\" must be \"newest\" or "
		"\"oldest\", "
		"not \"last\"");
}
END_TEST

START_TEST(a_required_option_must_be_given)
{
	static const struct elvis_option required[] = {
		{ .name = "column",
		  .type = ELVIS_OPTION_COLUMN,
		  .required = true,
		  .help = "where the time is" },
		{ .name = NULL },
	};
	struct setting_list none = { .count = 0 };

	setup();
	ck_assert(!settings_read(&settings, required, &none, "policy \"mine\"", arena,
				 &err));

	ck_assert_str_eq(err.text,
			 "policy \"mine\" needs the option \"column\" (where the time "
			 "is), which is not set");
	arena_free(arena);
}
END_TEST

START_TEST(a_column_must_be_one_of_the_table)
{
	const struct elvis_column id = { .name = "id", .type = "bigint" },
				  at = { .name = "changed_at", .type = "date" };
	const struct elvis_column *const columns[] = { &id, &at };
	const struct elvis_table table = {
		.schema = "public", .name = "t", .n_columns = 2, .columns = columns
	};
	struct setting item = { .name = "column",
				.type = SETTING_STRING,
				.string = "changd_at",
				.file = "elvis.conf",
				.line = 7 };
	struct setting_list given = { .items = &item, .count = 1 };

	setup();
	ck_assert(settings_read(&settings, options, &given, "policy \"mine\"", arena,
				&err));
	ck_assert(!settings_fit_table(&settings, options, &given, "policy \"mine\"",
				      &table, &err));
	ck_assert_str_eq(
		err.text,
		"elvis.conf:7: policy \"mine\": option \"column\" names \"changd_at\", "
		"which is not a column of public.t; did you mean \"changed_at\"?");

	item.string = "changed_at";
	ck_assert(settings_read(&settings, options, &given, "policy \"mine\"", arena,
				&err));
	ck_assert(settings_fit_table(&settings, options, &given, "policy \"mine\"",
				     &table, &err));
	arena_free(arena);
}
END_TEST

START_TEST(a_copy_outlives_what_it_was_made_of)
{
	char name[] = "which", word[] = "oldest";
	struct setting item = { .name = name, .type = SETTING_STRING, .string = word };
	struct setting_list given = { .items = &item, .count = 1 }, copy;

	setup();
	copy = settings_copy(&given, arena);
	memset(name, 'x', sizeof(name) - 1);
	memset(word, 'x', sizeof(word) - 1);

	ck_assert(
		settings_read(&settings, options, &copy, "policy \"mine\"", arena, &err));
	ck_assert_str_eq(elvis_setting(&settings, WHICH)->string, "oldest");
	arena_free(arena);
}
END_TEST

/* One option that is wrong, and a word of the refusal */
static void
refuse_option(struct elvis_option option, const char *word)
{
	const struct elvis_option list[] = { option, { .name = NULL } };

	err = (struct err) ERR_INIT;
	ck_assert(!options_check(list, ELVIS_PLUGIN_SINK, &err));
	ck_assert_msg(strstr(err.text, word) != NULL, "%s", err.text);
}

START_TEST(a_list_that_contradicts_itself_is_refused)
{
	ck_assert(options_check(options, ELVIS_PLUGIN_POLICY, &err));
	refuse_option((struct elvis_option){ .name = "use", .help = "h" }, "name");
	refuse_option((struct elvis_option){ .name = "a-b", .help = "h" }, "name");
	refuse_option((struct elvis_option){ .name = "a" }, "help");
	refuse_option((struct elvis_option){ .name = "a",
					     .help = "h",
					     .type = ELVIS_OPTION_COLUMN },
		      "column");
	refuse_option((struct elvis_option){ .name = "a", .help = "h", .type = 99 },
		      "type");
	refuse_option(
		(struct elvis_option){
			.name = "a", .help = "h", .required = true, .fallback = "true" },
		"required");
	refuse_option((struct elvis_option){ .name = "a", .help = "h", .choices = words },
		      "choices");
	refuse_option((struct elvis_option){ .name = "a",
					     .help = "h",
					     .type = ELVIS_OPTION_INT,
					     .min = 1,
					     .max = 3,
					     .fallback = "4" },
		      "between");
}
END_TEST

UNIT_MAIN("settings", what_is_not_given_has_its_default, what_is_given_counts,
	  an_integer_is_a_number_and_a_string_a_list,
	  an_unknown_option_is_refused_with_the_nearest, a_wrong_type_is_refused,
	  a_value_out_of_range_is_refused, a_required_option_must_be_given,
	  a_column_must_be_one_of_the_table, a_copy_outlives_what_it_was_made_of,
	  a_list_that_contradicts_itself_is_refused)
