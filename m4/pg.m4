# What elvis asks of the machine, with the name of the package that has the answer.

# ELVIS_MISSING(WHAT, DEBIAN-PACKAGE)
AC_DEFUN([ELVIS_MISSING],
	[AC_MSG_ERROR([$1 is missing; on Debian and Ubuntu: apt install $2])])

# ELVIS_CC_FLAGS(VARIABLE, FLAGS): those of FLAGS that the compiler knows
AC_DEFUN([ELVIS_CC_FLAGS], [
	$1=
	for elvis_flag in m4_normalize([$2]); do
		AC_MSG_CHECKING([whether $CC knows $elvis_flag])
		elvis_saved_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $elvis_flag"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM()],
			[AC_MSG_RESULT([yes]); $1="$$1 $elvis_flag"],
			[AC_MSG_RESULT([no])])
		CFLAGS=$elvis_saved_CFLAGS
	done
])

# ELVIS_PG_CONFIG: finds pg_config, checks the version, asks for the directories.
#
# Sets PG_CONFIG, PG_MAJOR, PG_BINDIR and, where the user did not, PG_PKGLIBDIR and
# PG_EXTENSIONDIR, the two places the extension is installed to.
AC_DEFUN([ELVIS_PG_CONFIG], [
	AC_ARG_WITH([pg-config],
		[AS_HELP_STRING([--with-pg-config=PATH],
			[the pg_config of the PostgreSQL to build for])],
		[PG_CONFIG=$withval],
		[AC_PATH_PROG([PG_CONFIG], [pg_config])])
	AS_IF([test -z "$PG_CONFIG"],
		[ELVIS_MISSING([pg_config], [postgresql-server-dev-all])])
	AS_IF(["$PG_CONFIG" --version >/dev/null 2>&1], [],
		[AC_MSG_ERROR([$PG_CONFIG does not run])])
	AC_SUBST([PG_CONFIG])

	AC_MSG_CHECKING([for the version of PostgreSQL])
	PG_MAJOR=`"$PG_CONFIG" --version | $SED 's/^PostgreSQL \([[0-9]]*\).*/\1/'`
	AC_MSG_RESULT([$PG_MAJOR])
	AS_CASE([$PG_MAJOR],
		[14|15|16|17|18], [],
		[AC_MSG_ERROR([elvis is made for PostgreSQL 14 to 18; $PG_CONFIG says "`$PG_CONFIG --version`"])])
	AC_SUBST([PG_MAJOR])

	PG_BINDIR=`"$PG_CONFIG" --bindir`
	AC_SUBST([PG_BINDIR])
	AC_ARG_VAR([PG_PKGLIBDIR], [where the extension's module goes, instead of pg_config --pkglibdir])
	AC_ARG_VAR([PG_EXTENSIONDIR], [where its control and SQL files go, instead of pg_config --sharedir and /extension])
	AS_IF([test -z "$PG_PKGLIBDIR"], [PG_PKGLIBDIR=`"$PG_CONFIG" --pkglibdir`])
	AS_IF([test -z "$PG_EXTENSIONDIR"], [PG_EXTENSIONDIR=`"$PG_CONFIG" --sharedir`/extension])
])

# ELVIS_PG_SERVER_HEADERS: pg_config answers without the headers being there, so look.
AC_DEFUN([ELVIS_PG_SERVER_HEADERS], [
	PG_SERVER_CPPFLAGS="-isystem `"$PG_CONFIG" --includedir-server`"
	elvis_saved_CPPFLAGS=$CPPFLAGS
	CPPFLAGS="$CPPFLAGS $PG_SERVER_CPPFLAGS"
	AC_MSG_CHECKING([for postgres.h])
	AC_PREPROC_IFELSE([AC_LANG_SOURCE([[#include <postgres.h>]])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		 ELVIS_MISSING([the server's header postgres.h], [postgresql-server-dev-$PG_MAJOR])])
	CPPFLAGS=$elvis_saved_CPPFLAGS
	AC_SUBST([PG_SERVER_CPPFLAGS])
])

# ELVIS_PG_LIBPQ: libpq of the same installation
AC_DEFUN([ELVIS_PG_LIBPQ], [
	LIBPQ_CFLAGS="-isystem `"$PG_CONFIG" --includedir`"
	LIBPQ_LIBS="-L`"$PG_CONFIG" --libdir` -lpq"
	elvis_saved_CPPFLAGS=$CPPFLAGS
	elvis_saved_LIBS=$LIBS
	CPPFLAGS="$CPPFLAGS $LIBPQ_CFLAGS"
	LIBS="$LIBPQ_LIBS $LIBS"
	AC_MSG_CHECKING([for libpq])
	# pipeline mode came with libpq 14
	AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <libpq-fe.h>]],
			[[return PQenterPipelineMode(NULL);]])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([no])
		 ELVIS_MISSING([libpq (14 or newer)], [libpq-dev])])
	# a PostgreSQL in a place of its own, which the loader does not know
	AC_MSG_CHECKING([whether libpq is found at run time])
	AC_RUN_IFELSE([AC_LANG_PROGRAM([[#include <libpq-fe.h>]],
			[[return PQlibVersion() < 140000;]])],
		[AC_MSG_RESULT([yes])],
		[AC_MSG_RESULT([by its path])
		 LIBPQ_LIBS="-L`"$PG_CONFIG" --libdir` -Wl,-rpath,`"$PG_CONFIG" --libdir` -lpq"],
		[AC_MSG_RESULT([unknown])])
	CPPFLAGS=$elvis_saved_CPPFLAGS
	LIBS=$elvis_saved_LIBS
	AC_SUBST([LIBPQ_CFLAGS])
	AC_SUBST([LIBPQ_LIBS])
])
