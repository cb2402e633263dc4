/*
 * outlet.c - records passed on where they lie.
 */
#include "model/outlet.h"

void
outlet_init(struct outlet *outlet, size_t max)
{
	*outlet = (struct outlet){ .run = { NULL, NULL } };
	strbuf_init(&outlet->bytes, max);
}

void
outlet_free(struct outlet *outlet)
{
	strbuf_free(&outlet->bytes);
	outlet->run = (struct elvis_bytes){ NULL, NULL };
}

void
outlet_reset(struct outlet *outlet)
{
	strbuf_reset(&outlet->bytes);
	outlet->run = (struct elvis_bytes){ NULL, NULL };
}

struct strbuf *
outlet_put(struct outlet *outlet)
{
	strbuf_add(&outlet->bytes, outlet->run.at,
		   (size_t) (outlet->run.end - outlet->run.at));
	outlet->run = (struct elvis_bytes){ NULL, NULL };
	return &outlet->bytes;
}

struct elvis_bytes
outlet_all(struct outlet *outlet)
{
	const struct strbuf *bytes;
	const uint8_t *at;

	if (outlet->bytes.length == 0)
		return outlet->run;
	bytes = outlet_put(outlet);
	at = (const uint8_t *) bytes->data;
	return (struct elvis_bytes){ at, at + bytes->length };
}
