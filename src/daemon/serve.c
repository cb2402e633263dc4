/*
 * serve.c - reads what is to run, has it run, reads it again on SIGHUP, ends it on SIGTERM.
 */
#include "config.h"

#include "daemon/serve.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <syslog.h>
#include <unistd.h>

#ifdef HAVE_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "base/arena.h"
#include "base/backoff.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "conf/option.h"
#include "daemon/crash.h"
#include "daemon/fleet.h"
#include "daemon/rundir.h"
#include "daemon/survey.h"
#include "plugin/breadcrumb.h"
#include "setup/plan.h"
#include "setup/site.h"

#define SUBJECT "elvisd"

/* How long links may take to reach a boundary before they are cut off */
#define GRACE_MS 3000

/* How often the watchdog looks at the policies */
#define TICK_MS 1000

#define RETRY_FIRST_MS 200
#define RETRY_MAX_MS 10000

struct daemon {
	const struct arguments *arguments;
	int signals;		/* signalfd */
	struct breadcrumbs *crumbs;
	struct fleet *fleet;
};

/* Tells systemd, if that is what started us. */
static void
notify(const char *state)
{
#ifdef HAVE_SYSTEMD
	sd_notify(0, state);
#else
	(void) state;
#endif
}

/* The configuration ----------------------------------------------------------------- */

static struct conf_strings
strings(const struct words *words)
{
	return (struct conf_strings){ .items = words->items, .count = words->count };
}

/* One try at it: the databases say who they are, and become what the one link needs. */
static const struct conf *
set_up(struct daemon *d, struct arena *arena, struct err *err)
{
	const struct arguments *a = d->arguments;
	struct conf_arguments direct = {
		.from = a->from, .to = a->to,
		.tables = strings(&a->tables), .policies = strings(&a->policies),
	};
	const struct conf *conf;

	if (!site_identify(&direct, arena, SUBJECT, err))
		return NULL;
	conf = conf_from_arguments(&direct, err);
	if (conf == NULL || setup_run(conf, SUBJECT, err))
		return conf;
	conf_unref(conf);
	return NULL;
}

/* Without a file nobody has set the databases up.  Waits until they can be asked. */
static const struct conf *
conf_of_arguments(struct daemon *d, struct err *err)
{
	struct complaint complaint = { .open = false };
	struct backoff backoff;

	backoff_init(&backoff, RETRY_FIRST_MS, RETRY_MAX_MS);
	for (;;) {
		struct pollfd signalled = { .fd = d->signals, .events = POLLIN };
		AUTO_ARENA struct arena *arena = arena_new();
		const struct conf *conf;

		err_clear(err);
		conf = set_up(d, arena, err);
		if (conf != NULL)
			relent(&complaint, SUBJECT, "the database");
		if (conf != NULL || err->class != ERR_RETRY)
			return conf;
		complain(&complaint, SUBJECT, "%s; will retry", err->text);
		if (poll(&signalled, 1, backoff_next(&backoff)) > 0)
			return NULL;
	}
}

static bool
make_fleet(struct daemon *d, const struct conf *conf, struct fleet **fleet, struct err *err)
{
	struct plugin_dirs dirs = {
		.policies = strings(&d->arguments->policy_dirs),
		.sinks = strings(&d->arguments->sink_dirs),
	};

	struct fleet *made;

	if (!fleet_new(&made, conf, &dirs, d->crumbs, err))
		return false;
	if (!survey(conf, fleet_plugins(made), d->signals, SUBJECT, err)) {
		fleet_free(made);
		return false;
	}
	*fleet = made;
	return true;
}

static const struct conf *
load_conf(struct daemon *d, struct err *err)
{
	if (d->arguments->config == NULL)
		return conf_of_arguments(d, err);
	return conf_load(d->arguments->config, err);
}

/* The level of the file, moved by -v and -q */
static void
set_log_level(const struct daemon *d, const struct conf *conf)
{
	int level = (int) conf->settings.log_level + d->arguments->verbose;

	log_set_level(level < LEVEL_ERROR ? LEVEL_ERROR :
		      level > LEVEL_DEBUG ? LEVEL_DEBUG : (enum log_level) level);
}

/* Breadcrumbs ---------------------------------------------------------------------- */

static char *
crumbs_file(const struct daemon *d, const struct conf *conf, struct err *err)
{
	AUTO_FREE char *dir = rundir_make(conf->settings.run_dir,
					  option_find("run_dir")->fallback, err);

	return dir != NULL ? rundir_file(dir, d->arguments->config, ".policies") : NULL;
}

