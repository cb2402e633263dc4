#include "conf/topology.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"

#define NODE(name, id) "{ name = \"" name "\"; id = " #id "; conninfo = \"service=" name "\"; },"
#define NODES "nodes = ( " NODE("a", 1) NODE("b", 2) NODE("c", 3) NODE("d", 4) ");"
#define LINK(name, from, to, more) \
	"{ name = \"" name "\"; from = \"" from "\"; to = \"" to "\"; " more " },"
#define OTHER "uuid = \"1c7a2a34-0a5b-4c53-9f0e-6f9f2b4f7d10\";"
#define ALL "tables = ( { match = \"public.*\"; policy = \"newest\"; } );"

enum { A, B, C, D };

static const struct conf *conf;
static struct topology *topology;

/* What the plugins of these tests say of themselves */
static bool
converges(void *context, const struct conf_chain *chain, size_t place,
	  enum elvis_convergence *answer)
{
	const struct conf_plugin *policy = &chain->policies[place];

	(void) context;
	*answer = strcmp(policy->use, "strict") == 0 ? ELVIS_CONVERGES_ALWAYS :
		  strcmp(policy->use, "newest") == 0 ? ELVIS_CONVERGES_ALWAYS :
		  strcmp(policy->use, "pair") == 0   ? ELVIS_CONVERGES_TWO_NODES
						     : ELVIS_CONVERGES_ONE_WAY;
	return strcmp(policy->use, "unloadable") != 0;
}

/* Tables t and u, both everywhere, unless `tables` is given */
static void
draw_with(const char *links, const struct topology_table *tables, size_t n_tables)
{
	char path[] = "/tmp/elvis-topology-XXXXXX";
	int fd = mkstemp(path);
	FILE *out = fdopen(fd, "w");
	struct err err = ERR_INIT;

	fprintf(out, "%s\nlinks = ( %s );\n", NODES, links);
	fclose(out);
	conf = conf_load(path, &err);
	unlink(path);
	ck_assert_msg(conf != NULL, "%s", err.text);
	topology = topology_new(conf, tables, n_tables, converges, NULL);
}

static void
draw(const char *links)
{
	static const enum topology_presence everywhere[] = {
		TABLE_PRESENT, TABLE_PRESENT, TABLE_PRESENT, TABLE_PRESENT,
	};
	static const struct topology_table tables[] = {
		{ "public", "t", everywhere, NULL }, { "public", "u", everywhere, NULL },
	};

	draw_with(links, tables, ARRAY_LEN(tables));
}

static void
wipe(void)
{
	topology_free(topology);
	conf_unref(conf);
}

static bool
says(enum topology_severity severity, const char *words)
{
	for (size_t i = 0; i < topology->n_findings; i++)
		if (topology->findings[i].severity == severity &&
		    strstr(topology->findings[i].text, words) != NULL)
			return true;
	for (size_t i = 0; i < topology->n_findings; i++)
		printf("# %s\n", topology->findings[i].text);
	return false;
}

START_TEST(a_tree_has_one_master_relays_and_replicas)
{
	draw(LINK("ab", "a", "b", ALL) LINK("bc", "b", "c", ALL));

	ck_assert_int_eq(topology_role(topology, A, 0), ROLE_MASTER);
	ck_assert_int_eq(topology_role(topology, B, 0), ROLE_RELAY);
	ck_assert_int_eq(topology_role(topology, C, 0), ROLE_REPLICA);
	ck_assert_int_eq(topology_role(topology, D, 0), ROLE_NONE);
	ck_assert_uint_eq(topology->n_findings, 0);
	wipe();
}
END_TEST

START_TEST(a_sink_that_is_no_node_makes_a_master_or_a_relay)
{
	draw(LINK("ab", "a", "b", ALL)
	     "{ name = \"feed\"; from = \"b\"; sink = { use = \"jsonl\"; path = \"/f\"; };" ALL " }");

	ck_assert_int_eq(topology_role(topology, A, 0), ROLE_MASTER);
	ck_assert_int_eq(topology_role(topology, B, 0), ROLE_RELAY);
	ck_assert_uint_eq(topology->n_findings, 0);
	wipe();
}
END_TEST

START_TEST(who_sends_to_each_other_are_both_masters)
{
	draw(LINK("ab", "a", "b", ALL) LINK("ba", "b", "a", ALL) LINK("bc", "b", "c", ALL));

	ck_assert_int_eq(topology_role(topology, A, 0), ROLE_MASTER);
	ck_assert_int_eq(topology_role(topology, B, 0), ROLE_MASTER);
	ck_assert_int_eq(topology_role(topology, C, 0), ROLE_REPLICA);
	ck_assert_uint_eq(topology->n_findings, 0);
	wipe();
}
END_TEST

