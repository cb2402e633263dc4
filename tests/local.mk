# The tests.  Each kind has its list; a new test is one line in it.

# tests/unit/test_X.c, linked with libelvis; no server, no network
unit_tests = \
	tests/unit/test_arena \
	tests/unit/test_backoff \
	tests/unit/test_breadcrumb \
	tests/unit/test_cache \
	tests/unit/test_change \
	tests/unit/test_clock \
	tests/unit/test_complaint \
	tests/unit/test_conf \
	tests/unit/test_conflict \
	tests/unit/test_crew \
	tests/unit/test_cut \
	tests/unit/test_err \
	tests/unit/test_filter \
	tests/unit/test_frame \
	tests/unit/test_hash \
	tests/unit/test_link \
	tests/unit/test_log \
	tests/unit/test_mailbox \
	tests/unit/test_mem \
	tests/unit/test_order \
	tests/unit/test_pattern \
	tests/unit/test_quantity \
	tests/unit/test_resolver \
	tests/unit/test_rundir \
	tests/unit/test_settings \
	tests/unit/test_strbuf \
	tests/unit/test_topology \
	tests/unit/test_uuid

# tests/fuzz/fuzz_X, a target for a fuzzer, here replaying tests/fuzz/corpus/X
fuzz_tests = \
	tests/fuzz/fuzz_change \
	tests/fuzz/fuzz_conflict \
	tests/fuzz/fuzz_filter \
	tests/fuzz/fuzz_frame \
	tests/fuzz/fuzz_table

# properties of the sources, and of what was built
source_tests = \
	tests/contract/manual.sh \
	tests/unit/docs.sh \
	tests/unit/headers.sh \
	tests/unit/layers.sh \
	tests/unit/lists.sh \
	tests/unit/manual.sh \
	tests/unit/pins.sh \
	tests/unit/symbols.sh

# programs that hold the built policies and sinks to the interface's promises
contract_tests = \
	tests/contract/test_loader \
	tests/contract/test_policies \
	tests/contract/test_sinks

# tests/plugins/X.c: modules that are wrong on purpose, most of them
wrong_modules = \
	tests/plugins/asks.la \
	tests/plugins/bad_options.la \
	tests/plugins/biased.la \
	tests/plugins/contradicts.la \
	tests/plugins/counts.la \
	tests/plugins/half_a_sink.la \
	tests/plugins/hoards.la \
	tests/plugins/long_size.la \
	tests/plugins/misbehaves.la \
	tests/plugins/misnamed.la \
	tests/plugins/newer.la \
	tests/plugins/no_decide.la \
	tests/plugins/no_symbol.la \
	tests/plugins/older.la \
	tests/plugins/ordered.la \
	tests/plugins/other_major.la \
	tests/plugins/short_size.la \
	tests/plugins/unlinked.la \
	tests/plugins/wants_more.la

# tests/regress/sql/X.sql and expected/X.out; run in this order, one after the other, in
# one database that has the extension
regress_tests = \
	privileges \
	node \
	attach \
	capture_values \
	rows_as_stored \
	unchanged_large_values_left_out \
	inversion_within_statement \
	subtransactions \
	many_subtransactions_in_bounded_memory \
	captured_at_the_last_moment \
	lastval_is_the_users \
	read_only_after_writing \
	versions \
	gaps \
	read \
	long_chunks \
	delivered_is_durable \
	damaged_log_is_survived \
	segments \
	roles

# tests/isolation/specs/X.spec and expected/X.out
isolation_tests = \
	asking_holds_the_row \
	one_daemon_drives_a_link \
	two_links_claim_tables \
	swap_lost_to_a_user \
	long_transaction_costs_nobody \
	old_statement_reads_a_new_batch \
	one_batch_for_each_transaction \
	index_built_anew_under_writers \
	shapes_outlast_a_vacuum \
	subscriber_waits_for_the_upkeep \
	segment_is_not_dropped_under_a_writer \
	snapshots_do_not_contradict_each_other

