#!/bin/sh
# Every header can be included first, and those of the public interface by strict C: a
# plugin's author has his own habits.
set -eu
. "$ELVIS_SRCDIR/tests/unit/tap.sh"

# unfit COMPILER OPTION... -- HEADER...: those that do not compile alone, with the reason
unfit() {
	compiler=
	while [ "$1" != -- ]; do
		compiler="$compiler $1"
		shift
	done
	shift
	for header in "$@"; do
		echo "#include \"$header\"" |
			$compiler -fsyntax-only -Wall -Wextra -Werror - >"$errors" 2>&1 ||
			{ echo "$header"; grep -m1 'error:' "$errors" >&2 || true; }
	done
}

public_c() {
	unfit $ELVIS_CC -xc -std=c11 -pedantic -I src/include -- src/include/elvis/*.h
}

private() {
	unfit $ELVIS_CC -xc -std=gnu11 -D_GNU_SOURCE $ELVIS_HEADER_CPPFLAGS -I src \
		-I src/include -- src/*/*.h
}

errors=$ELVIS_BUILDDIR/tests/tmp/headers.errors
mkdir -p "${errors%/*}"
echo 1..3
cd "$ELVIS_SRCDIR"
found_lines 'public headers are strict C' 0 public_c
found_lines 'every header stands alone' 0 private

wrong=$ELVIS_BUILDDIR/tests/tmp/headers
rm -rf "$wrong"
mkdir -p "$wrong/src/base"
cd "$wrong"
echo 'bool undeclared(void);' >src/base/wrong.h
found_lines 'a header that does not is noticed' 1 private 2>/dev/null
rm -rf "$wrong" "$errors"