START_TEST(a_two_way_chain_is_sound)
{
	draw(LINK("ab", "a", "b", ALL) LINK("ba", "b", "a", ALL) LINK("bc", "b", "c", ALL)
		     LINK("cb", "c", "b", ALL));

	ck_assert_uint_eq(topology_count(topology, TOPOLOGY_ERROR), 0);
	wipe();
}
END_TEST

START_TEST(two_ways_from_one_origin_are_refused)
{
	draw(LINK("ab", "a", "b", ALL) LINK("bc", "b", "c", ALL) LINK("ac", "a", "c", ALL));
	ck_assert(says(TOPOLOGY_DANGER, "reach 'c' by two links"));
	wipe();

	draw(LINK("ab", "a", "b", ALL) LINK("more", "a", "b", "tables = \"public.u\";" OTHER));
	ck_assert(says(TOPOLOGY_DANGER, "changes of public.u first written at 'a' reach 'b' by two "
					"links, 'ab' and 'more'"));
	ck_assert_uint_eq(topology->n_findings, 1);
	wipe();
}
END_TEST

START_TEST(tables_of_one_origin_may_come_by_a_link_each)
{
	draw(LINK("ab", "a", "b", "tables = \"public.t\";")
		     LINK("more", "a", "b", "tables = \"public.u\";" OTHER));
	ck_assert_int_eq(topology_role(topology, A, 0), ROLE_MASTER);
	ck_assert_int_eq(topology_role(topology, B, 1), ROLE_REPLICA);
	ck_assert_uint_eq(topology->n_findings, 0);
	wipe();

	draw(LINK("ab", "a", "b", ALL) LINK("bc", "b", "c", "tables = \"public.t\";")
		     LINK("ac", "a", "c", "tables = \"public.u\";"));
	ck_assert_uint_eq(topology->n_findings, 0);
	wipe();

	draw(LINK("ab", "a", "b", "tables = ( { match = \"public.u\"; exclude = true; }, { match = "
				  "\"public.*\"; policy = \"newest\"; } );")
		     LINK("more", "a", "b", "tables = ( { match = \"public.u\"; policy = \"newest\"; } );"
					    OTHER) LINK("ba", "b", "a", ALL));
	ck_assert_int_eq(topology_role(topology, A, 0), ROLE_MASTER);
	ck_assert_int_eq(topology_role(topology, B, 1), ROLE_MASTER);
	ck_assert_uint_eq(topology->n_findings, 0);
	wipe();
}
END_TEST

START_TEST(a_mesh_forwards_local_changes_only)
{
#define MESH(more) LINK("ab", "a", "b", more) LINK("ba", "b", "a", more) \
	LINK("bc", "b", "c", more) LINK("cb", "c", "b", more) \
	LINK("ac", "a", "c", more) LINK("ca", "c", "a", more)

	draw(MESH(ALL));
	ck_assert(says(TOPOLOGY_DANGER, "by two links"));
	wipe();

	draw(MESH(ALL "forward = \"local\";"));
	ck_assert_uint_eq(topology->n_findings, 0);
	wipe();
}
END_TEST

START_TEST(changes_that_never_arrive_are_told)
{
	draw(LINK("ab", "a", "b", ALL) LINK("bc", "b", "c", ALL "forward = \"local\";"));

	ck_assert(says(TOPOLOGY_WARNING, "first written at 'a' never reach 'c'"));
	wipe();
}
END_TEST

START_TEST(policies_must_converge_as_far_as_nodes_write)
{
#define PAIR(policy) LINK("ab", "a", "b", "tables = ( { match = \"public.*\"; policy = \"" policy "\"; } );") \
	LINK("ba", "b", "a", "tables = ( { match = \"public.*\"; policy = \"" policy "\"; } );")
#define THREE(policy) MESH("forward = \"local\"; tables = ( { match = \"public.*\"; policy = \"" policy "\"; } );")

	draw(PAIR("oneway"));
	ck_assert(says(TOPOLOGY_DANGER, "keeps nodes alike only where one node writes"));
	wipe();
	draw(PAIR("pair"));
	ck_assert_uint_eq(topology->n_findings, 0);
	wipe();
	draw(THREE("pair"));
	ck_assert(says(TOPOLOGY_DANGER, "is written on 3 nodes"));
	wipe();
	draw(THREE("newest"));
	ck_assert_uint_eq(topology->n_findings, 0);
	wipe();
	draw(PAIR("strict"));
	ck_assert(says(TOPOLOGY_DANGER, "no policy for it but strict"));
	wipe();
	draw(LINK("ab", "a", "b", "tables = ( { match = \"public.*\"; policy = \"oneway\"; } );"));
	ck_assert_uint_eq(topology->n_findings, 0);
	wipe();
}
END_TEST

