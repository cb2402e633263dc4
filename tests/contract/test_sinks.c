/*
 * The sinks that need no server, driven as a link drives them.
 */
#include "modules.h"

#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/arena.h"
#include "plugin/sink.h"

static struct plugin_set *set;
static struct err err;
static int stop_pipe[2];

static struct elvis_link link_here = {
	.name = "here_feed",
	.uuid = "3a8bb0b2-0b04-4c55-8f4a-8d4a5b7a1f00",
	.source = 1,
	.incarnation = 77,
};

static void
begin_test(void)
{
	modules_setup();
	module_copy("sinks", "jsonl");
	module_copy("sinks", "null");
	set = modules_set();
	err = (struct err) ERR_INIT;
	ck_assert_int_eq(pipe(stop_pipe), 0);
	link_here.stop_fd = stop_pipe[0];
}

static void
end_test(void)
{
	plugin_set_free(set);
	modules_teardown();
}

static const struct plugin *
find(const char *name)
{
	const struct plugin *plugin;

	ck_assert_msg(plugin_set_find(set, ELVIS_PLUGIN_SINK, name, &plugin, &err), "%s",
		      err.text);
	return plugin;
}

/* What is written ------------------------------------------------------------------ */

enum { ID, NAME, RICH, SHARE, DOCUMENT, N_COLUMNS };

static const struct elvis_column columns[N_COLUMNS] = {
	{ .name = "id", .type = "bigint", .in_key = true },
	{ .name = "name", .type = "character varying(40)" },
	{ .name = "rich", .type = "boolean" },
	{ .name = "share", .type = "double precision" },
	{ .name = "document", .type = "text" },
};
static const struct elvis_column *const listed[N_COLUMNS] = { &columns[0], &columns[1],
							      &columns[2], &columns[3],
							      &columns[4] };
static const uint32_t key[] = { ID };
static const struct elvis_table table = { .version = 5, .schema = "public", .name = "people",
					  .n_columns = N_COLUMNS, .columns = listed,
					  .n_key = 1, .key = key };

static struct elvis_value
text(const char *string)
{
	return (struct elvis_value){ .state = string ? ELVIS_VALUE_TEXT : ELVIS_VALUE_NULL,
				     .length = string ? (uint32_t) strlen(string) : 0,
				     .text = string };
}

static bool
write_change(struct sink *sink, const struct elvis_change *change)
{
	const struct elvis_change *const changes[] = { change };
	const struct elvis_piece piece = { .changes = changes, .n_changes = 1 };

	return sink_write(sink, &piece, &err);
}

static bool
write_insert(struct sink *sink, int64_t id)
{
	char number[32];
	struct elvis_value after[N_COLUMNS] = { [NAME] = text("x"), [RICH] = text("t"),
						[SHARE] = text("0.5"), [DOCUMENT] = text("d") };
	const struct elvis_change change = { .operation = ELVIS_INSERT, .table = &table,
					     .after = after, .origin = 1, .seq = id };

	snprintf(number, sizeof(number), "%lld", (long long) id);
	after[ID] = text(number);
	return write_change(sink, &change);
}

static struct elvis_position
at(int64_t seq)
{
	return (struct elvis_position){ .from_id = 1, .from_token = -5, .to_id = 2,
					.to_token = INT64_MAX - 3, .seq = seq };
}

/* One target transaction: `n` inserts after `id`; the position is that of the last. */
static bool
transaction(struct sink *sink, int64_t id, int n)
{
	struct elvis_position from = at(id), to = at(id + n);

	if (!sink_begin(sink, &from, &err))
		return false;
	for (int i = 1; i <= n; i++)
		if (!write_insert(sink, id + i))
			return false;
	return sink_commit(sink, &to, 0, &err);
}

/* jsonl ------------------------------------------------------------------------------ */

static char feed_path[96];

static struct setting
string_setting(const char *name, const char *value)
{
	return (struct setting){ .name = name, .type = SETTING_STRING, .string = value };
}

