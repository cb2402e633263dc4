# The measurements: not part of `check`, they take minutes and want the machine for
# themselves.  They run on the private copy of PostgreSQL that the tests have.

BENCH_FLAGS =

bench: tests/pg/root.stamp
	$(bench_environment) $(srcdir)/bench/run --out bench $(BENCH_FLAGS)

bench-quick: tests/pg/root.stamp
	$(bench_environment) $(srcdir)/bench/run --quick --out bench $(BENCH_FLAGS)

bench_environment = \
	ELVIS_DESTDIR='$(test_destdir)' ELVIS_BINDIR='$(bindir)' \
	ELVIS_POLICYDIR='$(policydir)' ELVIS_SINKDIR='$(sinkdir)' \
	PG_CONFIG='$(PG_CONFIG)' CC='$(CC)'

EXTRA_DIST += \
	%reldir%/README.md \
	%reldir%/RESULTS.md \
	%reldir%/growth \
	%reldir%/open \
	%reldir%/peers \
	%reldir%/plots \
	%reldir%/quick \
	%reldir%/raw \
	%reldir%/tables \
	%reldir%/c/empty_trigger.c \
	%reldir%/c/tpcb.c \
	%reldir%/lib/Bench/Cpu.pm \
	%reldir%/lib/Bench/Daemon.pm \
	%reldir%/lib/Bench/DaemonVariant.pm \
	%reldir%/lib/Bench/Data.pm \
	%reldir%/lib/Bench/Figures.pm \
	%reldir%/lib/Bench/Machine.pm \
	%reldir%/lib/Bench/Packages.pm \
	%reldir%/lib/Bench/Place.pm \
	%reldir%/lib/Bench/Plot.pm \
	%reldir%/lib/Bench/Route.pm \
	%reldir%/lib/Bench/Run.pm \
	%reldir%/lib/Bench/Server.pm \
	%reldir%/lib/Bench/Session.pm \
	%reldir%/lib/Bench/Slot.pm \
	%reldir%/lib/Bench/Variant.pm \
	%reldir%/lib/Bench/Wait.pm \
	%reldir%/measure/backlog_size.pm \
	%reldir%/measure/capture_bulk.pm \
	%reldir%/measure/capture_tpcb.pm \
	%reldir%/measure/catchup.pm \
	%reldir%/measure/conflicts.pm \
	%reldir%/measure/copy.pm \
	%reldir%/measure/fanout.pm \
	%reldir%/measure/idle.pm \
	%reldir%/measure/latency.pm \
	%reldir%/measure/log_size.pm \
	%reldir%/measure/memory.pm \
	%reldir%/measure/open_transaction.pm \
	%reldir%/measure/start.pm \
	%reldir%/measure/tables.pm \
	%reldir%/run \
	%reldir%/variant/bucardo.pm \
	%reldir%/variant/empty_trigger.pm \
	%reldir%/variant/elvis.pm \
	%reldir%/variant/elvis_two_links.pm \
	%reldir%/variant/londiste.pm \
	%reldir%/variant/native.pm \
	%reldir%/variant/none.pm \
	%reldir%/variant/pglogical.pm \
	%reldir%/variant/slony.pm

.PHONY: bench bench-quick
