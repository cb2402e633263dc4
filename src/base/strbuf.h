/*
 * Text or bytes that grow, up to a maximum given where the buffer is made.
 *
 * An append that would pass the maximum adds nothing and marks the buffer; so do all
 * after it.  So a row of appends is checked once, at its end, with strbuf_ok().  Running
 * out of memory below the maximum does not return (see mem.h).  One thread at a time.
 */
#ifndef BASE_STRBUF_H
#define BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct strbuf {
	char *data;    /* always followed by a '\0' that `length` does not count */
	size_t length;
	size_t size;   /* allocated, 0: `data` is a constant "" */
	size_t max;    /* of `length` */
	bool overflow;
};

void strbuf_init(struct strbuf *s, size_t max);
void strbuf_free(struct strbuf *s);  /* may be used again, empty */
void strbuf_reset(struct strbuf *s); /* empty and unmarked, memory kept */

/* Each says whether it could; what strbuf_ok() would say. */
bool strbuf_add(struct strbuf *s, const void *data, size_t length);
bool strbuf_puts(struct strbuf *s, const char *text);
bool strbuf_putc(struct strbuf *s, char c);
bool strbuf_printf(struct strbuf *s, const char *format, ...) PRINTF_LIKE(2, 3);

/* Everything appended since the last reset is there. */
MUST_USE bool strbuf_ok(const struct strbuf *s);

/* The text, yours to free(); the buffer is empty afterwards. */
MUST_USE char *strbuf_take(struct strbuf *s);

#define AUTO_STRBUF CLEANUP(strbuf_free)

#endif