static struct sink *
new_jsonl(int64_t rotate_size)
{
	struct setting items[] = {
		string_setting("path", feed_path),
		{ .name = "rotate_size", .type = SETTING_INT, .integer = rotate_size },
		{ .name = "fsync", .type = SETTING_BOOL, .boolean = rotate_size > 0 },
	};
	const struct setting_list settings = { .items = items, .count = ARRAY_LEN(items) };
	struct sink *sink;

	snprintf(feed_path, sizeof(feed_path), "%s/feed.jsonl", modules_dir);
	ck_assert_msg(sink_new(&sink, find("jsonl"), &settings, &link_here, &err), "%s", err.text);
	return sink;
}

static struct sink *
open_jsonl(int64_t rotate_size)
{
	struct sink *sink = new_jsonl(rotate_size);

	ck_assert_msg(sink_open(sink, &err), "%s", err.text);
	return sink;
}

/* Where it says it stands; -1: nowhere. */
static int64_t
stands_at(struct sink *sink)
{
	struct elvis_position position, expected;
	bool known;

	ck_assert(sink_position(sink, &position, &known, &err));
	if (!known)
		return -1;
	expected = at(position.seq);
	ck_assert_mem_eq(&position, &expected, sizeof(position));
	return position.seq;
}

/* The ids in PATH, PATH.1 ... must count up from 1 to what is returned. */
static int64_t
count_ids(int *n_files)
{
	int64_t last = 0;

	for (*n_files = 0;; ++*n_files) {
		char path[128], line[1024];
		FILE *file;

		if (*n_files == 0)
			snprintf(path, sizeof(path), "%s", feed_path);
		else
			snprintf(path, sizeof(path), "%s.%d", feed_path, *n_files);
		file = fopen(path, "r");
		if (file == NULL)
			return last;
		while (fgets(line, sizeof(line), file) != NULL) {
			json_error_t json_error;
			json_t *event = json_loads(line, 0, &json_error);
			json_int_t id;

			ck_assert_msg(event != NULL, "%s in: %s", json_error.text, line);
			ck_assert_int_eq(json_unpack(event, "{s:{s:I}}", "after", "id", &id), 0);
			ck_assert_int_eq(id, last + 1);
			last = id;
			json_decref(event);
		}
		fclose(file);
	}
}

static json_t *
only_line(void)
{
	json_error_t json_error;
	json_t *event = json_load_file(feed_path, 0, &json_error);

	ck_assert_msg(event != NULL, "%s", json_error.text);
	return event;
}

START_TEST(a_change_is_a_line_in_the_shape_of_debezium)
{
	struct elvis_value before[] = { text("7"), text("Zoë \"Z\"\n"), text("f"), text("NaN"),
					text("long") };
	struct elvis_value after[] = { text("9007199254740993"), text(NULL), text("t"),
				       text("1.5e-07"),
				       { .state = ELVIS_VALUE_NOT_CAPTURED } };
	const struct elvis_change change = { .operation = ELVIS_UPDATE, .table = &table,
					     .before = before, .after = after, .origin = 3,
					     .via = 2, .at = 1714564800123456, .xid = 4242,
					     .seq = 17, .ordinal = 1 };
	struct elvis_position from = at(0), to = at(17);
	json_t *event, *expected;
	struct sink *sink;

	begin_test();
	sink = open_jsonl(0);
	ck_assert(sink_begin(sink, &from, &err) && write_change(sink, &change) &&
		  sink_commit(sink, &to, 0, &err));

	event = only_line();
	ck_assert_int_gt(json_integer_value(json_object_get(event, "ts_ms")), 1714564800123);
	json_object_del(event, "ts_ms");
	expected = json_pack(
		"{s:{s:i, s:s, s:b, s:s, s:s}, s:{s:I, s:n, s:b, s:f},"
		" s:{s:s, s:s, s:I, s:I, s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:i}, s:s, s:[s]}",
		"before", "id", 7, "name", "Zoë \"Z\"\n", "rich", 0, "share", "NaN", "document",
		"long",
		"after", "id", (json_int_t) 9007199254740993, "name", "rich", 1, "share", 1.5e-07,
		"source", "connector", "elvis", "name", "here_feed", "ts_ms",
		(json_int_t) 1714564800123, "ts_us", (json_int_t) 1714564800123456, "node", 1,
		"schema", "public", "table", "people", "txId", 4242, "seq", 17, "ordinal", 1,
		"origin", 3, "via", 2,
		"op", "u", "not_captured", "document");
	ck_assert_ptr_nonnull(expected);
	ck_assert_msg(json_equal(event, expected), "%s", json_dumps(event, 0));
	json_decref(event);
	json_decref(expected);
	sink_free(sink);
	end_test();
}
END_TEST

