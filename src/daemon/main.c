/*
 * elvisd: the daemon's beginning and end.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/arguments.h"
#include "daemon/serve.h"

int
main(int argc, char **argv)
{
	struct arguments arguments;
	struct err err = ERR_INIT;
	int status = EXIT_SUCCESS;

	if (!arguments_parse(&arguments, argc, argv, &err)) {
		fprintf(stderr, "elvisd: %s\n", err.text);
		status = SERVE_EXIT_USAGE;
	} else if (arguments.help) {
		arguments_help(stdout);
	} else if (arguments.version) {
		printf("elvisd %s\n", PACKAGE_VERSION);
	} else {
		status = serve(&arguments);
	}
	arguments_free(&arguments);
	return status;
}
