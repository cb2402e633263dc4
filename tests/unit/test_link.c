#include "engine/link_parts.h"

#include <pthread.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/mailbox.h"
#include "fake_source.h"
#include "unit.h"

/*
 * A sink without a database: rows and a position that become whole together.  Call number
 * `fail_at` fails once, a commit either before it has taken effect or after (a lost answer).  A
 * late one returns from commit before that, and tells at the next call.
 */
struct fake_sink {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	atomic_int *calls;
	int fail_at;
	bool lost_answer, late;
	bool open, begun, known;
	struct elvis_position position, expected;
	struct elvis_position next;	/* of what is to take effect */
	int n_ready;			/* of `pending`: committed, and still to take effect */
	bool ready;
	int ids[4096], n_ids;	/* committed */
	int pending[4096], n_pending;
	int commits, largest;
	const char *refusal;	/* begin() says this */
	const struct elvis_link *face;	/* commit() asks until it is not told to keep_local */
	int asked;
	uint32_t verdict;	/* what it was told last */
	struct err broken;	/* calls out of order */
};

static bool
sink_fails(struct fake_sink *s, struct err *err)
{
	if (s->calls == NULL || atomic_fetch_add(s->calls, 1) + 1 != s->fail_at)
		return false;
	err_set(err, ERR_RETRY, "the fake sink is away");
	return true;
}

/* The end of what was committed, with or without effect */
static void
end_ready(struct fake_sink *s, bool effect)
{
	if (effect) {
		pthread_mutex_lock(&s->lock);
		memcpy(s->ids + s->n_ids, s->pending, (size_t) s->n_ready * sizeof(int));
		s->n_ids += s->n_ready;
		s->largest = s->n_ready > s->largest ? s->n_ready : s->largest;
		s->commits += s->n_ready > 0;
		s->position = s->next;
		pthread_cond_broadcast(&s->changed);
		pthread_mutex_unlock(&s->lock);
	}
	s->n_pending -= s->n_ready;
	memmove(s->pending, s->pending + s->n_ready, (size_t) s->n_pending * sizeof(int));
	s->n_ready = 0;
	s->ready = false;
}

/* What was committed takes effect, or fails to. */
static bool
take_effect(struct fake_sink *s, struct err *err)
{
	bool fails = s->ready && sink_fails(s, err);

	if (s->ready)
		end_ready(s, !fails || s->lost_answer);
	return !fails;
}

static bool
op_open(void *self, struct err *err)
{
	struct fake_sink *s = self;

	if (s->open)
		err_set(&s->broken, ERR_BUG, "opened twice");
	if (sink_fails(s, err))
		return false;
	s->open = true;
	return true;
}

static void
op_close(void *self)
{
	struct fake_sink *s = self;

	/* nobody waits for it, but it may become whole */
	if (s->ready)
		end_ready(s, s->lost_answer);
	s->open = false;
	s->begun = false;
	s->n_pending = 0;
}

static bool
op_position(void *self, struct elvis_position *position, bool *known, struct err *err)
{
	struct fake_sink *s = self;

	if (sink_fails(s, err))
		return false;
	pthread_mutex_lock(&s->lock);
	*position = s->position;
	*known = s->known;
	pthread_mutex_unlock(&s->lock);
	return true;
}

static bool
op_table(void *self, const struct elvis_table *table, const struct elvis_rules *rules,
	 struct err *err)
{
	(void) table;
	(void) rules;
	return !sink_fails(self, err);
}

static bool
op_begin(void *self, const struct elvis_position *position, struct err *err)
{
	struct fake_sink *s = self;

	if (s->begun || !s->open)
		err_set(&s->broken, ERR_BUG, "begun out of order");
	if (s->refusal != NULL)
		return err_set(err, ERR_REFUSED, "%s", s->refusal);
	if (sink_fails(s, err))
		return false;
	if (!position_equal(position, s->ready ? &s->next : &s->position))
		err_set(&s->broken, ERR_BUG, "begun from elsewhere");
	s->begun = true;
	s->n_pending = s->n_ready;
	return true;
}