START_TEST(what_was_not_committed_is_not_there)
{
	struct elvis_position from = at(3);
	struct sink *sink;
	int n_files;

	begin_test();
	sink = open_jsonl(0);
	ck_assert_int_eq(stands_at(sink), -1);
	ck_assert(transaction(sink, 0, 3));

	ck_assert(sink_begin(sink, &from, &err) && write_insert(sink, 99));
	sink_rollback(sink);
	ck_assert(transaction(sink, 3, 2));
	ck_assert_int_eq(count_ids(&n_files), 5);

	/* a link that is closed in the middle is rolled back */
	from = at(5);
	ck_assert(sink_begin(sink, &from, &err) && write_insert(sink, 99));
	sink_close(sink);
	ck_assert(sink_open(sink, &err));
	ck_assert_int_eq(stands_at(sink), 5);
	ck_assert_int_eq(count_ids(&n_files), 5);
	sink_free(sink);
	end_test();
}
END_TEST

START_TEST(a_transaction_must_continue_from_where_it_stands)
{
	struct sink *sink;

	begin_test();
	sink = open_jsonl(0);
	ck_assert(transaction(sink, 0, 3));

	ck_assert(!transaction(sink, 2, 3));
	ck_assert_int_eq(err.class, ERR_RETRY);
	ck_assert(transaction(sink, 3, 1));
	sink_free(sink);
	end_test();
}
END_TEST

/* Writes transactions of growing size until it is killed. */
static void
write_until_killed(void)
{
	struct sink *sink = open_jsonl(4000);
	int64_t id = stands_at(sink);

	if (id < 0)
		id = 0;
	for (int n = 1;; n = n % 40 + 1) {
		if (!transaction(sink, id, n))
			_exit(1);
		id += n;
	}
}

START_TEST(kill_9_at_any_moment_loses_and_repeats_nothing)
{
	unsigned seed = (unsigned) getpid();
	int64_t stood = -1;
	struct sink *sink;
	int n_files = 0;

	begin_test();
	for (int round = 0; round < 30 || ((n_files < 3 || stood <= 30) && round < 300); round++) {
		pid_t child = fork();
		int status;

		if (child == 0)
			write_until_killed();
		poll(NULL, 0, 5 + rand_r(&seed) % 40);
		kill(child, SIGKILL);
		waitpid(child, &status, 0);
		ck_assert_msg(WIFSIGNALED(status), "the writer failed by itself, seed %d",
			      (int) getpid());

		sink = open_jsonl(4000);
		ck_assert_int_ge(stands_at(sink), stood);
		if (stands_at(sink) >= 0) {
			stood = stands_at(sink);
			ck_assert_int_eq(count_ids(&n_files), stood);
		}
		sink_free(sink);
	}
	/* the hazard was there: something was written, and into more than one file */
	ck_assert_int_gt(stood, 30);
	ck_assert_int_gt(n_files, 2);
	end_test();
}
END_TEST