# nodes, daemons and their misfortunes
tap_tests = \
	tests/tap/t/001_nodes.pl \
	tests/tap/t/005_waiting.pl \
	tests/tap/t/006_stream_is_complete.pl \
	tests/tap/t/007_index_moves.pl \
	tests/tap/t/008_table_methods.pl \
	tests/tap/t/009_no_shared_memory.pl \
	tests/tap/t/010_daemon.pl \
	tests/tap/t/012_beside_others.pl \
	tests/tap/t/020_relay.pl \
	tests/tap/t/021_life.pl \
	tests/tap/t/022_feed.pl \
	tests/tap/t/023_asking.pl \
	tests/tap/t/024_setback.pl \
	tests/tap/t/026_dump.pl \
	tests/tap/t/030_setup.pl \
	tests/tap/t/031_copy.pl \
	tests/tap/t/032_steer.pl \
	tests/tap/t/033_copy_everywhere.pl \
	tests/tap/t/034_side_by_side.pl \
	tests/tap/t/040_plugins.pl \
	tests/tap/t/041_convergence.pl \
	tests/tap/t/110_apply_types.pl \
	tests/tap/t/120_apply_conflicts.pl \
	tests/tap/t/130_apply_tables.pl \
	tests/tap/t/140_apply_hostile.pl \
	tests/tap/t/145_apply_owners.pl \
	tests/tap/t/150_apply_session.pl \
	tests/tap/t/152_frames_together.pl \
	tests/tap/t/155_apply_rows.pl \
	tests/tap/t/157_apply_runs.pl \
	tests/tap/t/158_apply_beside_users.pl

# The same with everything in its place: what the product promises, end to end.  With
# ELVIS_LONG=1, as in make check-long, each tries for longer.
promise_tests = \
	tests/tap/t/200_load.pl \
	tests/tap/t/210_crashes.pl \
	tests/tap/t/220_backlog.pl \
	tests/tap/t/222_many_tables.pl \
	tests/tap/t/230_types.pl \
	tests/tap/t/235_foreign_text.pl \
	tests/tap/t/240_strict.pl \
	tests/tap/t/245_forgotten.pl \
	tests/tap/t/250_transactions.pl \
	tests/tap/t/260_shapes.pl \
	tests/tap/t/270_partitions.pl \
	tests/tap/t/280_rights.pl \
	tests/tap/t/290_set_back.pl \
	tests/tap/t/300_huge.pl \
	tests/tap/t/310_policies.pl \
	tests/tap/t/320_directions.pl \
	tests/tap/t/325_survey.pl \
	tests/tap/t/330_cut.pl \
	tests/tap/t/332_commit_fails.pl \
	tests/tap/t/335_damage.pl \
	tests/tap/t/340_copy.pl \
	tests/tap/t/345_copy_parts.pl \
	tests/tap/t/347_copy_ways.pl

tap_modules = \
	tests/tap/Elvis/Daemon.pm \
	tests/tap/Elvis/Gate.pm \
	tests/tap/Elvis/Link.pm \
	tests/tap/Elvis/Load.pm \
	tests/tap/Elvis/Node.pm \
	tests/tap/Elvis/Util.pm

# How they are built and run -------------------------------------------------------------

check_PROGRAMS = $(unit_tests) $(fuzz_tests) $(contract_tests)

# Modules for the tests only, such as those that are wrong on purpose.  libtool makes a
# shared object of what will be installed somewhere, so it is told a place.
check_LTLIBRARIES   = $(wrong_modules) tests/regress/late_writer.la \
	tests/regress/name_taker.la
TEST_MODULE_LDFLAGS = -module -avoid-version -shared -rpath /nowhere

# server modules, loaded by a test
tests_regress_late_writer_la_SOURCES  = tests/regress/late_writer.c
tests_regress_late_writer_la_CPPFLAGS = $(EXT_CPPFLAGS)
tests_regress_late_writer_la_CFLAGS   = $(EXT_CFLAGS)
tests_regress_late_writer_la_LDFLAGS  = $(TEST_MODULE_LDFLAGS)
tests_regress_name_taker_la_SOURCES   = tests/regress/name_taker.c
tests_regress_name_taker_la_CPPFLAGS  = $(EXT_CPPFLAGS)
tests_regress_name_taker_la_CFLAGS    = $(EXT_CFLAGS)
tests_regress_name_taker_la_LDFLAGS   = $(TEST_MODULE_LDFLAGS)

