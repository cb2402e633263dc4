#include "engine/mailbox.h"

#include <string.h>

#include "unit.h"

#define A "aaaaaaaa-0000-4000-8000-000000000000"
#define B "bbbbbbbb-0000-4000-8000-000000000000"
#define C "cccccccc-0000-4000-8000-000000000000"

struct office {
	struct mailbox *mailbox;
	struct slot *a, *b, *c;
};

/* Three links, confirmed at snapshots 1, 2 and 4; the newest is 9. */
static struct office
office_new(enum link_state state_of_b)
{
	struct office o = { .mailbox = mailbox_new() };
	struct subscriber list[] = {
		{ A, LINK_RUNNING, "", true, { .from_id = 1 } },
		{ B, state_of_b, "why not", true, { .from_id = 2 } },
		{ C, LINK_RUNNING, "", true, { .from_id = 3, .to_id = 4, .seq = 7 } },
	};
	struct snapshot newest = { .id = 9 };

	o.a = mailbox_join(o.mailbox, A);
	o.b = mailbox_join(o.mailbox, B);
	o.c = mailbox_join(o.mailbox, C);
	mailbox_subscribers(o.mailbox, list, 3);
	mailbox_snapshot(o.mailbox, &newest);
	return o;
}

static void
office_free(struct office *o)
{
	mailbox_leave(o->a);
	mailbox_leave(o->b);
	mailbox_leave(o->c);
	mailbox_free(o->mailbox);
}

static int64_t
goal(struct slot *slot, int64_t from)
{
	struct snapshot snapshot = { .id = from };

	return mailbox_goal(slot, &snapshot).id;
}

START_TEST(links_at_different_places_meet_and_go_on_together)
{
	struct office o = office_new(LINK_RUNNING);

	ck_assert_int_eq(goal(o.a, 1), 2);
	ck_assert_int_eq(goal(o.b, 2), 4);
	ck_assert_int_eq(goal(o.c, 4), 9);
	ck_assert_int_eq(goal(o.a, 2), 4);

	struct snapshot newer = { .id = 12 };

	mailbox_snapshot(o.mailbox, &newer);
	ck_assert_int_eq(goal(o.a, 4), 9);
	ck_assert_int_eq(goal(o.b, 4), 9);
	ck_assert_int_eq(goal(o.c, 9), 12);
	office_free(&o);
}
END_TEST

/* Links that start together, the first of them on its way already, do not read all by themselves. */
START_TEST(who_starts_behind_meets_a_link_where_its_batch_began)
{
	struct office o = office_new(LINK_RUNNING);

	ck_assert_int_eq(goal(o.c, 4), 9);
	ck_assert_int_eq(goal(o.b, 2), 4);
	ck_assert_int_eq(goal(o.a, 1), 2);
	office_free(&o);
}
END_TEST

START_TEST(nobody_goes_where_a_link_stands_that_does_not_run)
{
	struct office o = office_new(LINK_PAUSED);

	ck_assert_int_eq(goal(o.a, 1), 4);
	mailbox_stop(o.c, "because");
	ck_assert_int_eq(goal(o.a, 1), 9);
	office_free(&o);
}
END_TEST

/* A4: the newest snapshot of a source that was set back is not one of those it has now. */
START_TEST(nobody_goes_to_a_snapshot_of_the_source_there_was)
{
	struct office o = office_new(LINK_RUNNING);
	struct source_facts facts = { .number = 1 };
	struct snapshot fewer = { .id = 6 };
	struct news news;

	mailbox_facts(o.mailbox, &facts);
	mailbox_news(o.a, &news);
	ck_assert_int_eq(news.newest.id, 0);

	mailbox_snapshot(o.mailbox, &fewer);
	ck_assert_int_eq(goal(o.c, 4), 6);
	office_free(&o);
}
END_TEST

START_TEST(what_comes_next_is_wanted_while_a_link_stands_at_the_newest)
{
	struct office o = office_new(LINK_PAUSED);
	struct snapshot stands = { .id = 4 }, newest = { .id = 9 };
	int form = 0;

	mailbox_reads(o.b, 's');
	mailbox_reads(o.c, 't');
	ck_assert(!mailbox_eager(o.mailbox, &form));
	mailbox_go(o.b, &stands, &newest);
	ck_assert(!mailbox_eager(o.mailbox, &form));	/* it does not run */
	mailbox_go(o.c, &stands, &newest);
	ck_assert(mailbox_eager(o.mailbox, &form));
	ck_assert_int_eq(form, 't');
	newest.id = 10;
	mailbox_snapshot(o.mailbox, &newest);
	ck_assert(!mailbox_eager(o.mailbox, &form));	/* it was not waiting for that one */
	office_free(&o);
}
END_TEST

START_TEST(a_stop_is_in_force_at_once_and_asked_for_until_it_is_recorded)
{
	struct office o = office_new(LINK_RUNNING);
	struct request request;
	struct news before, after;

	mailbox_news(o.a, &before);
	ck_assert_int_eq(before.state, LINK_RUNNING);
	mailbox_stop(o.a, "conflict");
	mailbox_news(o.a, &after);
	ck_assert_int_eq(after.state, LINK_STOPPED);
	ck_assert_str_eq(after.reason, "conflict");
	ck_assert_uint_ne(before.turn, after.turn);
	ck_assert(mailbox_stop_pending(o.a));

	ck_assert(mailbox_request(o.mailbox, NULL, &request));
	ck_assert_str_eq(request.uuid, A);
	ck_assert_str_eq(request.reason, "conflict");
	mailbox_recorded(o.mailbox, &request);
	ck_assert(!mailbox_stop_pending(o.a));
	ck_assert(!mailbox_request(o.mailbox, NULL, &request));
	mailbox_news(o.a, &after);
	ck_assert_int_eq(after.state, LINK_STOPPED);
	office_free(&o);
}
END_TEST

START_TEST(what_is_said_while_it_is_recorded_is_asked_for_again)
{
	struct office o = office_new(LINK_RUNNING);
	struct elvis_position one = { .from_id = 5 }, two = { .from_id = 6 };
	struct request request;

	mailbox_confirm(o.b, &one);
	ck_assert(mailbox_request(o.mailbox, NULL, &request));
	mailbox_confirm(o.b, &two);
	mailbox_recorded(o.mailbox, &request);

	ck_assert(mailbox_request(o.mailbox, NULL, &request));
	ck_assert_int_eq(request.position.from_id, 6);
	mailbox_recorded(o.mailbox, &request);
	ck_assert(!mailbox_request(o.mailbox, NULL, &request));
	office_free(&o);
}
END_TEST

START_TEST(a_link_nobody_entered_is_absent)
{
	struct office o = office_new(LINK_RUNNING);
	struct news news;

	mailbox_subscribers(o.mailbox, NULL, 0);
	mailbox_news(o.a, &news);
	ck_assert_int_eq(news.state, LINK_ABSENT);
	office_free(&o);
}
END_TEST

UNIT_MAIN("mailbox",
	  links_at_different_places_meet_and_go_on_together,
	  who_starts_behind_meets_a_link_where_its_batch_began,
	  nobody_goes_where_a_link_stands_that_does_not_run,
	  nobody_goes_to_a_snapshot_of_the_source_there_was,
	  what_comes_next_is_wanted_while_a_link_stands_at_the_newest,
	  a_stop_is_in_force_at_once_and_asked_for_until_it_is_recorded,
	  what_is_said_while_it_is_recorded_is_asked_for_again,
	  a_link_nobody_entered_is_absent)
