# What is built from src/.  A new file is one line in its directory's list below; its
# test is one line in tests/local.mk.

# The public interface, installed as it is
elvisinclude_HEADERS += \
	%reldir%/include/elvis/abi.h \
	%reldir%/include/elvis/change.h \
	%reldir%/include/elvis/conflict.h \
	%reldir%/include/elvis/order.h \
	%reldir%/include/elvis/policy.h \
	%reldir%/include/elvis/record.h \
	%reldir%/include/elvis/sink.h

# Two convenience libraries, linked statically into whoever needs them and never
# installed.  libelvis-pg is what sinks/postgres may use; libelvis is all of it but the
# two main.c, so that tests link the very objects the programs are made of.
noinst_LTLIBRARIES += src/libelvis-pg.la src/libelvis.la

base_sources = \
	%reldir%/base/arena.c %reldir%/base/arena.h \
	%reldir%/base/attr.h \
	%reldir%/base/backoff.c %reldir%/base/backoff.h \
	%reldir%/base/clock.c %reldir%/base/clock.h \
	%reldir%/base/complaint.c %reldir%/base/complaint.h \
	%reldir%/base/err.c %reldir%/base/err.h \
	%reldir%/base/hash.c %reldir%/base/hash.h \
	%reldir%/base/log.c %reldir%/base/log.h \
	%reldir%/base/mem.c %reldir%/base/mem.h \
	%reldir%/base/strbuf.c %reldir%/base/strbuf.h \
	%reldir%/base/uuid.c %reldir%/base/uuid.h \
	%reldir%/base/word.c %reldir%/base/word.h

model_sources = \
	%reldir%/model/batch.h \
	%reldir%/model/change.c %reldir%/model/change.h \
	%reldir%/model/conflict.c %reldir%/model/conflict.h \
	%reldir%/model/cut.c %reldir%/model/cut.h \
	%reldir%/model/filter.c %reldir%/model/filter.h \
	%reldir%/model/frame.c %reldir%/model/frame.h \
	%reldir%/model/outlet.c %reldir%/model/outlet.h \
	%reldir%/model/position.c %reldir%/model/position.h \
	%reldir%/model/record.c %reldir%/model/record.h \
	%reldir%/model/setting.h \
	%reldir%/model/source.h \
	%reldir%/model/subscriber.h \
	%reldir%/model/table.c %reldir%/model/table.h \
	%reldir%/model/value.c %reldir%/model/value.h \
	%reldir%/model/verdict.c %reldir%/model/verdict.h

pg_sources = \
	%reldir%/pg/conn.c %reldir%/pg/conn.h \
	%reldir%/pg/query.c %reldir%/pg/query.h \
	%reldir%/pg/source.c %reldir%/pg/source.h \
	%reldir%/pg/sqlstate.c %reldir%/pg/sqlstate.h

conf_sources = \
	%reldir%/conf/alike.c %reldir%/conf/alike.h \
	%reldir%/conf/arguments.c \
	%reldir%/conf/conf.c %reldir%/conf/conf.h \
	%reldir%/conf/finding.c %reldir%/conf/finding.h \
	%reldir%/conf/life.h \
	%reldir%/conf/link.c \
	%reldir%/conf/load.c \
	%reldir%/conf/option.c %reldir%/conf/option.h \
	%reldir%/conf/pattern.c %reldir%/conf/pattern.h \
	%reldir%/conf/plugin.c %reldir%/conf/plugin.h \
	%reldir%/conf/quantity.c %reldir%/conf/quantity.h \
	%reldir%/conf/reader.c %reldir%/conf/reader.h \
	%reldir%/conf/rule.c %reldir%/conf/rule.h \
	%reldir%/conf/text.c %reldir%/conf/text.h \
	%reldir%/conf/topology.c %reldir%/conf/topology.h

plugin_sources = \
	%reldir%/plugin/breadcrumb.c %reldir%/plugin/breadcrumb.h \
	%reldir%/plugin/code.c %reldir%/plugin/code.h \
	%reldir%/plugin/contract.c %reldir%/plugin/contract.h \
	%reldir%/plugin/host.c %reldir%/plugin/host.h \
	%reldir%/plugin/loader.c %reldir%/plugin/loader.h \
	%reldir%/plugin/policy.c %reldir%/plugin/policy.h \
	%reldir%/plugin/promise.c %reldir%/plugin/promise.h \
	%reldir%/plugin/sample.c %reldir%/plugin/sample.h \
	%reldir%/plugin/settings.c %reldir%/plugin/settings.h \
	%reldir%/plugin/sink.c %reldir%/plugin/sink.h

