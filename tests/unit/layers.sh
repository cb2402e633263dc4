#!/bin/sh
# The includes are the layering, and they point downward: docs/HACKING.md has the table
# that this compares them with.
set -eu
. "$ELVIS_SRCDIR/tests/unit/tap.sh"

# layer DIRECTORY "PROJECT HEADERS" "FOREIGN HEADERS FORBIDDEN"
#
# Of the project a file in the directory includes only what begins with one of the first
# list; <...> headers it may include but those matching the second, an extended regex.
layers() {
	outside='<(libpq-fe|libconfig|dlfcn|check)\.h>|<(systemd|librdkafka)/'
	layer src/include/elvis 'elvis/' '<[^>]*>' '<(elvis/.*|std(bool|def|int)\.h|string\.h)>'
	layer src/base   'base/' "$outside|<elvis/"
	layer src/model  'base/ model/ elvis/' "$outside"
	layer src/engine 'base/ model/ engine/ elvis/' "$outside"
	layer src/conf   'base/ model/ conf/ elvis/' "$outside" '<libconfig\.h>'
	layer src/pg     'base/ model/ pg/ elvis/' "$outside" '<libpq-fe\.h>'
	layer src/plugin 'base/ model/ plugin/ elvis/' "$outside" '<dlfcn\.h>'
	layer src/setup  'base/ model/ conf/ pg/ plugin/ setup/ elvis/' "$outside" '<libpq-fe\.h>'
	layer src/daemon 'base/ model/ engine/ conf/ pg/ plugin/ setup/ daemon/ elvis/' "$outside" \
		'<systemd/sd-daemon\.h>'
	layer src/ctl    'base/ model/ conf/ pg/ plugin/ setup/ ctl/ elvis/' "$outside"
	layer policies   'elvis/' "$outside"
	layer sinks      'elvis/ [a-z_]*\.h' '<(libconfig|dlfcn|check)\.h>'
	layer sinks/postgres 'base/ model/ pg/ elvis/ [a-z_]*\.h' '<(libconfig|dlfcn|check)\.h>'
}

# What of a directory breaks its line, as file:line:include
layer() {
	allowed=$(echo "$2" | sed 's/ /|/g')
	# the other sinks see less than sinks/postgres
	case $1 in
	sinks) files=$(find sinks -name '*.[ch]' ! -path 'sinks/postgres*') ;;
	sinks/postgres) files=$(find sinks -name '*.[ch]' -path 'sinks/postgres*') ;;
	*) files=$(find "$1" -name '*.[ch]' 2>/dev/null || true) ;;
	esac
	[ -n "$files" ] || return 0
	# /dev/null, so that grep names the file even if there is only one
	grep -nE '^[ 	]*#[ 	]*include' $files /dev/null |
	grep -vE "include[ 	]*[\"<]($allowed)|\"config\.h\"" |
	if [ $# -gt 3 ]; then grep -vE "$4"; else cat; fi |
	grep -E "include[ 	]*\"|$3" || true
}

# The extension sees the backend and the public names, nothing of the daemon.
extension() {
	find ext -name '*.[ch]' -exec grep -nE \
		'#[ 	]*include[ 	]*["<](base|model|engine|conf|pg|plugin|daemon|ctl)/' {} + || true
}

# Only one file knows that there are several PostgreSQLs.
versions() {
	grep -rnE 'PG_VERSION_NUM|PG_MAJORVERSION_NUM' ext src policies sinks --include='*.[ch]' |
		grep -v '^ext/compat\.h:' || true
}

# What PostgreSQL 15 has everywhere and a later one does not, so that who builds with 15
# alone is told: the inside of a varlena comes by compat.h, _Noreturn is C's own.
majors() {
	find ext -name '*.[ch]' ! -path ext/compat.h \
		-exec grep -lE '(^|[^A-Z_])(SET_)?VAR(SIZE|DATA)[A-Z_]*\(' {} + |
		xargs -r grep -L '"compat\.h"' || true
	grep -rn 'pg_attribute_noreturn' ext --include='*.[ch]' || true
}

# Only the daemon starts threads.
threads() {
	grep -rn 'pthread_create' src policies sinks --include='*.[ch]' |
		grep -v '^src/daemon/' || true
}

echo 1..10
cd "$ELVIS_SRCDIR"
found_lines 'includes point downward' 0 layers
found_lines 'the extension includes nothing from src/' 0 extension
found_lines 'PG_VERSION_NUM is in ext/compat.h only' 0 versions
found_lines 'the extension keeps to what all majors have' 0 majors
found_lines 'threads start in src/daemon only' 0 threads

# A tree where every rule is broken: the greps above can find something.
wrong=$ELVIS_BUILDDIR/tests/tmp/layers
rm -rf "$wrong"
mkdir -p "$wrong"/src/base "$wrong"/src/engine "$wrong"/src/daemon "$wrong"/src/include/elvis \
	"$wrong"/src/pg "$wrong"/ext "$wrong"/policies "$wrong"/sinks/postgres
cd "$wrong"
echo '#include "model/batch.h"' >src/base/a.c
echo '#include "pg/conn.h"' >src/engine/a.c
echo '# include <libpq-fe.h>' >src/engine/b.h
echo '#include <stdio.h>' >src/include/elvis/a.h
echo '#include "base/err.h"' >policies/a.c
echo '#include "base/err.h"' >sinks/a.c
echo '#include "engine/link.h"' >sinks/postgres/a.c
echo '#include <libpq-fe.h>' >src/pg/right.c
echo '#include "base/err.h"' >ext/a.c
echo '#if PG_VERSION_NUM' >ext/b.c
echo 'SET_VARSIZE(a, 1);' >ext/c.c
echo 'pg_attribute_noreturn()' >ext/d.c
echo 'pthread_create();' >src/engine/c.c
found_lines 'an include that points upward is found' 7 layers
found_lines 'an extension that includes src/ is found' 1 extension
found_lines 'a second place with PG_VERSION_NUM is found' 1 versions
found_lines 'what only some majors have is found' 2 majors
found_lines 'a thread started elsewhere is found' 1 threads
rm -rf "$wrong"
