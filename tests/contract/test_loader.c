/*
 * What the loader refuses and how it says so, and that each load is a load of its own.
 */
#include "modules.h"

#include "plugin/policy.h"

static struct err err;

static const struct plugin *
find(struct plugin_set *set, enum elvis_plugin_kind kind, const char *name)
{
	const struct plugin *plugin = NULL;

	err = (struct err) ERR_INIT;
	if (plugin_set_find(set, kind, name, &plugin, &err))
		return plugin;
	ck_assert_int_eq(err.class, ERR_CONFIG);
	return NULL;
}

/* The refusal names the file and has both: what was found and what was wanted. */
static void
refused(enum elvis_plugin_kind kind, const char *name, const char *found, const char *wanted)
{
	struct plugin_set *set;

	modules_setup();
	module_copy("tests/plugins", name);
	set = modules_set();
	ck_assert_msg(find(set, kind, name) == NULL, "%s was taken", name);
	ck_assert_msg(strncmp(err.text, module_path(name), strlen(module_path(name))) == 0 &&
			      strstr(err.text, found) != NULL &&
			      strstr(err.text, wanted) != NULL,
		      "%s: %s", name, err.text);
	plugin_set_free(set);
	modules_teardown();
}

START_TEST(another_major_is_refused)
{
	refused(ELVIS_PLUGIN_POLICY, "other_major", "for version 2", "wanted version 1");
}
END_TEST

START_TEST(another_kind_is_refused)
{
	refused(ELVIS_PLUGIN_SINK, "counts", "it is a policy", "wanted a sink");
	refused(ELVIS_PLUGIN_POLICY, "half_a_sink", "it is a sink", "wanted a policy");
}
END_TEST

START_TEST(a_module_without_the_symbol_is_refused)
{
	refused(ELVIS_PLUGIN_POLICY, "no_symbol", "exports no elvis_plugin", "wanted a policy");
}
END_TEST

START_TEST(a_size_that_cannot_be_is_refused)
{
	refused(ELVIS_PLUGIN_POLICY, "short_size", "has 16 bytes", "wanted at least");
	refused(ELVIS_PLUGIN_POLICY, "long_size", "bytes, and there are", "wanted at least");
}
END_TEST

START_TEST(a_missing_member_is_refused)
{
	refused(ELVIS_PLUGIN_POLICY, "no_decide", "has no decide", ".decide = ");
	refused(ELVIS_PLUGIN_SINK, "half_a_sink", "has no begin", ".begin = ");
	refused(ELVIS_PLUGIN_POLICY, "ordered", "has no answers()", "wanted one");
}
END_TEST

START_TEST(a_name_that_is_not_the_files_is_refused)
{
	refused(ELVIS_PLUGIN_POLICY, "misnamed", "calls itself \"renamed\"", "wanted \"misnamed\"");
}
END_TEST

START_TEST(options_that_contradict_themselves_are_refused)
{
	refused(ELVIS_PLUGIN_POLICY, "bad_options", "option \"limit\"", "between 1 and 5");
}
END_TEST

START_TEST(needs_that_are_not_known_are_refused)
{
	refused(ELVIS_PLUGIN_POLICY, "wants_more", "needs are 0x40000000", "wanted no others");
}
END_TEST

START_TEST(what_does_not_link_is_refused)
{
	refused(ELVIS_PLUGIN_POLICY, "unlinked", "nowhere_to_be_found", "wanted a shared object");
}
END_TEST

START_TEST(what_is_no_module_is_refused)
{
	struct plugin_set *set;
	FILE *text;

	modules_setup();
	set = modules_set();
	text = fopen(module_path("words"), "w");
	ck_assert_ptr_null(find(set, ELVIS_PLUGIN_POLICY, "words"));
	ck_assert_ptr_nonnull(strstr(err.text, "empty"));

	fputs("just words", text);
	fclose(text);
	ck_assert_ptr_null(find(set, ELVIS_PLUGIN_POLICY, "words"));
	ck_assert_ptr_nonnull(strstr(err.text, "cannot be loaded"));

	mkdir(module_path("folder"), 0755);
	ck_assert_ptr_null(find(set, ELVIS_PLUGIN_POLICY, "folder"));
	ck_assert_ptr_nonnull(strstr(err.text, "not a file"));
	plugin_set_free(set);
	modules_teardown();
}
END_TEST

START_TEST(a_missing_file_lists_the_places_tried)
{
	const char *const dirs[] = { "/nonexistent/a", "/nonexistent/b" };
	struct plugin_set *set = plugin_set_new(dirs, 2, NULL, 0);

	ck_assert_ptr_null(find(set, ELVIS_PLUGIN_POLICY, "mine"));
	ck_assert_msg(strstr(err.text, "tried /nonexistent/a/mine.so, /nonexistent/b/mine.so, ") &&
			      strstr(err.text, "elvis/policies/mine.so"),
		      "%s", err.text);
	plugin_set_free(set);
}
END_TEST

