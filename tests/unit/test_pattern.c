#include "conf/pattern.h"

#include "unit.h"

static bool
matches(const char *text, const char *schema, const char *table)
{
	AUTO_ARENA struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	struct pattern pattern;

	ck_assert_msg(pattern_parse(&pattern, text, arena, &err), "%s", err.text);
	return pattern_matches(&pattern, schema, table);
}

static bool
refused(const char *text)
{
	AUTO_ARENA struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	struct pattern pattern;

	return !pattern_parse(&pattern, text, arena, &err) && err.class == ERR_CONFIG;
}

static bool
overlap(const char *a, const char *b)
{
	AUTO_ARENA struct arena *arena = arena_new();
	struct err err = ERR_INIT;
	struct pattern p, q;

	ck_assert(pattern_parse(&p, a, arena, &err) && pattern_parse(&q, b, arena, &err));
	ck_assert(pattern_overlaps(&p, &q) == pattern_overlaps(&q, &p));
	return pattern_overlaps(&p, &q);
}

START_TEST(a_name_matches_itself_only)
{
	ck_assert(matches("public.accounts", "public", "accounts"));
	ck_assert(!matches("public.accounts", "public", "account"));
	ck_assert(!matches("public.accounts", "public", "accounts2"));
	ck_assert(!matches("public.accounts", "private", "accounts"));
}
END_TEST

START_TEST(a_star_is_any_run_and_a_question_mark_one_character)
{
	ck_assert(matches("public.*", "public", "t"));
	ck_assert(matches("*.log*", "shop", "log"));
	ck_assert(matches("*.l*g*_?", "shop", "lolog_1"));
	ck_assert(!matches("*.log_?", "shop", "log_"));
	ck_assert(!matches("*.log_?", "shop", "log_12"));
	ck_assert(!matches("public.*", "public2", "t"));
}
END_TEST

START_TEST(a_dot_between_quotes_belongs_to_the_name)
{
	ck_assert(matches("\"my.schema\".\"t\"", "my.schema", "t"));
	ck_assert(matches("\"my.schema\".*", "my.schema", "a.b"));
	ck_assert(!matches("my.schema", "my.schema", "t"));
}
END_TEST

START_TEST(quoted_characters_are_meant_literally)
{
	ck_assert(matches("public.\"a*\"", "public", "a*"));
	ck_assert(!matches("public.\"a*\"", "public", "ab"));
	ck_assert(matches("public.\"a\"\"b\"", "public", "a\"b"));
	ck_assert(matches("public.\"Orders\"_*", "public", "Orders_2024"));
}
END_TEST

START_TEST(unquoted_names_fold_as_in_sql)
{
	ck_assert(matches("Public.Accounts", "public", "accounts"));
	ck_assert(!matches("public.Accounts", "public", "Accounts"));
	ck_assert(matches("public.\"Accounts\"", "public", "Accounts"));
}
END_TEST

START_TEST(characters_are_not_bytes)
{
	ck_assert(matches("public.stra\xc3\x9f" "e", "public", "stra\xc3\x9f" "e"));
	ck_assert(matches("public.stra?e", "public", "stra\xc3\x9f" "e"));
	ck_assert(!matches("public.??", "public", "\xe6\x97\xa5"));
	ck_assert(matches("public.?\xe6\x9c\xac", "public", "\xe6\x97\xa5\xe6\x9c\xac"));
}
END_TEST

START_TEST(what_is_no_pattern_is_refused)
{
	ck_assert(refused("accounts"));
	ck_assert(refused(""));
	ck_assert(refused("."));
	ck_assert(refused("public."));
	ck_assert(refused(".t"));
	ck_assert(refused("db.public.t"));
	ck_assert(refused("public.\"t"));
	ck_assert(refused("public.\"\""));
	ck_assert(refused("public.t\xff"));
}
END_TEST

START_TEST(many_stars_do_not_make_matching_slow)
{
	char name[64 + 1] = { 0 };

	memset(name, 'a', 64);

	ck_assert(!matches("p.*a*a*a*a*a*a*a*a*a*a*a*a*b", "p", name));
}
END_TEST

START_TEST(patterns_overlap_when_one_name_could_match_both)
{
	ck_assert(overlap("public.*", "*.t"));
	ck_assert(overlap("public.a*", "public.*b"));
	ck_assert(overlap("public.log?", "public.log1"));
	ck_assert(overlap("public.t", "public.t"));
	ck_assert(!overlap("public.a*", "public.b*"));
	ck_assert(!overlap("public.*", "shop.*"));
	ck_assert(!overlap("public.log?", "public.log"));
}
END_TEST

UNIT_MAIN("pattern", a_name_matches_itself_only,
	  a_star_is_any_run_and_a_question_mark_one_character,
	  a_dot_between_quotes_belongs_to_the_name, quoted_characters_are_meant_literally,
	  unquoted_names_fold_as_in_sql, characters_are_not_bytes, what_is_no_pattern_is_refused,
	  many_stars_do_not_make_matching_slow, patterns_overlap_when_one_name_could_match_both)
