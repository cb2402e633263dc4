# The PostgreSQL extension: an ordinary libtool module built with pg_config's answers.
# A new C file is one line in ext_elvis_la_SOURCES.

extmod_LTLIBRARIES += ext/elvis.la

ext_elvis_la_SOURCES = \
	%reldir%/module.c \
	%reldir%/numeric.c \
	%reldir%/value.c %reldir%/value.h

ext_elvis_la_CPPFLAGS = $(EXT_CPPFLAGS)
ext_elvis_la_CFLAGS   = $(EXT_CFLAGS)
ext_elvis_la_LDFLAGS  = -module -avoid-version -shared -export-symbols-regex \
	'^(_PG_init|Pg_magic_func|pg_finfo_elvis_.*|elvis_.*)$$'

dist_extdata_DATA += %reldir%/elvis.control %reldir%/elvis--1.0.sql
