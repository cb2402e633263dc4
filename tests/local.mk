# A new unit test is one line in unit_tests: tests/unit/test_X is made from
# tests/unit/test_X.c and linked with libelvis.

unit_tests = \
	tests/unit/test_arena \
	tests/unit/test_backoff \
	tests/unit/test_clock \
	tests/unit/test_complaint \
	tests/unit/test_err \
	tests/unit/test_hash \
	tests/unit/test_log \
	tests/unit/test_mem \
	tests/unit/test_strbuf \
	tests/unit/test_uuid

check_PROGRAMS = $(unit_tests)
EXTRA_DIST    += tests/unit/unit.h

AM_CPPFLAGS += $(CHECK_CFLAGS)

# for programs that say nothing else, which is the tests
LDADD = src/libelvis.la $(CHECK_LIBS)

TESTS = $(unit_tests)

# Everything speaks TAP, so that the summary counts promises and not programs.
TEST_EXTENSIONS = .sh .pl
TAP_DRIVER      = env AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER      = $(TAP_DRIVER)
SH_LOG_DRIVER   = $(TAP_DRIVER)
PL_LOG_DRIVER   = $(TAP_DRIVER)
LOG_COMPILER    = $(VALGRIND)