engine_sources = \
	%reldir%/engine/cache.c %reldir%/engine/cache.h \
	%reldir%/engine/deliver.c \
	%reldir%/engine/ends.h \
	%reldir%/engine/link.c %reldir%/engine/link.h \
	%reldir%/engine/link_parts.h \
	%reldir%/engine/mailbox.c %reldir%/engine/mailbox.h \
	%reldir%/engine/resolver.c %reldir%/engine/resolver.h \
	%reldir%/engine/tables.c

# without main.c
daemon_sources = \
	%reldir%/daemon/arguments.c %reldir%/daemon/arguments.h \
	%reldir%/daemon/crash.c %reldir%/daemon/crash.h \
	%reldir%/daemon/fleet.c %reldir%/daemon/fleet.h \
	%reldir%/daemon/rulebook.c %reldir%/daemon/rulebook.h \
	%reldir%/daemon/rundir.c %reldir%/daemon/rundir.h \
	%reldir%/daemon/serve.c %reldir%/daemon/serve.h \
	%reldir%/daemon/station.c %reldir%/daemon/station.h \
	%reldir%/daemon/survey.c %reldir%/daemon/survey.h \
	%reldir%/daemon/wire.c %reldir%/daemon/wire.h

setup_sources = \
	%reldir%/setup/chain.c %reldir%/setup/chain.h \
	%reldir%/setup/copy.c %reldir%/setup/copy.h \
	%reldir%/setup/crew.c %reldir%/setup/crew.h \
	%reldir%/setup/fill.c %reldir%/setup/fill.h \
	%reldir%/setup/intake.c %reldir%/setup/intake.h \
	%reldir%/setup/inventory.c %reldir%/setup/inventory.h \
	%reldir%/setup/plan.c %reldir%/setup/plan.h \
	%reldir%/setup/pump.c %reldir%/setup/pump.h \
	%reldir%/setup/sequence.c %reldir%/setup/sequence.h \
	%reldir%/setup/site.c %reldir%/setup/site.h \
	%reldir%/setup/split.c %reldir%/setup/split.h \
	%reldir%/setup/start.c %reldir%/setup/start.h

# without main.c
ctl_sources = \
	%reldir%/ctl/cmd.h \
	%reldir%/ctl/cmd_apply.c \
	%reldir%/ctl/cmd_check.c \
	%reldir%/ctl/cmd_check_policy.c \
	%reldir%/ctl/cmd_conflicts.c \
	%reldir%/ctl/cmd_copy.c \
	%reldir%/ctl/cmd_link.c \
	%reldir%/ctl/cmd_node.c \
	%reldir%/ctl/cmd_options.c \
	%reldir%/ctl/cmd_plugins.c \
	%reldir%/ctl/cmd_sequences.c \
	%reldir%/ctl/cmd_status.c \
	%reldir%/ctl/cmd_wait.c \
	%reldir%/ctl/commands.c %reldir%/ctl/commands.h \
	%reldir%/ctl/ctl.c %reldir%/ctl/ctl.h \
	%reldir%/ctl/plugins.c %reldir%/ctl/plugins.h \
	%reldir%/ctl/report.c %reldir%/ctl/report.h \
	%reldir%/ctl/standing.c %reldir%/ctl/standing.h

src_libelvis_pg_la_SOURCES  = $(base_sources) $(model_sources) $(pg_sources)
src_libelvis_pg_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBPQ_CFLAGS)

src_libelvis_la_SOURCES  = $(conf_sources) $(plugin_sources) $(engine_sources) \
			   $(setup_sources) $(daemon_sources) $(ctl_sources)
src_libelvis_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBCONFIG_CFLAGS) $(LIBMD_CFLAGS) \
			   $(LIBPQ_CFLAGS) $(JANSSON_CFLAGS) $(SYSTEMD_CFLAGS) \
			   -DPOLICYDIR='"$(policydir)"' -DSINKDIR='"$(sinkdir)"' \
			   -DSYSCONFDIR='"$(sysconfdir)"' -DRUNSTATEDIR='"$(runstatedir)"'
src_libelvis_la_LIBADD   = src/libelvis-pg.la $(LIBCONFIG_LIBS) $(LIBMD_LIBS) \
			   $(LIBPQ_LIBS) $(JANSSON_LIBS) $(SYSTEMD_LIBS)

bin_PROGRAMS += elvisd elvisctl

elvisd_SOURCES = %reldir%/daemon/main.c
elvisd_LDADD   = src/libelvis.la

elvisctl_SOURCES = %reldir%/ctl/main.c
elvisctl_LDADD   = src/libelvis.la
