#include "model/frame.h"

#include <string.h>

#include "unit.h"

#define HEAD_ALL (2 + 40 + 40 + 8)	/* as record.h draws it */

static struct strbuf
gathered(const char *records)
{
	struct strbuf buffer;

	strbuf_init(&buffer, 1 << 20);
	frame_gather(&buffer);
	strbuf_puts(&buffer, records);
	return buffer;
}

START_TEST(a_frame_is_its_head_and_what_was_gathered)
{
	struct strbuf buffer = gathered("records");
	struct frame frame = {
		.flags = ELVIS_FRAME_FIRST | ELVIS_FRAME_LAST,
		.expected.from_id = 3, .next.from_id = 4, .at = 5,
	};
	struct elvis_bytes bytes = frame_around(&buffer, &frame);
	uint8_t format, flags;
	int64_t expected, next, at;

	ck_assert_uint_eq((size_t) (bytes.end - bytes.at), HEAD_ALL + strlen("records"));
	ck_assert(elvis_get_u8(&bytes, &format) && elvis_get_u8(&bytes, &flags));
	ck_assert_uint_eq(format, ELVIS_RECORD_FORMAT);
	ck_assert_uint_eq(flags, frame.flags);
	ck_assert(elvis_get_i64(&bytes, &expected));
	bytes.at += 32;
	ck_assert(elvis_get_i64(&bytes, &next));
	bytes.at += 32;
	ck_assert(elvis_get_i64(&bytes, &at));
	ck_assert_int_eq(expected, 3);
	ck_assert_int_eq(next, 4);
	ck_assert_int_eq(at, 5);
	ck_assert_mem_eq(bytes.at, "records", strlen("records"));
	strbuf_free(&buffer);
}
END_TEST

/* Sent alone, and once more in an explicit transaction when the target has to ask */
START_TEST(what_was_gathered_may_go_again_in_another_frame)
{
	struct strbuf buffer = gathered("records");
	struct frame first = { .flags = ELVIS_FRAME_FIRST | ELVIS_FRAME_LAST };
	struct frame again = { .flags = 0 };
	struct elvis_bytes bytes;

	(void) frame_around(&buffer, &first);
	bytes = frame_around(&buffer, &again);

	ck_assert_uint_eq(frame_length(&buffer), strlen("records"));
	ck_assert_uint_eq((size_t) (bytes.end - bytes.at), 2 + strlen("records"));
	ck_assert_mem_eq(bytes.at + 2, "records", strlen("records"));
	strbuf_free(&buffer);
}
END_TEST

/* Sent in parts, each of them in a frame of its own */
START_TEST(what_was_gathered_is_there_without_a_frame)
{
	struct strbuf buffer = gathered("records");
	struct elvis_bytes records = frame_records(&buffer);

	ck_assert_uint_eq((size_t) (records.end - records.at), strlen("records"));
	ck_assert_mem_eq(records.at, "records", strlen("records"));
	strbuf_free(&buffer);
}
END_TEST

static void
is_empty(const struct strbuf *buffer)
{
	struct elvis_bytes records = frame_records(buffer);

	ck_assert_uint_eq(frame_length(buffer), 0);
	ck_assert_ptr_nonnull(records.at);
	ck_assert_ptr_eq(records.at, records.end);
}

START_TEST(nothing_gathered_is_no_bytes)
{
	struct strbuf buffer;

	strbuf_init(&buffer, 1 << 20);
	is_empty(&buffer);
	frame_gather(&buffer);
	is_empty(&buffer);
	strbuf_puts(&buffer, "records");
	frame_gather(&buffer);
	is_empty(&buffer);
	strbuf_free(&buffer);
}
END_TEST

UNIT_MAIN("frame",
	  a_frame_is_its_head_and_what_was_gathered,
	  what_was_gathered_may_go_again_in_another_frame,
	  what_was_gathered_is_there_without_a_frame,
	  nothing_gathered_is_no_bytes)