# for programs that say nothing else, which is the tests
LDADD        = src/libelvis.la $(CHECK_LIBS)

tests_fuzz_fuzz_change_SOURCES = tests/fuzz/fuzz_change.c tests/fuzz/replay.c
tests_fuzz_fuzz_conflict_SOURCES = tests/fuzz/fuzz_conflict.c tests/fuzz/replay.c
tests_fuzz_fuzz_filter_SOURCES = tests/fuzz/fuzz_filter.c tests/fuzz/replay.c
tests_fuzz_fuzz_frame_SOURCES = tests/fuzz/fuzz_frame.c tests/fuzz/replay.c ext/frame.c
tests_fuzz_fuzz_table_SOURCES = tests/fuzz/fuzz_table.c tests/fuzz/replay.c
AM_CPPFLAGS += $(CHECK_CFLAGS)

# these need it installed, in the private copy of PostgreSQL or in earnest
installed_tests = tests/installed/plugin.sh tests/regress/run.sh tests/isolation/run.sh \
	$(tap_tests) $(promise_tests)

TESTS = $(unit_tests) $(fuzz_tests) $(contract_tests) $(source_tests) $(installed_tests)

EXTRA_DIST += tests/fuzz/fuzz.h tests/fuzz/corpus \
	tests/machine.sh tests/unit/unit.h tests/unit/tap.sh \
	tests/unit/fake_source.h tests/unit/stream.h $(source_tests) \
	tests/contract/modules.h tests/plugins/good.h \
	tests/check-majors.sh tests/pg/lib.sh tests/pg/mkroot.sh tests/pg/regress.sh \
	tests/pg/test.conf \
	tests/installed/plugin.sh tests/regress/run.sh tests/isolation/run.sh \
	$(patsubst %,tests/regress/sql/%.sql,$(regress_tests)) \
	$(patsubst %,tests/regress/expected/%.out,$(regress_tests)) \
	$(patsubst %,tests/isolation/specs/%.spec,$(isolation_tests)) \
	$(patsubst %,tests/isolation/expected/%.out,$(isolation_tests)) \
	tests/tap/run.sh $(tap_tests) $(promise_tests) $(tap_modules)

# Everything speaks TAP, so that the summary counts promises and not programs.
TEST_EXTENSIONS   = .sh .pl
TAP_DRIVER        = env AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER        = $(TAP_DRIVER)
LOG_COMPILER      = $(VALGRIND)
SH_LOG_DRIVER     = $(TAP_DRIVER)
SH_LOG_COMPILER   = $(SHELL)
PL_LOG_DRIVER     = $(TAP_DRIVER)
PL_LOG_COMPILER   = $(SHELL) $(abs_top_srcdir)/tests/tap/run.sh

# What tests/pg/lib.sh says it gets; test_destdir is emptied by installcheck.  And where
# sanitizers are built in: running out of memory is ours to handle.
private_root = $(abs_top_builddir)/tests/pg/root
test_destdir = $(private_root)
AM_TESTS_ENVIRONMENT = \
	ASAN_OPTIONS="allocator_may_return_null=1:$$ASAN_OPTIONS"; export ASAN_OPTIONS; \
	TSAN_OPTIONS="allocator_may_return_null=1:$$TSAN_OPTIONS"; export TSAN_OPTIONS; \
	ELVIS_SRCDIR='$(abs_top_srcdir)'; export ELVIS_SRCDIR; \
	ELVIS_BUILDDIR='$(abs_top_builddir)'; export ELVIS_BUILDDIR; \
	ELVIS_DESTDIR='$(test_destdir)'; export ELVIS_DESTDIR; \
	ELVIS_BINDIR='$(bindir)'; export ELVIS_BINDIR; \
	ELVIS_POLICIES='$(policy_LTLIBRARIES)'; export ELVIS_POLICIES; \
	ELVIS_SINKS='$(sink_LTLIBRARIES)'; export ELVIS_SINKS; \
	ELVIS_POLICYDIR='$(policydir)'; export ELVIS_POLICYDIR; \
	ELVIS_SINKDIR='$(sinkdir)'; export ELVIS_SINKDIR; \
	ELVIS_PKGCONFIGDIR='$(pkgconfigdir)'; export ELVIS_PKGCONFIGDIR; \
	ELVIS_REGRESS_TESTS='$(regress_tests)'; export ELVIS_REGRESS_TESTS; \
	ELVIS_ISOLATION_TESTS='$(isolation_tests)'; export ELVIS_ISOLATION_TESTS; \
	ELVIS_CC='$(CC)'; export ELVIS_CC; \
	ELVIS_HEADER_CPPFLAGS='$(LIBPQ_CFLAGS) $(LIBCONFIG_CFLAGS) $(JANSSON_CFLAGS)'; \
	export ELVIS_HEADER_CPPFLAGS; \
	PG_CONFIG='$(PG_CONFIG)'; export PG_CONFIG; \
	PG_MAJOR='$(PG_MAJOR)'; export PG_MAJOR;