static bool
op_write(void *self, const struct elvis_piece *piece, struct err *err)
{
	struct fake_sink *s = self;

	if (!s->begun)
		err_set(&s->broken, ERR_BUG, "written out of order");
	if (sink_fails(s, err) || !take_effect(s, err))
		return false;
	for (size_t i = 0; i < piece->n_changes; i++)
		s->pending[s->n_pending++] = atoi(piece->changes[i]->after[0].text);
	return true;
}

/* A conflict about the first change of the transaction, which no keep_local settles */
static void
ask_on_and_on(struct fake_sink *s)
{
	static const struct elvis_table table = { .version = 1, .schema = "public", .name = "t1" };
	struct elvis_side remote = { .origin = 1 };
	struct elvis_conflict conflict = {
		.kind = ELVIS_CONSTRAINT_VIOLATION, .operation = ELVIS_INSERT, .table = &table,
		.remote = &remote, .seq = 50,
	};
	struct elvis_verdict verdict = { .action = ELVIS_KEEP_LOCAL };
	const char *policy;

	while (verdict.action == ELVIS_KEEP_LOCAL && s->asked < 100) {
		s->asked++;
		ck_assert(s->face->ask(s->face, &conflict, &verdict, &policy));
	}
	s->verdict = verdict.action;
	s->face = NULL;
}

static bool
op_commit(void *self, const struct elvis_position *next, int64_t at, struct err *err)
{
	struct fake_sink *s = self;

	(void) at;
	if (s->face != NULL)
		ask_on_and_on(s);
	if (!s->begun)
		err_set(&s->broken, ERR_BUG, "committed out of order");
	if (!take_effect(s, err))
		return false;
	s->begun = false;
	s->ready = true;
	s->n_ready = s->n_pending;
	s->next = *next;
	return s->late || take_effect(s, err);
}

static void
op_rollback(void *self)
{
	struct fake_sink *s = self;

	s->begun = false;
	s->n_pending = s->n_ready;
}

static bool
op_durable(void *self, struct elvis_position *position, bool *known, struct err *err)
{
	(void) position;
	*known = false;
	return !sink_fails(self, err) && take_effect(self, err);
}

static bool
op_settle(void *self, struct err *err)
{
	struct fake_sink *s = self;

	if (s->begun)
		err_set(&s->broken, ERR_BUG, "settled out of order");
	return take_effect(s, err);
}

static int
op_form(void *self)
{
	(void) self;
	return ELVIS_FORM_TEXT;
}

static const struct sink_ops sink_ops = {
	.open = op_open, .close = op_close, .position = op_position, .table = op_table,
	.begin = op_begin, .write = op_write, .commit = op_commit, .rollback = op_rollback,
	.durable = op_durable, .settle = op_settle, .form = op_form,
};

static bool
keep(void *self, const struct elvis_conflict *conflict, struct elvis_verdict *verdict,
     struct err *err)
{
	(void) self;
	(void) err;
	ck_assert_str_eq(conflict->link, "test");
	verdict->action = ELVIS_KEEP_LOCAL;
	return true;
}

static bool
answer_nothing(void *self, const struct elvis_table *table, struct elvis_answers *answers,
	       struct err *err)
{
	(void) self;
	(void) table;
	(void) answers;
	(void) err;
	return true;
}

static const struct policy_ops keep_ops = { keep, answer_nothing };
static const struct link_policy keeps = { .ops = &keep_ops, .name = "keeps" };
static const struct link_policy *const keeps_list[] = { &keeps };

/* Version 2 belongs to nobody. */
static bool
rules_of(void *context, const struct elvis_table *table, const struct table_rules **rules,
	 struct err *err)
{
	static const struct table_rules others = { .wanted = false };
	static const struct table_rules ours = {
		.wanted = true,
		.chains[ELVIS_CONSTRAINT_VIOLATION] = { keeps_list, 1 },
	};

	(void) context;
	(void) err;
	*rules = table->version == 2 ? &others : &ours;
	return true;
}