/* Without a file policies are still watched; only a crash then leaves no trace. */
static bool
open_crumbs(struct daemon *d, const struct conf *conf, struct err *err)
{
	AUTO_FREE char *file = NULL;

	if (d->arguments->config == NULL)
		return breadcrumbs_open(&d->crumbs, NULL, err);
	file = crumbs_file(d, conf, err);
	if (file != NULL && breadcrumbs_open(&d->crumbs, file, err))
		return true;
	log_warning(SUBJECT, "%s; a crash inside of a policy would leave no trace", err->text);
	err_clear(err);
	return breadcrumbs_open(&d->crumbs, NULL, err);
}

/*
 * A policy that never returns cannot be taken out of the process, so the process ends; the next
 * one finds where it was and stops that link alone.
 */
static void
watch_policies(struct daemon *d)
{
	int64_t limit_us = fleet_conf(d->fleet)->settings.decide_timeout * CLOCK_MS;
	struct breadcrumb crumb;
	char span[CLOCK_TEXT_SIZE];

	if (!breadcrumbs_overdue(d->crumbs, limit_us, &crumb))
		return;
	log_error(SUBJECT, "link %s: policy %s has been thinking for %s; ending, the link will "
		  "be stopped when elvisd starts again", crumb.link, crumb.policy,
		  clock_span_text(span, crumb.running_us));
	abort();
}

/* Life ----------------------------------------------------------------------------- */

static bool
start(struct daemon *d, struct err *err)
{
	const struct conf *conf = load_conf(d, err);
	bool started;

	if (conf == NULL)
		return false;
	set_log_level(d, conf);
	if (conf->settings.syslog && !d->arguments->syslog) {
		openlog("elvisd", LOG_PID, LOG_DAEMON);
		log_set_sink(log_to_syslog);
	}
	started = open_crumbs(d, conf, err) && make_fleet(d, conf, &d->fleet, err) &&
		fleet_start(d->fleet, err);
	conf_unref(conf);
	return started;
}

/* The new configuration, checked beside the one that runs */
static bool
load_fleet(struct daemon *d, struct fleet **fleet, struct err *err)
{
	const struct conf *conf = load_conf(d, err);
	bool done;

	if (conf == NULL)
		return false;
	done = conf_reloadable(fleet_conf(d->fleet), conf, err) &&
		make_fleet(d, conf, fleet, err);
	conf_unref(conf);
	return done;
}

static void
reload(struct daemon *d)
{
	struct err err = ERR_INIT;
	struct fleet *fleet;

	notify("RELOADING=1");
	if (!load_fleet(d, &fleet, &err)) {
		log_error(SUBJECT, "configuration not reloaded, nothing has changed: %s", err.text);
	} else {
		fleet_end(d->fleet, GRACE_MS);
		fleet_free(d->fleet);
		d->fleet = fleet;
		set_log_level(d, fleet_conf(fleet));
		if (fleet_start(fleet, &err))
			log_info(SUBJECT, "configuration reloaded");
		else
			log_error(SUBJECT, "%s", err.text);
	}
	notify("READY=1");
}

/* Until a signal says to end */
static void
heed_signals(struct daemon *d)
{
	struct pollfd fd = { .fd = d->signals, .events = POLLIN };
	struct signalfd_siginfo info;

	for (;;) {
		if (poll(&fd, 1, TICK_MS) <= 0) {
			watch_policies(d);
			fleet_tick(d->fleet);
			continue;
		}
		if (read(d->signals, &info, sizeof(info)) != sizeof(info))
			continue;
		if (info.ssi_signo != SIGHUP)
			return;
		reload(d);
	}
}

/* Signals are read, by this thread, and interrupt nobody; threads made later inherit that. */
static int
catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int
serve(const struct arguments *arguments)
{
	struct daemon d = { .arguments = arguments };
	struct err err = ERR_INIT;
	int status = EXIT_FAILURE;

	mem_keep();
	crash_catch();
	d.signals = catch_signals();
	if (arguments->syslog) {
		openlog("elvisd", LOG_PID, LOG_DAEMON);
		log_set_sink(log_to_syslog);
	}
	if (start(&d, &err)) {
		log_info(SUBJECT, "version " PACKAGE_VERSION " started, %zu link%s",
			 fleet_conf(d.fleet)->n_links,
			 fleet_conf(d.fleet)->n_links == 1 ? "" : "s");
		notify("READY=1");
		heed_signals(&d);
		notify("STOPPING=1");
		fleet_end(d.fleet, GRACE_MS);
		log_info(SUBJECT, "ended");
		status = EXIT_SUCCESS;
	} else {
		log_error(SUBJECT, "%s", err.text);
		if (err.class == ERR_CONFIG)
			status = SERVE_EXIT_CONFIG;
	}
	fleet_free(d.fleet);
	breadcrumbs_close(d.crumbs);
	close(d.signals);
	return status;
}
