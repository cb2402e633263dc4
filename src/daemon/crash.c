#include "daemon/crash.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "plugin/breadcrumb.h"

/* Only what is async-signal-safe may be called here, and stdio is not. */
static void
say(const char *text)
{
	ssize_t written = write(STDERR_FILENO, text, strlen(text));

	(void) written;
}

/* SA_RESETHAND has put the default back: returning meets the fault again and dies of it. */
static void
die_with_a_word(int signal_number)
{
	const char *policy = breadcrumb_crashed();

	if (policy != NULL) {
		say("error   elvisd: crashed inside of policy ");
		say(policy);
		say("; its link will be stopped when elvisd starts again\n");
	}
	raise(signal_number);
}

void
crash_catch(void)
{
	static const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP };
	struct sigaction action = { .sa_handler = die_with_a_word, .sa_flags = SA_RESETHAND };

	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < ARRAY_LEN(deadly); i++)
		sigaction(deadly[i], &action, NULL);
}