/* A source, a sink and a link between them ------------------------------------------ */

#define UUID "11111111-2222-4333-8444-555555555555"

struct world {
	atomic_int calls;
	struct fake_source source, own;
	struct fake_sink sink;
	struct cache *cache;
	struct mailbox *mailbox;
	struct link_settings settings;
	struct link *link;
	pthread_t thread;
};

static void
world_init(struct world *w)
{
	*w = (struct world){
		.source = { .source = { &fake_source_ops }, .changes = 3, .per_snapshot = 4,
			    .piece = 5, .tables = 1, .origin = 1, .newest = 100 },
		.sink = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER,
			  .known = true, .position = { .from_id = 1 }, .broken = ERR_INIT },
		.settings = { .name = "test", .uuid = UUID, .target = 2, .target_bytes = 100,
			      .confirm_ms = 1, .retry_ms = 1, .stop_fd = -1 },
	};
	w->own = w->source;
	log_set_level(LEVEL_ERROR);
}

static void
say_state(struct world *w, enum link_state state, int64_t confirmed)
{
	struct subscriber subscriber = {
		.uuid = UUID, .state = state, .confirmed = confirmed > 0,
		.position = { .from_id = confirmed },
	};

	mailbox_subscribers(w->mailbox, &subscriber, 1);
}

static void
say_snapshot(struct world *w, int64_t id)
{
	struct snapshot snapshot = { .id = id, .at = id };

	mailbox_snapshot(w->mailbox, &snapshot);
}

static void *
run(void *context)
{
	link_run(context);
	return NULL;
}

static void
world_join(struct world *w)
{
	struct source_facts facts = { .number = 1 };
	struct link_ends ends = { .sink = { &sink_ops, &w->sink, ELVIS_SINK_ROWS,
					    ELVIS_SINK_KEEPS_POSITION },
				  .rules = rules_of };

	w->source.calls = &w->calls;
	w->sink.calls = &w->calls;
	w->cache = cache_new(&w->source.source, 1 << 20);
	w->mailbox = mailbox_new();
	w->link = link_new(&w->settings);
	ends.shared = w->cache;
	ends.own = &w->own.source;
	ends.mailbox = w->mailbox;
	link_join(w->link, &ends);
	mailbox_facts(w->mailbox, &facts);
}

static void
world_start(struct world *w)
{
	world_join(w);
	ck_assert_int_eq(pthread_create(&w->thread, NULL, run, w->link), 0);
}

/* Until the sink stands at that snapshot */
static void
await(struct world *w, int64_t id)
{
	pthread_mutex_lock(&w->sink.lock);
	while (w->sink.position.from_id < id || w->sink.position.to_id != 0)
		pthread_cond_wait(&w->sink.changed, &w->sink.lock);
	pthread_mutex_unlock(&w->sink.lock);
}

/* Until the link has asked for its stop to be recorded; says so to it */
static void
await_stop(struct world *w, struct request *request)
{
	while (!mailbox_request(w->mailbox, NULL, request) || !request->stop)
		sched_yield();
	mailbox_recorded(w->mailbox, request);
}

static void
world_free(struct world *w)
{
	link_free(w->link);
	mailbox_free(w->mailbox);
	cache_free(w->cache);
}

static void
world_end(struct world *w)
{
	link_finish(w->link);
	pthread_join(w->thread, NULL);
	ck_assert_msg(w->sink.broken.class == ERR_NONE, "%s", w->sink.broken.text);
	ck_assert(!w->sink.open);
	world_free(w);
}

/* Snapshot 1 is before row 12, snapshot 6 after row 71: each once and in order. */
static void
check_all(const struct world *w)
{
	ck_assert_int_eq(w->sink.n_ids, 5 * 4 * 3);
	for (int i = 0; i < w->sink.n_ids; i++)
		ck_assert_int_eq(w->sink.ids[i], 12 + i);
}

