# One file per sink, named as the configuration names it.  A sink is four lines:
#
#   sink_LTLIBRARIES += sinks/NAME.la
#   sinks_NAME_la_SOURCES  = %reldir%/NAME.c
#   sinks_NAME_la_CPPFLAGS = $(MODULE_CPPFLAGS)
#   sinks_NAME_la_LDFLAGS  = $(MODULE_LDFLAGS)
#
# and sinks_NAME_la_LIBADD for what it links itself.  The sink postgres alone also sees
# src/ (base, model and pg) and carries that part of it inside:
#
#   sinks_postgres_la_CPPFLAGS = $(AM_CPPFLAGS) $(LIBPQ_CFLAGS)
#   sinks_postgres_la_LIBADD   = src/libelvis-pg.la $(LIBPQ_LIBS)
