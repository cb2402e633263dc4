#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static int64_t
read_clock(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (int64_t) now.tv_sec * CLOCK_S + now.tv_nsec / 1000;
}

int64_t
clock_mono_us(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t
clock_mono_ms(void)
{
	return clock_mono_us() / CLOCK_MS;
}

int64_t
clock_wall_us(void)
{
	return read_clock(CLOCK_REALTIME);
}

void
clock_nap_ms(int ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

const char *
clock_wall_text(char text[CLOCK_TEXT_SIZE], int64_t wall_us)
{
	time_t seconds = (time_t) (wall_us / CLOCK_S);
	struct tm parts;
	size_t length;

	localtime_r(&seconds, &parts);
	length = strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%d %H:%M:%S", &parts);
	snprintf(text + length, CLOCK_TEXT_SIZE - length, ".%03d",
		 (int) (wall_us % CLOCK_S / CLOCK_MS));
	return text;
}

const char *
clock_span_text(char text[CLOCK_TEXT_SIZE], int64_t us)
{
	static const struct {
		int64_t us;
		const char *name;
	} units[] = {
		{ 2 * 86400 * CLOCK_S, "days" },
		{ 2 * 3600 * CLOCK_S, "h" },
		{ 2 * 60 * CLOCK_S, "min" },
		{ 2 * CLOCK_S, "s" },
		{ 0, "ms" },
	};
	size_t i = 0;

	/* from two of a unit on: "90 s" tells more than "1 min" */
	while (us < units[i].us)
		i++;
	snprintf(text, CLOCK_TEXT_SIZE, "%" PRId64 " %s",
		 us / (units[i].us > 0 ? units[i].us / 2 : CLOCK_MS), units[i].name);
	return text;
}