START_TEST(a_backlog_is_taken_in_bites_and_a_snapshot_at_a_time_when_caught_up)
{
	struct world w;

	world_init(&w);
	world_start(&w);
	say_state(&w, LINK_RUNNING, 1);
	say_snapshot(&w, 4);
	await(&w, 4);
	say_snapshot(&w, 5);
	await(&w, 5);
	say_snapshot(&w, 6);
	await(&w, 6);
	world_end(&w);

	check_all(&w);
	ck_assert_int_gt(w.sink.commits, 5);
	ck_assert_int_eq(w.sink.largest % 3, 0);
}
END_TEST

/* The snapshotter has connected to its source anew after the link has looked at its news. */
START_TEST(a_newest_snapshot_that_is_unknown_again_stops_no_link)
{
	struct snapshot heard_of = { .id = 6 };
	struct err err = ERR_INIT;
	struct world w;

	world_init(&w);
	world_join(&w);
	w.link->position = w.link->stored = w.sink.position;

	ck_assert(!deliver_batch(w.link, &heard_of, &err));
	ck_assert_int_eq(err.class, ERR_RETRY);
	ck_assert_int_eq(w.link->position.from_id, w.sink.position.from_id);
	world_free(&w);
}
END_TEST

/* A1: whatever call fails, and whether or not a commit's answer was lost, nothing is lost or
 * done twice. */
START_TEST(cut_off_at_any_call_it_loses_and_repeats_nothing)
{
	int calls = 1;

	for (int at = 1; at <= calls; at++) {
		for (int way = 0; way < 4; way++) {
			struct world w;

			world_init(&w);
			w.sink.lost_answer = way & 1;
			w.sink.late = way & 2;
			w.sink.fail_at = w.source.fail_at = at;
			world_start(&w);
			say_state(&w, LINK_RUNNING, 1);
			say_snapshot(&w, 3);
			say_snapshot(&w, 6);
			await(&w, 6);
			world_end(&w);
			check_all(&w);
			calls = w.calls;
		}
	}
	ck_assert_int_gt(calls, 20);
}
END_TEST

/* Rows of the largest target transaction, of a backlog of very many tables, the call `fail_at`
 * failing, and then of another such backlog; 0: none fails */
static void
largest_of_many_tables(size_t spread_bytes, int fail_at, int *first, int *then)
{
	struct world w;

	world_init(&w);
	w.source.tables = 200;
	w.source.per_snapshot = 200;
	w.source.piece = 1000;
	w.settings.target_bytes = 2500;
	w.settings.spread_bytes = spread_bytes;
	w.sink.fail_at = w.source.fail_at = fail_at;
	world_start(&w);
	say_state(&w, LINK_RUNNING, 1);
	say_snapshot(&w, 3);
	await(&w, 3);
	*first = w.sink.largest;
	say_snapshot(&w, 5);
	await(&w, 5);
	world_end(&w);
	*then = w.sink.largest;
	/* all but the table that is nobody's */
	ck_assert_int_eq(w.sink.n_ids, 4 * 199 * 3);
}

START_TEST(a_transaction_grows_with_its_tables_until_one_fails)
{
	int plain, spread, failed, then, at = 1;

	largest_of_many_tables(0, 0, &plain, &then);
	ck_assert_int_eq(then, plain);
	largest_of_many_tables(1 << 20, 0, &spread, &then);
	ck_assert_int_gt(spread, plain);

	/* whichever call of the first backlog it is, up to its first effect */
	do {
		largest_of_many_tables(1 << 20, at++, &failed, &then);
	} while (failed == spread && at < 50);
	ck_assert_int_le(failed, plain);
	ck_assert_int_gt(then, plain);
}
END_TEST

START_TEST(by_transaction_each_source_transaction_is_one)
{
	struct world w;

	world_init(&w);
	w.settings.by_transaction = true;
	w.settings.target_bytes = 1 << 20;
	world_start(&w);
	say_state(&w, LINK_RUNNING, 1);
	say_snapshot(&w, 6);
	await(&w, 6);
	world_end(&w);

	check_all(&w);
	ck_assert_int_eq(w.sink.commits, 5 * 4);
	ck_assert_int_eq(w.sink.largest, 3);
}
END_TEST

