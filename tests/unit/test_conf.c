#include "conf/conf.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#define NODES \
	"nodes = ( { name = \"paris\"; id = 1; conninfo = \"service=paris\"; },\n" \
	"          { name = \"lyon\"; id = 2; conninfo = \"service=lyon\"; } );\n"
#define LINK(tables) \
	"links = ( { name = \"paris_lyon\"; from = \"paris\"; to = \"lyon\";\n" \
	"  tables = " tables "; } );\n"

static char directory[32];	/* "" while there is none */

static const char *
path_of(const char *name)
{
	static char path[256];

	if (directory[0] == '\0') {
		strcpy(directory, "/tmp/elvis-conf-XXXXXX");
		ck_assert_ptr_nonnull(mkdtemp(directory));
	}
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static void
write_file(const char *name, const char *text)
{
	FILE *out = fopen(path_of(name), "w");

	ck_assert_ptr_nonnull(out);
	fputs(text, out);
	fclose(out);
}

static void
clean(void)
{
	unlink(path_of("elvis.conf"));
	unlink(path_of("more.conf"));
	rmdir(directory);
	directory[0] = '\0';
}

static const struct conf *
load(const char *text)
{
	struct err err = ERR_INIT;
	const struct conf *conf;

	write_file("elvis.conf", text);
	conf = conf_load(path_of("elvis.conf"), &err);
	ck_assert_msg(conf != NULL, "%s", err.text);
	clean();
	return conf;
}

/* Refused as a configuration, at that line, by a text that holds `hint`. */
static void
refused_at(int line, const char *hint, const char *text)
{
	struct err err = ERR_INIT;
	char place[300];

	write_file("elvis.conf", text);
	snprintf(place, sizeof(place), "%s:%d: ", path_of("elvis.conf"), line);

	ck_assert_ptr_null(conf_load(path_of("elvis.conf"), &err));

	clean();
	ck_assert_int_eq(err.class, ERR_CONFIG);
	ck_assert_msg(strncmp(err.text, place, strlen(place)) == 0, "not at line %d: %s", line,
		      err.text);
	ck_assert_msg(strstr(err.text, hint) != NULL, "no '%s' in: %s", hint, err.text);
}

START_TEST(a_small_configuration_gets_safe_defaults)
{
	const struct conf *conf = load(NODES LINK("\"public.*\""));
	const struct conf_link *link = conf_link(conf, "paris_lyon");
	const struct conf_rule *rule = conf_link_rule(link, "public", "t");

	ck_assert_ptr_eq(link->from, conf_node(conf, "paris"));
	ck_assert_str_eq(link->sink.use, "postgres");
	ck_assert_uint_eq(rule->chain.n_policies, 1);
	ck_assert_str_eq(rule->chain.policies[0].use, "strict");
	ck_assert_int_eq(rule->detect, CONF_DETECT_BEFORE_IMAGE);
	ck_assert_int_eq(link->forward, CONF_FORWARD_ALL);
	ck_assert_int_eq(conf->settings.cache_size, 64 << 20);
	ck_assert_int_eq(link->target_bytes, conf->settings.target_bytes);
	ck_assert_ptr_null(conf_link_rule(link, "shop", "t"));
	conf_unref(conf);
}
END_TEST

START_TEST(a_policy_is_a_word_a_group_or_a_chain)
{
	const struct conf *conf = load(NODES LINK(
		"( { match = \"public.a\"; policy = \"skip\"; },\n"
		"  { match = \"public.b\"; policy = { use = \"delta\"; columns = [\"n\", \"m\"]; "
		"limit = 5000000000; }; },\n"
		"  { match = \"public.c\"; policy = ( \"skip\", { use = \"./mine.so\"; } );\n"
		"    on = { delete_missing = \"skip\"; }; } )"));
	const struct conf_link *link = conf_link(conf, "paris_lyon");
	const struct conf_plugin *delta = conf_link_rule(link, "public", "b")->chain.policies;
	const struct conf_rule *c = conf_link_rule(link, "public", "c");

	ck_assert_str_eq(conf_link_rule(link, "public", "a")->chain.policies[0].use, "skip");
	ck_assert_str_eq(delta->use, "delta");
	ck_assert_uint_eq(delta->settings.count, 2);
	ck_assert_int_eq(delta->settings.items[0].type, SETTING_STRINGS);
	ck_assert_str_eq(delta->settings.items[0].strings[1], "m");
	ck_assert_int_eq(delta->settings.items[1].integer, 5000000000);
	ck_assert_int_eq(delta->settings.items[1].line, 5);
	ck_assert_uint_eq(c->chain.n_policies, 2);
	ck_assert_str_eq(conf_rule_chain(c, ELVIS_DELETE_MISSING)->policies[0].use, "skip");
	ck_assert_ptr_eq(conf_rule_chain(c, ELVIS_INSERT_EXISTS), &c->chain);
	conf_unref(conf);
}
END_TEST

START_TEST(the_first_rule_that_matches_counts)
{
	const struct conf *conf = load(NODES LINK(
		"( { match = (\"public.tmp_*\", \"*.scratch\"); exclude = true; },\n"
		"  { match = \"public.a*\"; policy = \"skip\"; }, \"public.*\" )"));
	const struct conf_link *link = conf_link(conf, "paris_lyon");

	ck_assert_ptr_null(conf_link_rule(link, "public", "tmp_a"));
	ck_assert_ptr_null(conf_link_rule(link, "public", "scratch"));
	ck_assert_str_eq(conf_link_rule(link, "public", "ab")->chain.policies[0].use, "skip");
	ck_assert_str_eq(conf_link_rule(link, "public", "b")->chain.policies[0].use, "strict");
	conf_unref(conf);
}
END_TEST

START_TEST(a_link_keeps_its_identity_when_it_is_renamed)
{
	const struct conf *before = load(NODES LINK("\"public.*\""));
	const struct conf *after = load(
		NODES "links = ( { name = \"other\"; from = \"paris\"; to = \"lyon\"; "
		"tables = \"shop.*\"; } );");
	const struct conf *back = load(
		NODES "links = ( { name = \"other\"; from = \"lyon\"; to = \"paris\"; "
		"tables = \"shop.*\"; } );");

	ck_assert_str_eq(before->links[0].uuid, after->links[0].uuid);
	ck_assert_str_ne(before->links[0].uuid, back->links[0].uuid);
	ck_assert_uint_eq(strlen(before->links[0].uuid), 36);
	conf_unref(before);
	conf_unref(after);
	conf_unref(back);
}
END_TEST

START_TEST(an_included_file_belongs_and_keeps_its_lines)
{
	struct err err = ERR_INIT;
	const struct conf *conf;

	write_file("more.conf", "# two\n" NODES);
	conf = NULL;
	write_file("elvis.conf", "syslog = true; /*\n@include \"not.this\" */\n"
				 "  @include \"more.conf\"\n" LINK("\"public.*\""));
	conf = conf_load(path_of("elvis.conf"), &err);
	clean();

	ck_assert_msg(conf != NULL, "%s", err.text);
	ck_assert_uint_eq(conf->files.count, 2);
	ck_assert_str_eq(strrchr(conf->nodes[1].file, '/'), "/more.conf");
	ck_assert_int_eq(conf->nodes[1].line, 3);
	ck_assert_int_eq(conf->links[0].line, 4);
	conf_unref(conf);
}
END_TEST

START_TEST(files_that_cannot_be_read_are_named)
{
	struct err err = ERR_INIT;

	ck_assert_ptr_null(conf_load("/nowhere/elvis.conf", &err));
	ck_assert_int_eq(err.class, ERR_CONFIG);
	refused_at(2, "more.conf", "\n@include \"more.conf\"\n");
	refused_at(1, "one including the other", "@include \"elvis.conf\"\n");
}
END_TEST

START_TEST(unknown_settings_are_refused_with_the_nearest)
{
	refused_at(3, "did you mean 'cache_size'", NODES "cahce_size = \"1 MB\";\n");
	refused_at(4, "did you mean 'policy'", NODES LINK("( { match = \"a.b\"; polcy = \"x\"; } )"));
	refused_at(1, "did you mean 'conninfo'", "nodes = ( { name = \"a\"; id = 1; conifo = \"\"; } );"
						 "links = ();");
	refused_at(3, "did you mean 'granularity'",
		   NODES "links = ( { name = \"a\"; granularty = \"batch\"; } );");
	refused_at(4, "did you mean 'delete_missing'",
		   NODES LINK("( { match = \"a.b\"; on = { delete_mising = \"skip\"; }; } )"));
}
END_TEST

START_TEST(what_is_named_twice_is_refused)
{
	refused_at(2, "another node 'a'",
		   "nodes = ( { name = \"a\"; id = 1; conninfo = \"x\"; },\n"
		   "{ name = \"a\"; id = 2; conninfo = \"x\"; } ); links = ();");
	refused_at(2, "has the id 1 of node 'a'",
		   "nodes = ( { name = \"a\"; id = 1; conninfo = \"x\"; },\n"
		   "{ name = \"b\"; id = 1; conninfo = \"x\"; } ); links = ();");
	refused_at(4, "another link 'l'",
		   NODES "links = ( { name = \"l\"; from = \"paris\"; to = \"lyon\"; tables = \"a.b\"; },\n"
		   "{ name = \"l\"; from = \"lyon\"; to = \"paris\"; tables = \"a.b\"; } );");
	refused_at(4, "has the same uuid as link 'l' at",
		   NODES "links = ( { name = \"l\"; uuid = \"1c7a2a34-0a5b-4c53-9f0e-6f9f2b4f7d10\"; from = \"paris\"; to = \"lyon\"; tables = \"a.b\"; },\n"
		   "{ name = \"m\"; uuid = \"1C7A2A34-0a5b-4c53-9f0e-6f9f2b4f7d10\"; from = \"lyon\"; to = \"paris\"; tables = \"a.c\"; } );");
	refused_at(4, "and no other uuid; write uuid = \"",
		   NODES "links = ( { name = \"l\"; from = \"paris\"; to = \"lyon\"; tables = \"a.b\"; },\n"
		   "{ name = \"m\"; from = \"paris\"; to = \"lyon\"; tables = \"a.c\"; } );");
	refused_at(3, "duplicate", NODES "nodes = ();");
}
END_TEST

START_TEST(links_that_lead_nowhere_are_refused)
{
	refused_at(3, "did you mean 'lyon'",
		   NODES "links = ( { name = \"l\"; from = \"paris\"; to = \"lion\"; tables = \"a.b\"; } );");
	refused_at(3, "to itself",
		   NODES "links = ( { name = \"l\"; from = \"paris\"; to = \"paris\"; tables = \"a.b\"; } );");
	refused_at(3, "goes nowhere", NODES "links = ( { name = \"l\"; from = \"paris\"; tables = \"a.b\"; } );");
	refused_at(3, "both 'to' and 'sink'",
		   NODES "links = ( { name = \"l\"; from = \"paris\"; to = \"lyon\"; sink = \"null\"; tables = \"a.b\"; } );");
	refused_at(3, "needs the setting 'tables'",
		   NODES "links = ( { name = \"l\"; from = \"paris\"; to = \"lyon\"; } );");
	refused_at(3, "is not a uuid",
		   NODES "links = ( { name = \"l\"; uuid = \"7\"; from = \"paris\"; to = \"lyon\"; tables = \"a.b\"; } );");
	refused_at(1, "no links", "nodes = ( { name = \"a\"; id = 1; conninfo = \"x\"; } );");
	refused_at(1, "no nodes", "links = ();");
}
END_TEST

START_TEST(values_of_the_wrong_type_or_range_are_refused)
{
	refused_at(1, "with its unit", "cache_size = 67108864;");
	refused_at(1, "goes from 1 MB", "cache_size = \"3 kB\";");
	refused_at(1, "with its unit", "snapshot_interval = \"1 hour\";");
	refused_at(1, "true or false", "syslog = 1;");
	refused_at(1, "did you mean 'info'", "log_level = \"infos\";");
	refused_at(1, "goes from 1", "nodes = ( { name = \"a\"; id = 0; conninfo = \"x\"; } ); links = ();");
	refused_at(1, "string", "nodes = ( { name = \"a\"; id = 1; conninfo = 7; } ); links = ();");
	refused_at(1, "a space", "nodes = ( { name = \"a b\"; id = 1; conninfo = \"x\"; } ); links = ();");
	refused_at(4, "two parts", NODES LINK("( { match = \"a.b.c\"; } )"));
	refused_at(4, "names no schema", NODES LINK("\"accounts\""));
	refused_at(4, "is empty", NODES LINK("()"));
	refused_at(4, "chain of policies is empty", NODES LINK("( { match = \"a.b\"; policy = (); } )"));
	refused_at(4, "needs the setting 'use'", NODES LINK("( { match = \"a.b\"; policy = { column = \"x\"; }; } )"));
	refused_at(4, "did you mean 'before_image'", NODES LINK("( { match = \"a.b\"; detect = \"before-image\"; } )"));
	refused_at(4, "always stops", NODES LINK("( { match = \"a.b\"; on = { policy_error = \"skip\"; }; } )"));
	refused_at(3, "syntax error", NODES "links ( );");
}
END_TEST

START_TEST(what_does_not_end_is_named_where_it_begins)
{
	refused_at(3, "a string begins here", NODES "run_dir = \"/run;\n\n\n");
	refused_at(3, "a comment begins here", NODES "/* and so on\n\n");
}
END_TEST

START_TEST(integers_above_32_bits_are_not_cut)
{
	refused_at(1, "'id' is 4294967297",
		   "nodes = ( { name = \"a\"; id = 4294967297; conninfo = \"x\"; } ); links = ();");
}
END_TEST

START_TEST(a_comma_may_follow_the_last_element)
{
	const struct conf *conf = load(NODES LINK(
		"( { match = [ \"a.b\", \"public.x,)\", ]; }, # last,\n\"c.d\", /* ,\n */ )"));

	ck_assert_uint_eq(conf->links[0].n_rules, 2);
	ck_assert_ptr_nonnull(conf_link_rule(&conf->links[0], "public", "x,)"));
	conf_unref(conf);
}
END_TEST

START_TEST(a_reload_may_not_change_everything)
{
	const struct conf *before = load(NODES LINK("\"public.*\""));
	const struct conf *live = load("cache_size = \"1 GB\";" NODES LINK("\"public.a*\""));
	const struct conf *restart = load("syslog = true;" NODES LINK("\"public.*\""));
	struct err err = ERR_INIT;

	ck_assert(conf_reloadable(before, live, &err));
	ck_assert(!conf_reloadable(before, restart, &err));
	ck_assert_int_eq(err.class, ERR_CONFIG);
	conf_unref(before);
	conf_unref(live);
	conf_unref(restart);
}
END_TEST

START_TEST(arguments_make_a_link)
{
	static const char *const policies[] = { "skip", "strict" }, *const tables[] = { "public.t" };
	struct conf_arguments arguments = {
		.from = "service=a", .to = "service=b", .to_id = 1,
		.policies = { policies, 2 }, .tables = { tables, 1 },
	};
	struct err err = ERR_INIT;
	const struct conf *conf = conf_from_arguments(&arguments, &err);
	const struct conf_rule *rule;

	ck_assert_msg(conf != NULL, "%s", err.text);
	ck_assert_ptr_nonnull(conf_link(conf, "source_target"));
	ck_assert_uint_eq(conf_node(conf, "source")->id, 2);
	ck_assert_uint_eq(conf_node(conf, "target")->id, 1);
	rule = conf_link_rule(&conf->links[0], "public", "t");
	ck_assert_uint_eq(rule->chain.n_policies, 2);
	ck_assert_ptr_null(conf_link_rule(&conf->links[0], "public", "u"));
	conf_unref(conf);
}
END_TEST

START_TEST(arguments_that_make_no_link_are_refused)
{
	struct conf_arguments arguments = { .from = "service=a" };
	struct err err = ERR_INIT;

	ck_assert_ptr_null(conf_from_arguments(&arguments, &err));
	ck_assert_int_eq(err.class, ERR_CONFIG);
	arguments = (struct conf_arguments){
		.from = "service=a", .to = "service=b", .from_id = 3, .to_id = 3,
	};
	ck_assert_ptr_null(conf_from_arguments(&arguments, &err));
}
END_TEST

UNIT_MAIN("conf", a_small_configuration_gets_safe_defaults, a_policy_is_a_word_a_group_or_a_chain,
	  the_first_rule_that_matches_counts, a_link_keeps_its_identity_when_it_is_renamed,
	  an_included_file_belongs_and_keeps_its_lines, files_that_cannot_be_read_are_named,
	  unknown_settings_are_refused_with_the_nearest, what_is_named_twice_is_refused,
	  links_that_lead_nowhere_are_refused, values_of_the_wrong_type_or_range_are_refused,
	  what_does_not_end_is_named_where_it_begins, integers_above_32_bits_are_not_cut, a_comma_may_follow_the_last_element,
	  a_reload_may_not_change_everything,
	  arguments_make_a_link, arguments_that_make_no_link_are_refused)