START_TEST(a_chain_for_one_kind_must_converge_too)
{
	draw(LINK("ab", "a", "b", ALL)
	     LINK("ba", "b", "a", "tables = ( { match = \"public.*\"; "
		  "on = { delete_missing = \"oneway\"; }; } );"));

	ck_assert(says(TOPOLOGY_DANGER, "policy 'oneway' of link 'ba'"));
	ck_assert(says(TOPOLOGY_WARNING, "have different policies"));
	wipe();
}
END_TEST

START_TEST(two_masters_that_do_not_see_each_other_are_told)
{
	draw(LINK("ac", "a", "c", ALL) LINK("bc", "b", "c", ALL));

	ck_assert_int_eq(topology_role(topology, A, 0), ROLE_MASTER);
	ck_assert_int_eq(topology_role(topology, B, 0), ROLE_MASTER);
	ck_assert(says(TOPOLOGY_WARNING, "comes to 'c' from both 'a' and 'b'"));
	ck_assert(says(TOPOLOGY_WARNING, "(and so for 1 more)"));
	ck_assert_uint_eq(topology->n_findings, 1);
	wipe();
}
END_TEST

START_TEST(tables_that_are_not_there_are_named)
{
	static const enum topology_presence source_only[] = {
		TABLE_PRESENT, TABLE_ABSENT, TABLE_ABSENT, TABLE_ABSENT,
	};
	static const enum topology_presence keyless[] = {
		TABLE_KEYLESS, TABLE_KEYLESS, TABLE_ABSENT, TABLE_ABSENT,
	};
	static const struct topology_table tables[] = {
		{ "public", "accounts", source_only, NULL }, { "public", "log", keyless, NULL },
	};

	draw_with(LINK("ab", "a", "b", "tables = ( \"public.acounts\", \"public.*\" );"), tables, 2);
	ck_assert(says(TOPOLOGY_ERROR, "did you mean 'public.accounts'"));
	ck_assert(says(TOPOLOGY_ERROR, "public.accounts of link 'ab' is not there on 'b'"));
	ck_assert(says(TOPOLOGY_WARNING, "public.log on 'a' has no primary key"));
	wipe();
}
END_TEST

START_TEST(a_rule_that_never_gets_a_table_is_told)
{
	draw(LINK("ab", "a", "b", "tables = ( \"public.*\", { match = \"public.t*\"; policy = \"skip\"; } );"));

	ck_assert(says(TOPOLOGY_WARNING, "pattern 'public.t*' of link 'ab' gets no table"));
	wipe();
}
END_TEST

START_TEST(columns_that_the_target_lacks_are_named)
{
	static const enum topology_presence everywhere[] = {
		TABLE_PRESENT, TABLE_PRESENT, TABLE_PRESENT, TABLE_PRESENT,
	};
	static const char *const two[] = { "id", "v" }, *const three[] = { "w", "id", "extra" };
	static const struct conf_strings columns[] = { { two, 2 }, { three, 3 }, { two, 2 }, { two, 2 } };
	static const struct topology_table tables[] = { { "public", "t", everywhere, columns } };

	draw_with(LINK("ab", "a", "b", ALL), tables, 1);
	ck_assert(says(TOPOLOGY_WARNING, "column 'v' of public.t is not there on 'b'"));
	ck_assert_uint_eq(topology->n_findings, 1);
	wipe();
}
END_TEST

START_TEST(a_node_that_could_not_be_asked_is_not_judged)
{
	static const enum topology_presence unknown[] = {
		TABLE_UNKNOWN, TABLE_PRESENT, TABLE_PRESENT, TABLE_PRESENT,
	};
	static const struct topology_table tables[] = { { "public", "t", unknown, NULL } };

	draw_with(LINK("ab", "a", "b", "tables = ( \"public.t\", \"public.x\" );"), tables, 1);

	ck_assert_int_eq(topology_role(topology, B, 0), ROLE_REPLICA);
	ck_assert_uint_eq(topology->n_findings, 0);
	wipe();
}
END_TEST

UNIT_MAIN("topology", a_tree_has_one_master_relays_and_replicas,
	  a_sink_that_is_no_node_makes_a_master_or_a_relay,
	  who_sends_to_each_other_are_both_masters, a_two_way_chain_is_sound,
	  two_ways_from_one_origin_are_refused,
	  tables_of_one_origin_may_come_by_a_link_each, a_mesh_forwards_local_changes_only,
	  changes_that_never_arrive_are_told, policies_must_converge_as_far_as_nodes_write,
	  a_chain_for_one_kind_must_converge_too,
	  two_masters_that_do_not_see_each_other_are_told,
	  columns_that_the_target_lacks_are_named, tables_that_are_not_there_are_named,
	  a_rule_that_never_gets_a_table_is_told, a_node_that_could_not_be_asked_is_not_judged)