START_TEST(a_transaction_larger_than_a_piece_stays_one)
{
	struct world w;

	world_init(&w);
	w.source.changes = 50;
	w.settings.target_bytes = 1;
	world_start(&w);
	say_state(&w, LINK_RUNNING, 1);
	say_snapshot(&w, 3);
	await(&w, 3);
	world_end(&w);

	ck_assert_int_eq(w.sink.n_ids, 8 * 50);
	ck_assert_int_eq(w.sink.commits, 8);
}
END_TEST

/* Another link has been here, in small steps. */
static void
after_others(struct world *w)
{
	struct cursor cursor;
	const struct piece *piece;
	struct err err = ERR_INIT;

	w->source.piece = 1000;
	world_start(w);
	cache_join(w->cache);
	cache_join(w->cache);	/* and one that has not had them yet */
	for (int64_t from = 1; from < 6; from++) {
		cursor = (struct cursor){ .from_id = from, .to_id = from + 1 };
		ck_assert(cache_take(w->cache, &cursor, ELVIS_FORM_TEXT, &piece, &err));
		cache_give_back(w->cache, piece);
	}
	say_snapshot(w, 6);
	say_state(w, LINK_RUNNING, 1);
	await(w, 6);
	ck_assert_uint_eq(cache_reads(w->cache), 5);
	cache_leave(w->cache);
	cache_leave(w->cache);
	world_end(w);
	check_all(w);
}

START_TEST(batches_read_by_others_are_taken_and_joined)
{
	struct world w;

	world_init(&w);
	w.settings.target_bytes = 1 << 20;
	after_others(&w);
	ck_assert_int_eq(w.sink.commits, 1);
}
END_TEST

START_TEST(batches_are_not_joined_where_each_transaction_is_one)
{
	struct world w;

	world_init(&w);
	w.settings.by_transaction = true;
	after_others(&w);
	ck_assert_int_eq(w.sink.commits, 5 * 4);
}
END_TEST

/* The position moves on, and is stored and confirmed, although nothing is written. */
START_TEST(what_is_not_for_the_link_moves_its_position_all_the_same)
{
	struct world w;

	world_init(&w);
	w.source.origin = 2;	/* all came from the target */
	world_start(&w);
	say_state(&w, LINK_RUNNING, 1);
	say_snapshot(&w, 6);
	await(&w, 6);
	world_end(&w);

	ck_assert_int_eq(w.sink.n_ids, 0);
}
END_TEST

START_TEST(tables_of_others_are_left_out)
{
	struct world w;

	world_init(&w);
	w.source.tables = 2;
	world_start(&w);
	say_state(&w, LINK_RUNNING, 1);
	say_snapshot(&w, 6);
	await(&w, 6);
	world_end(&w);

	ck_assert_int_eq(w.sink.n_ids, 5 * 4 * 3 / 2);
}
END_TEST

START_TEST(verdicts_that_lead_nowhere_stop_the_link)
{
	struct world w;

	world_init(&w);
	world_start(&w);
	w.sink.face = link_face(w.link);
	say_state(&w, LINK_RUNNING, 1);
	say_snapshot(&w, 6);
	await(&w, 6);
	world_end(&w);
	ck_assert_int_eq(w.sink.verdict, ELVIS_STOP);
	ck_assert_int_lt(w.sink.asked, 20);
}
END_TEST

START_TEST(what_is_durable_is_confirmed)
{
	struct world w;
	struct request request = { .confirm = false };

	world_init(&w);
	world_start(&w);
	say_state(&w, LINK_RUNNING, 1);
	say_snapshot(&w, 6);
	while (!request.confirm || request.position.from_id != 6)
		if (!mailbox_request(w.mailbox, NULL, &request))
			sched_yield();
	ck_assert_int_eq(w.sink.position.from_id, 6);
	world_end(&w);
}
END_TEST

