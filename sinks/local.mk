# A sink is a file named as the configuration names it, or a directory of them.  Each is
# four lines, and LIBADD for what it links itself.

sink_LTLIBRARIES += sinks/jsonl.la
sinks_jsonl_la_SOURCES = \
	%reldir%/jsonl/event.c %reldir%/jsonl/event.h \
	%reldir%/jsonl/feed.c %reldir%/jsonl/feed.h \
	%reldir%/jsonl/jsonl.c \
	%reldir%/jsonl/mark.c %reldir%/jsonl/mark.h
sinks_jsonl_la_CPPFLAGS = $(MODULE_CPPFLAGS) $(JANSSON_CFLAGS)
sinks_jsonl_la_LDFLAGS  = $(MODULE_LDFLAGS)
sinks_jsonl_la_LIBADD   = $(JANSSON_LIBS)

sink_LTLIBRARIES += sinks/null.la
sinks_null_la_SOURCES  = %reldir%/null.c
sinks_null_la_CPPFLAGS = $(MODULE_CPPFLAGS)
sinks_null_la_LDFLAGS  = $(MODULE_LDFLAGS)

# The sink postgres alone also sees src/ (base, model and pg) and carries that part of it
# inside.
sink_LTLIBRARIES += sinks/postgres.la
sinks_postgres_la_SOURCES  = \
	%reldir%/postgres/conflict.c %reldir%/postgres/parts.h \
	%reldir%/postgres/postgres.c \
	%reldir%/postgres/transaction.c
sinks_postgres_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBPQ_CFLAGS)
sinks_postgres_la_LDFLAGS  = $(MODULE_LDFLAGS)
sinks_postgres_la_LIBADD   = src/libelvis-pg.la $(LIBPQ_LIBS)