START_TEST(what_does_not_belong_together_is_refused)
{
	struct sink *sink, *second;
	char path[128];
	FILE *file;

	begin_test();
	sink = new_jsonl(0);
	file = fopen(feed_path, "w");
	fputs("somebody's data\n", file);
	fclose(file);
	ck_assert(!sink_open(sink, &err));
	ck_assert_int_eq(err.class, ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.text, "is not empty"));
	unlink(feed_path);

	ck_assert(sink_open(sink, &err) && transaction(sink, 0, 3));
	second = new_jsonl(0);
	ck_assert(!sink_open(second, &err));
	ck_assert_ptr_nonnull(strstr(err.text, "is locked"));
	sink_close(sink);

	link_here.uuid = "00000000-0b04-4c55-8f4a-8d4a5b7a1f00";
	ck_assert(!sink_open(second, &err));
	ck_assert_int_eq(err.class, ERR_CONFIG);
	ck_assert_ptr_nonnull(strstr(err.text, "belongs to link 3a8bb0b2"));
	link_here.uuid = "3a8bb0b2-0b04-4c55-8f4a-8d4a5b7a1f00";

	link_here.incarnation = 78;
	ck_assert(!sink_open(second, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	link_here.incarnation = 77;

	ck_assert_int_eq(truncate(feed_path, 10), 0);
	ck_assert(!sink_open(second, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	ck_assert_ptr_nonnull(strstr(err.text, "has 10 bytes"));

	snprintf(path, sizeof(path), "%s.position", feed_path);
	file = fopen(path, "w");
	fputs("{}", file);
	fclose(file);
	ck_assert(!sink_open(second, &err));
	ck_assert_int_eq(err.class, ERR_REFUSED);
	sink_free(second);
	sink_free(sink);
	end_test();
}
END_TEST

START_TEST(standard_output_needs_a_place_for_its_position)
{
	struct setting item = string_setting("path", "-");
	const struct setting_list settings = { .items = &item, .count = 1 };
	struct sink *sink;

	begin_test();
	ck_assert(sink_new(&sink, find("jsonl"), &settings, &link_here, &err));
	ck_assert(!sink_open(sink, &err));
	ck_assert_int_eq(err.class, ERR_CONFIG);
	sink_free(sink);
	end_test();
}
END_TEST

static int n_stdouts;

static struct sink *
new_stdout_sink(void)
{
	static char position[128];
	struct setting items[] = { string_setting("path", "-"),
				   string_setting("position", position) };
	const struct setting_list settings = { .items = items, .count = 2 };
	struct sink *sink;

	snprintf(position, sizeof(position), "%s/stdout%d.position", modules_dir, ++n_stdouts);
	ck_assert(sink_new(&sink, find("jsonl"), &settings, &link_here, &err));
	return sink;
}

static struct sink *
open_stdout_sink(void)
{
	struct sink *sink = new_stdout_sink();

	ck_assert_msg(sink_open(sink, &err), "%s", err.text);
	return sink;
}

START_TEST(standard_output_is_one_links)
{
	struct sink *first, *second;

	begin_test();
	first = new_stdout_sink();
	second = new_stdout_sink();
	ck_assert(sink_open(first, &err));
	ck_assert(!sink_open(second, &err));
	ck_assert_int_eq(err.class, ERR_CONFIG);

	sink_close(first);
	ck_assert(sink_open(second, &err));
	sink_free(first);
	sink_free(second);
	end_test();
}
END_TEST

START_TEST(standard_output_gets_what_is_committed_and_no_more)
{
	int out[2], saved = dup(STDOUT_FILENO);
	struct elvis_position from = at(2);
	struct sink *sink;
	char lines[4096];
	ssize_t n;

	begin_test();
	ck_assert_int_eq(pipe(out), 0);
	dup2(out[1], STDOUT_FILENO);
	close(out[1]);
	sink = open_stdout_sink();
	ck_assert(sink_begin(sink, &from, &err) && write_insert(sink, 99));
	sink_rollback(sink);
	ck_assert(transaction(sink, 0, 2));
	dup2(saved, STDOUT_FILENO);
	n = read(out[0], lines, sizeof(lines) - 1);
	ck_assert_int_gt(n, 0);
	lines[n] = '\0';

	ck_assert_ptr_null(strstr(lines, "\"id\":99"));
	ck_assert_ptr_nonnull(strstr(lines, "\"id\":1,"));
	ck_assert_ptr_nonnull(strstr(lines, "\"id\":2,"));
	ck_assert_int_eq(lines[n - 1], '\n');
	ck_assert_int_eq(stands_at(sink), 2);
	sink_free(sink);
	end_test();
}
END_TEST

START_TEST(a_reader_that_is_slow_does_not_keep_a_link_from_stopping)
{
	int out[2], saved = dup(STDOUT_FILENO);
	struct sink *sink;
	bool committed;

	begin_test();
	ck_assert_int_eq(pipe(out), 0);
	dup2(out[1], STDOUT_FILENO);
	sink = open_stdout_sink();
	ck_assert_int_eq(write(stop_pipe[1], "x", 1), 1);
	committed = transaction(sink, 0, 5000);
	dup2(saved, STDOUT_FILENO);

	ck_assert(!committed);
	ck_assert_int_eq(err.class, ERR_RETRY);
	sink_free(sink);
	end_test();
}
END_TEST

/* null, and the driver ------------------------------------------------------------------ */

START_TEST(null_takes_everything)
{
	const struct setting_list none = { .count = 0 };
	struct elvis_position position;
	struct sink *sink;
	bool known = true;

	begin_test();
	ck_assert(sink_new(&sink, find("null"), &none, &link_here, &err));
	ck_assert_uint_eq(sink_flags(sink) & ELVIS_SINK_KEEPS_POSITION, 0);
	ck_assert(sink_open(sink, &err) && transaction(sink, 0, 10));
	ck_assert(sink_position(sink, &position, &known, &err));
	ck_assert(!known);
	sink_free(sink);
	end_test();
}
END_TEST

START_TEST(calls_out_of_order_do_not_reach_the_sink)
{
	const struct setting_list none = { .count = 0 };
	struct elvis_position position = at(0);
	struct sink *sink;

	begin_test();
	ck_assert(sink_new(&sink, find("null"), &none, &link_here, &err));
	ck_assert(!sink_begin(sink, &position, &err));
	ck_assert_int_eq(err.class, ERR_BUG);
	ck_assert(sink_open(sink, &err));
	ck_assert(!sink_open(sink, &err));
	ck_assert(!write_insert(sink, 1));
	ck_assert(!sink_commit(sink, &position, 0, &err));
	sink_rollback(sink);
	sink_close(sink);
	sink_close(sink);
	sink_free(sink);
	end_test();
}
END_TEST

static void
check_sink(const char *place, const char *name)
{
	const struct plugin *plugin;

	module_copy(place, name);
	plugin = find(name);
	ck_assert_uint_gt(strlen(plugin_summary(plugin)), 10);
	for (const struct elvis_option *option = plugin_options(plugin); option->name; option++)
		ck_assert_uint_gt(strlen(option->help), 10);
}

START_TEST(every_shipped_sink_is_what_it_should_be)
{
	begin_test();
	ck_assert_uint_ge(modules_each("ELVIS_SINKS", check_sink), 2);
	end_test();
}
END_TEST

UNIT_MAIN("sinks",
	  a_change_is_a_line_in_the_shape_of_debezium,
	  what_was_not_committed_is_not_there,
	  a_transaction_must_continue_from_where_it_stands,
	  kill_9_at_any_moment_loses_and_repeats_nothing,
	  what_does_not_belong_together_is_refused,
	  standard_output_needs_a_place_for_its_position,
	  standard_output_is_one_links,
	  standard_output_gets_what_is_committed_and_no_more,
	  a_reader_that_is_slow_does_not_keep_a_link_from_stopping,
	  null_takes_everything,
	  calls_out_of_order_do_not_reach_the_sink,
	  every_shipped_sink_is_what_it_should_be)
