#!/bin/sh
# Every source file is in a list of some local.mk: what is in none is missing from the
# tarball, or a test that nobody runs.
set -eu
. "$ELVIS_SRCDIR/tests/unit/tap.sh"

sources() {
	find src ext policies sinks tests \
		\( -name '*.[ch]' -o -path 'tests/*.sh' -o -path 'tests/*.p[lm]' \
		-o -path '*/sql/*.sql' -o -name '*.spec' \) \
		! -path 'tests/tmp/*' ! -path 'tests/pg/root/*'
}

# A list names a file from its own directory on, by its whole path, or, if it is a test or
# a module for one, without what all of its list have.
unlisted() {
	sources | while read -r file; do
		case $file in
		tests/unit/test_*.c | tests/contract/test_*.c) name=${file%.c} ;;
		tests/plugins/*.c) name=${file%.c}.la ;;
		tests/regress/sql/* | tests/isolation/specs/*)
			name=${file##*/} name=${name%.*} ;;
		tests/*) name=$file ;;
		*) name=${file#*/} ;;
		esac
		cat */local.mk | tr -s ' \t' '\n\n' | grep -qxE "(%reldir%/|[a-z]+/)?$name" ||
			echo "$file"
	done
}

echo 1..2
cd "$ELVIS_SRCDIR"
found_lines 'every source file is listed' 0 unlisted

wrong=$ELVIS_BUILDDIR/tests/tmp/lists
rm -rf "$wrong"
mkdir -p "$wrong/src/base" "$wrong"/tests/regress/sql "$wrong"/ext "$wrong"/policies "$wrong"/sinks
cd "$wrong"
touch src/base/listed.c src/base/forgotten.c tests/regress/sql/listed.sql \
	tests/regress/sql/forgotten.sql
echo 'some_SOURCES = %reldir%/base/listed.c' >src/local.mk
echo 'regress_tests = listed' >tests/local.mk
found_lines 'a forgotten file is noticed' 2 unlisted
rm -rf "$wrong"