# A private copy of PostgreSQL with elvis installed in it
check_DATA = tests/pg/root.stamp

tests/pg/root.stamp: $(srcdir)/tests/pg/mkroot.sh $(bin_PROGRAMS) $(extmod_LTLIBRARIES) \
		     $(policy_LTLIBRARIES) $(sink_LTLIBRARIES) $(dist_extdata_DATA) \
		     $(extdata_DATA)
	$(AM_V_GEN)PG_CONFIG='$(PG_CONFIG)' $(SHELL) $(srcdir)/tests/pg/mkroot.sh \
		'$(private_root)'
	$(AM_V_at)$(MAKE) install DESTDIR='$(private_root)' \
		PG_PKGLIBDIR="`$(PG_CONFIG) --pkglibdir`" \
		PG_EXTENSIONDIR="`$(PG_CONFIG) --sharedir`/extension" \
		> tests/pg/install.log 2>&1 || { cat tests/pg/install.log; exit 1; }
	$(AM_V_at)touch $@

# What a sanitizer build is for, and what runs where there is no PostgreSQL
.PHONY: check-serverless
check-serverless: all $(check_PROGRAMS) $(check_LTLIBRARIES)
	$(MAKE) check-TESTS TESTS='$(unit_tests) $(fuzz_tests) $(contract_tests) $(source_tests)'

# The same tests on what `make install` has put into the server, where it is there: in a
# scratch prefix, as in distcheck, no server sees it.
installcheck-local:
	@if test "$(PG_EXTENSIONDIR)" = "`$(PG_CONFIG) --sharedir`/extension"; then \
		$(MAKE) check-TESTS TESTS='$(installed_tests)' test_destdir= \
			check_PROGRAMS= check_DATA=; \
	else \
		echo "installcheck: skipped, $(PG_EXTENSIONDIR) is not the server's"; \
	fi

# Load, crashes and sizes for as long as it takes
.PHONY: check-long
check-long: all $(check_PROGRAMS) $(check_LTLIBRARIES) $(check_DATA)
	ELVIS_LONG=1 ELVIS_TEST_TIMEOUT=3600 $(MAKE) check-TESTS TESTS='$(promise_tests)'

# Other PostgreSQLs, each in a Debian of its own; needs root
.PHONY: check-majors
check-majors:
	$(SHELL) $(srcdir)/tests/check-majors.sh tests/majors

CLEANFILES += tests/pg/root.stamp tests/pg/install.log

clean-local:
	rm -rf tests/pg/root tests/tmp

distclean-local:
	rm -rf tests/majors

# the source of each is X.c, which Automake knows by itself
tests_plugins_asks_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_bad_options_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_biased_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_contradicts_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_counts_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_half_a_sink_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_hoards_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_long_size_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_misbehaves_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_misnamed_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_newer_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_no_decide_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_no_symbol_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_older_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_ordered_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_other_major_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_short_size_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_unlinked_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
tests_plugins_wants_more_la_LDFLAGS = $(TEST_MODULE_LDFLAGS)