START_TEST(a_paused_link_does_nothing_until_it_is_resumed)
{
	struct world w;

	world_init(&w);
	world_start(&w);
	say_state(&w, LINK_PAUSED, 1);
	say_snapshot(&w, 4);
	say_state(&w, LINK_RUNNING, 1);
	await(&w, 4);
	say_state(&w, LINK_PAUSED, 4);
	say_snapshot(&w, 6);
	say_state(&w, LINK_RUNNING, 4);
	await(&w, 6);
	world_end(&w);
	check_all(&w);
}
END_TEST

START_TEST(a_refusal_stops_the_link_until_it_is_resumed)
{
	struct world w;
	struct request request;

	world_init(&w);
	w.sink.refusal = "strict says stop";
	log_set_level(LEVEL_ERROR);
	world_start(&w);
	say_state(&w, LINK_RUNNING, 1);
	say_snapshot(&w, 6);
	await_stop(&w, &request);
	ck_assert_str_eq(request.reason, "strict says stop");
	ck_assert_int_eq(w.sink.n_ids, 0);

	w.sink.refusal = NULL;
	say_state(&w, LINK_RUNNING, 1);
	await(&w, 6);
	world_end(&w);
	check_all(&w);
}
END_TEST

START_TEST(a_target_set_back_is_repeated_only_when_somebody_says_so)
{
	struct world w;
	struct request request;

	world_init(&w);
	world_start(&w);
	say_snapshot(&w, 6);
	say_state(&w, LINK_RUNNING, 3);
	await_stop(&w, &request);
	ck_assert_int_eq(w.sink.n_ids, 0);

	say_state(&w, LINK_STOPPED, 3);
	say_state(&w, LINK_RUNNING, 3);
	await(&w, 6);
	world_end(&w);
	check_all(&w);
}
END_TEST

/* A4: its newest snapshot is older than the position, so there seems to be nothing to do. */
START_TEST(a_source_set_back_stops_the_link)
{
	struct world w;
	struct request request;

	world_init(&w);
	w.source.newest = 6;
	w.sink.position = (struct elvis_position){ .from_id = 7 };
	world_start(&w);
	say_state(&w, LINK_RUNNING, 7);
	say_snapshot(&w, 6);
	await_stop(&w, &request);
	world_end(&w);
}
END_TEST

START_TEST(a_link_without_a_position_does_not_start_from_now)
{
	struct world w;

	world_init(&w);
	w.sink.known = false;
	world_start(&w);
	say_state(&w, LINK_RUNNING, 1);
	say_snapshot(&w, 4);
	say_state(&w, LINK_PAUSED, 1);	/* what copy does while it works */

	pthread_mutex_lock(&w.sink.lock);
	ck_assert_int_eq(w.sink.n_ids, 0);
	w.sink.known = true;
	pthread_mutex_unlock(&w.sink.lock);
	say_state(&w, LINK_RUNNING, 1);
	say_snapshot(&w, 6);
	await(&w, 6);
	world_end(&w);
	check_all(&w);
}
END_TEST

UNIT_MAIN("link",
	  a_backlog_is_taken_in_bites_and_a_snapshot_at_a_time_when_caught_up,
	  cut_off_at_any_call_it_loses_and_repeats_nothing,
	  a_transaction_grows_with_its_tables_until_one_fails,
	  by_transaction_each_source_transaction_is_one,
	  a_transaction_larger_than_a_piece_stays_one,
	  batches_read_by_others_are_taken_and_joined,
	  batches_are_not_joined_where_each_transaction_is_one,
	  a_newest_snapshot_that_is_unknown_again_stops_no_link,
	  what_is_not_for_the_link_moves_its_position_all_the_same,
	  tables_of_others_are_left_out,
	  verdicts_that_lead_nowhere_stop_the_link,
	  what_is_durable_is_confirmed,
	  a_paused_link_does_nothing_until_it_is_resumed,
	  a_refusal_stops_the_link_until_it_is_resumed,
	  a_target_set_back_is_repeated_only_when_somebody_says_so,
	  a_source_set_back_stops_the_link,
	  a_link_without_a_position_does_not_start_from_now)
