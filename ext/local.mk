# The PostgreSQL extension: an ordinary libtool module built with pg_config's answers.
# A new C file is one line in ext_elvis_la_SOURCES, a new part of the script one in ext_sql.

extmod_LTLIBRARIES += ext/elvis.la

ext_elvis_la_SOURCES = \
	%reldir%/apply.c \
	%reldir%/binary.c \
	%reldir%/capture.c \
	%reldir%/change.c \
	%reldir%/changes.c \
	%reldir%/catalog.c \
	%reldir%/collect.c \
	%reldir%/conflict.c \
	%reldir%/copy.c \
	%reldir%/entries.c \
	%reldir%/fetch.c \
	%reldir%/fill.c \
	%reldir%/frame.c \
	%reldir%/image.c \
	%reldir%/inval.c \
	%reldir%/keep.c \
	%reldir%/key.c \
	%reldir%/leaf.c \
	%reldir%/map.c \
	%reldir%/module.c \
	%reldir%/node.c \
	%reldir%/numeric.c \
	%reldir%/open.c \
	%reldir%/owner.c \
	%reldir%/pending.c \
	%reldir%/pieces.c \
	%reldir%/pins.c \
	%reldir%/position.c \
	%reldir%/read.c \
	%reldir%/recent.c \
	%reldir%/relation.c \
	%reldir%/render.c \
	%reldir%/reorder.c \
	%reldir%/resolution.c \
	%reldir%/route.c \
	%reldir%/rows.c \
	%reldir%/segment.c \
	%reldir%/settings.c \
	%reldir%/settle.c \
	%reldir%/snapshot.c \
	%reldir%/table.c \
	%reldir%/target.c \
	%reldir%/tids.c \
	%reldir%/truncate.c \
	%reldir%/value.c \
	%reldir%/version.c \
	%reldir%/wait.c \
	%reldir%/walk.c \
	%reldir%/waiting.c \
	%reldir%/write.c \
	%reldir%/binary.h %reldir%/capture.h %reldir%/catalog.h %reldir%/collect.h %reldir%/compat.h \
	%reldir%/fetch.h %reldir%/image.h %reldir%/inval.h %reldir%/keep.h %reldir%/key.h %reldir%/leaf.h \
	%reldir%/node.h %reldir%/pending.h %reldir%/read.h \
	%reldir%/recent.h %reldir%/relation.h %reldir%/render.h %reldir%/reorder.h %reldir%/room.h \
	%reldir%/segment.h \
	%reldir%/settings.h %reldir%/snapshot.h %reldir%/value.h %reldir%/version.h \
	%reldir%/wait.h \
	%reldir%/call.h %reldir%/conflict.h %reldir%/frame.h %reldir%/owner.h \
	%reldir%/position.h %reldir%/route.h %reldir%/target.h %reldir%/tids.h \
	%reldir%/truncate.h %reldir%/unix_time.h %reldir%/walk.h

ext_elvis_la_CPPFLAGS = $(EXT_CPPFLAGS)
ext_elvis_la_CFLAGS   = $(EXT_CFLAGS)
ext_elvis_la_LDFLAGS  = -module -avoid-version -shared -export-symbols-regex \
	'^(_PG_init|Pg_magic_func|pg_finfo_elvis_.*|elvis_.*)$$'

dist_extdata_DATA += %reldir%/elvis.control

# The script is these parts in this order; each ends with its own grants.
ext_sql = \
	%reldir%/sql/00-roles.sql \
	%reldir%/sql/10-node.sql \
	%reldir%/sql/20-table.sql \
	%reldir%/sql/30-log.sql \
	%reldir%/sql/40-watch.sql \
	%reldir%/sql/50-apply.sql \
	%reldir%/sql/60-resolution.sql \
	%reldir%/sql/70-copy.sql \
	%reldir%/sql/90-grants.sql

extdata_DATA += ext/elvis--1.0.sql
EXTRA_DIST   += $(ext_sql)
CLEANFILES   += ext/elvis--1.0.sql

ext/elvis--1.0.sql: $(ext_sql) ext/local.mk
	$(AM_V_GEN)$(MKDIR_P) ext && cat $(filter %.sql,$^) > $@.tmp && mv $@.tmp $@
