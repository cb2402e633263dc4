/*
 * The two clocks, and how long something took in words.
 *
 * The monotonic clock is for measuring and waiting; its zero means nothing.  The wall
 * clock is for showing; it may jump.  Microseconds in int64_t everywhere: that holds for
 * 290,000 years.  Any thread.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define CLOCK_MS INT64_C(1000) /* microseconds in a millisecond */
#define CLOCK_S INT64_C(1000000)

int64_t clock_mono_us(void);
int64_t clock_mono_ms(void);
int64_t clock_wall_us(void); /* since 1970-01-01 00:00:00 UTC */

/* Sleeps; for programs that ask again and again, not for threads that can be woken. */
void clock_nap_ms(int ms);

#define CLOCK_TEXT_SIZE 32

/* "2026-03-01 17:04:05.678", local time.  Returns `text`. */
const char *clock_wall_text(char text[CLOCK_TEXT_SIZE], int64_t wall_us);

/* "12 ms", "34 s", "5 min", "6 h", "7 days".  Returns `text`. */
const char *clock_span_text(char text[CLOCK_TEXT_SIZE], int64_t us);

#endif