START_TEST(a_file_or_directory_that_others_may_write_is_refused)
{
	struct plugin_set *set;
	char remedy[128];

	modules_setup();
	module_copy("tests/plugins", "counts");
	set = modules_set();

	ck_assert_int_eq(chmod(module_path("counts"), 0775), 0);
	ck_assert_ptr_null(find(set, ELVIS_PLUGIN_POLICY, "counts"));
	snprintf(remedy, sizeof(remedy), "chmod go-w %s", module_path("counts"));
	ck_assert_ptr_nonnull(strstr(err.text, remedy));
	ck_assert_ptr_nonnull(strstr(err.text, "its group"));

	ck_assert_int_eq(chmod(module_path("counts"), 0755), 0);
	ck_assert_int_eq(chmod(modules_dir, 0757), 0);
	ck_assert_ptr_null(find(set, ELVIS_PLUGIN_POLICY, "counts"));
	ck_assert_ptr_nonnull(strstr(err.text, "the directory may be written by everybody"));

	/* the remedy is one */
	ck_assert_int_eq(chmod(modules_dir, 0755), 0);
	ck_assert_ptr_nonnull(find(set, ELVIS_PLUGIN_POLICY, "counts"));
	plugin_set_free(set);
	modules_teardown();
}
END_TEST

/* Only root can give a file away, so for others there is nothing to see here. */
START_TEST(a_file_of_another_user_is_refused)
{
	uid_t another = geteuid() + 1;
	struct plugin_set *set;
	char told[64];

	modules_setup();
	module_copy("tests/plugins", "counts");
	set = modules_set();
	if (chown(module_path("counts"), another, (gid_t) -1) == 0) {
		ck_assert_ptr_null(find(set, ELVIS_PLUGIN_POLICY, "counts"));
		snprintf(told, sizeof(told), "the file belongs to user %u", (unsigned) another);
		ck_assert_ptr_nonnull(strstr(err.text, told));
	} else {
		ck_assert_uint_ne(geteuid(), 0);
	}
	plugin_set_free(set);
	modules_teardown();
}
END_TEST

START_TEST(a_link_leads_to_a_directory_that_is_looked_at_too)
{
	struct plugin_set *set;
	char real[128];

	modules_setup();
	module_copy("tests/plugins", "counts");
	snprintf(real, sizeof(real), "%s/open", modules_dir);
	mkdir(real, 0755);
	strcat(real, "/counts.so");
	ck_assert_int_eq(rename(module_path("counts"), real), 0);
	ck_assert_int_eq(symlink(real, module_path("counts")), 0);
	*strrchr(real, '/') = '\0';
	ck_assert_int_eq(chmod(real, 0777), 0);
	set = modules_set();

	ck_assert_ptr_null(find(set, ELVIS_PLUGIN_POLICY, "counts"));
	ck_assert_ptr_nonnull(strstr(err.text, real));
	ck_assert_ptr_nonnull(strstr(err.text, "the directory"));
	plugin_set_free(set);
	modules_teardown();
}
END_TEST

START_TEST(a_name_with_a_slash_is_a_path)
{
	struct plugin_set *set = plugin_set_new(NULL, 0, NULL, 0);
	const struct plugin *plugin;

	modules_setup();
	module_copy("tests/plugins", "counts");
	plugin = find(set, ELVIS_PLUGIN_POLICY, module_path("counts"));

	ck_assert_ptr_nonnull(plugin);
	ck_assert_str_eq(plugin_name(plugin), "counts");
	ck_assert_str_eq(plugin_file(plugin), module_path("counts"));
	ck_assert_uint_eq(strlen(plugin_hash(plugin)), 64);
	plugin_set_free(set);
	modules_teardown();
}
END_TEST

START_TEST(the_first_directory_counts)
{
	char second[80];
	const char *const dirs[] = { modules_dir, second };
	struct plugin_set *set;

	modules_setup();
	snprintf(second, sizeof(second), "%s/second", modules_dir);
	mkdir(second, 0755);
	module_copy("tests/plugins", "counts");
	set = plugin_set_new(dirs, 2, NULL, 0);
	ck_assert_str_eq(plugin_file(find(set, ELVIS_PLUGIN_POLICY, "counts")),
			 module_path("counts"));
	plugin_set_free(set);

	/* one that is there and bad is not passed over */
	chmod(module_path("counts"), 0777);
	set = plugin_set_new(dirs, 2, NULL, 0);
	ck_assert_ptr_null(find(set, ELVIS_PLUGIN_POLICY, "counts"));
	plugin_set_free(set);
	modules_teardown();
}
END_TEST

START_TEST(an_older_plugin_reads_as_zero_where_it_ends)
{
	struct plugin_set *set;
	const struct elvis_policy *policy;

	modules_setup();
	module_copy("tests/plugins", "older");
	module_copy("tests/plugins", "newer");
	set = modules_set();

	policy = plugin_policy(find(set, ELVIS_PLUGIN_POLICY, "older"));
	ck_assert_ptr_nonnull(policy->decide);
	ck_assert_ptr_null(policy->close);
	ck_assert_ptr_null(policy->answers);
	ck_assert_ptr_nonnull(find(set, ELVIS_PLUGIN_POLICY, "newer"));
	plugin_set_free(set);
	modules_teardown();
}
END_TEST

