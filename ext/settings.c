/*
 * settings.c - one table of them would be nicer; the server wants a call for each.
 */
#include "postgres.h"

#include <limits.h>

#include "utils/guc.h"

#include "compat.h"
#include "settings.h"

int setting_capture_unchanged = 2048;
int setting_segment_size = 256;
int setting_keep_confirmed = 600;
int setting_subscriber_limit = 16384;
int setting_read_memory = 16384;

void
settings_init(void)
{
	DefineCustomIntVariable("elvis.capture_unchanged",
		"Out-of-line values larger than this are logged only when they are new.",
		"A table's own setting, given to elvis.attach(), goes before it.",
		&setting_capture_unchanged, setting_capture_unchanged, 0, INT_MAX,
		PGC_SUSET, GUC_UNIT_BYTE, NULL, NULL, NULL);
	DefineCustomIntVariable("elvis.segment_size",
		"Size from which the log goes on in another segment.", NULL,
		&setting_segment_size, setting_segment_size, 1, INT_MAX / 2,
		PGC_SUSET, GUC_UNIT_MB, NULL, NULL, NULL);
	DefineCustomIntVariable("elvis.keep_confirmed",
		"How long log is kept after all subscribers have confirmed it.", NULL,
		&setting_keep_confirmed, setting_keep_confirmed, 0, INT_MAX / 1000,
		PGC_SUSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("elvis.subscriber_limit",
				"Log kept for one subscriber at most; past it the "
				"subscriber is detached.",
				"0 keeps the log for ever.", &setting_subscriber_limit,
				setting_subscriber_limit, 0, INT_MAX / 2, PGC_SUSET,
				GUC_UNIT_MB, NULL, NULL, NULL);
	DefineCustomIntVariable("elvis.read_memory",
		"Memory for the list of chunks of a batch being read.",
		"A batch with a longer list is collected several times.",
		&setting_read_memory, setting_read_memory, 64, INT_MAX / 2,
		PGC_SUSET, GUC_UNIT_KB, NULL, NULL, NULL);
	compat_reserve_prefix("elvis");
}