static uint32_t
verdict_of(const struct plugin *plugin)
{
	const struct setting_list none = { .count = 0 };
	const struct elvis_table table = { .schema = "public", .name = "t" };
	const struct elvis_side side = { .origin = 1 };
	const struct elvis_conflict conflict = { .kind = ELVIS_INSERT_EXISTS, .table = &table,
						 .remote = &side, .local = &side };
	struct elvis_verdict verdict;
	struct policy *policy;

	ck_assert(policy_open(&policy, plugin, &none, "a_b", NULL, NULL, &err));
	ck_assert(policy_decide(policy, &conflict, &verdict, &err));
	policy_close(policy);
	return verdict.action;
}

START_TEST(each_set_loads_a_generation_of_its_own)
{
	struct plugin_set *before, *after;
	const struct plugin *old, *new;

	modules_setup();
	module_copy("tests/plugins", "counts");
	before = modules_set();
	old = plugin_ref(find(before, ELVIS_PLUGIN_POLICY, "counts"));
	ck_assert_ptr_eq(old, find(before, ELVIS_PLUGIN_POLICY, "counts"));
	ck_assert_uint_eq(verdict_of(old), ELVIS_KEEP_LOCAL);
	ck_assert_uint_eq(verdict_of(old), ELVIS_STOP);

	/* the file is overwritten in place, with other code, while the old is in use */
	module_copy("tests/plugins", "older");
	ck_assert_int_eq(rename(module_path("older"), module_path("elder")), 0);
	ck_assert_int_eq(truncate(module_path("counts"), 0), 0);
	plugin_set_free(before);
	ck_assert_uint_eq(verdict_of(old), ELVIS_KEEP_LOCAL);

	module_copy("tests/plugins", "counts");
	after = modules_set();
	new = find(after, ELVIS_PLUGIN_POLICY, "counts");
	ck_assert_ptr_ne(plugin_policy(old)->decide, plugin_policy(new)->decide);
	ck_assert_uint_eq(verdict_of(new), ELVIS_KEEP_LOCAL);
	ck_assert_uint_eq(verdict_of(old), ELVIS_STOP);
	ck_assert_str_eq(plugin_hash(old), plugin_hash(new));

	plugin_unref(old);
	plugin_set_free(after);
	modules_teardown();
}
END_TEST

static void
count_plugin(void *context, const struct plugin *plugin)
{
	size_t *n = context;

	ck_assert_int_eq(plugin_kind(plugin), ELVIS_PLUGIN_POLICY);
	++*n;
}

START_TEST(a_set_knows_what_was_found)
{
	struct plugin_set *set;
	size_t n = 0;

	modules_setup();
	module_copy("tests/plugins", "counts");
	module_copy("tests/plugins", "newer");
	set = modules_set();
	find(set, ELVIS_PLUGIN_POLICY, "counts");
	find(set, ELVIS_PLUGIN_POLICY, "newer");
	find(set, ELVIS_PLUGIN_POLICY, "counts");
	find(set, ELVIS_PLUGIN_POLICY, "older");

	plugin_set_each(set, count_plugin, &n);
	ck_assert_uint_eq(n, 2);
	plugin_set_free(set);
	modules_teardown();
}
END_TEST

static bool
is_mapped(void)
{
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");
	bool found = false;

	while (fgets(line, sizeof(line), maps) != NULL)
		found = found || strstr(line, "memfd:") != NULL;
	fclose(maps);
	return found;
}

START_TEST(the_last_reference_closes_it)
{
	struct plugin_set *set;
	const struct plugin *plugin;

	modules_setup();
	module_copy("tests/plugins", "counts");
	set = modules_set();
	plugin = plugin_ref(find(set, ELVIS_PLUGIN_POLICY, "counts"));
	plugin_set_free(set);
	ck_assert(is_mapped());

	plugin_unref(plugin);
	ck_assert(!is_mapped());
	modules_teardown();
}
END_TEST

UNIT_MAIN("loader",
	  another_major_is_refused,
	  another_kind_is_refused,
	  a_module_without_the_symbol_is_refused,
	  a_size_that_cannot_be_is_refused,
	  a_missing_member_is_refused,
	  a_name_that_is_not_the_files_is_refused,
	  options_that_contradict_themselves_are_refused,
	  needs_that_are_not_known_are_refused,
	  what_does_not_link_is_refused,
	  what_is_no_module_is_refused,
	  a_missing_file_lists_the_places_tried,
	  a_file_or_directory_that_others_may_write_is_refused,
	  a_file_of_another_user_is_refused,
	  a_link_leads_to_a_directory_that_is_looked_at_too,
	  a_name_with_a_slash_is_a_path,
	  the_first_directory_counts,
	  an_older_plugin_reads_as_zero_where_it_ends,
	  each_set_loads_a_generation_of_its_own,
	  a_set_knows_what_was_found,
	  the_last_reference_closes_it)
