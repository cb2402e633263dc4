#!/bin/sh
# What is installed is all that somebody else's policy needs.
set -eu
. "$ELVIS_SRCDIR/tests/unit/tap.sh"

scratch=$ELVIS_BUILDDIR/tests/tmp/installed
rm -rf "$scratch"
mkdir -p "$scratch"

# under DESTDIR the paths that pkg-config tells have to be moved, too
elvis_plugin() {
	PKG_CONFIG_PATH=$ELVIS_DESTDIR$ELVIS_PKGCONFIGDIR PKG_CONFIG_SYSROOT_DIR=$ELVIS_DESTDIR \
		pkg-config "$@" elvis-plugin
}

# as its author would: a copy of the example, nowhere near our sources
build_theirs() {
	cp -R "$ELVIS_SRCDIR/examples/my_policy" "$scratch/"
	chmod -R u+w,go-w "$scratch"
	PKG_CONFIG_PATH=$ELVIS_DESTDIR$ELVIS_PKGCONFIGDIR PKG_CONFIG_SYSROOT_DIR=$ELVIS_DESTDIR \
		MAKEFLAGS= make -s -C "$scratch/my_policy" CC="$ELVIS_CC" \
		CFLAGS='-Wall -Wextra -Werror' 2>&1
}

# the page for authors begins with one that works
build_page() {
	mkdir -p "$scratch/page"
	awk '/^`mine.c`:$/ { on = 1; next } on && /^[^ ]/ { exit } on { sub(/^    /, ""); print }' \
		"$ELVIS_SRCDIR/docs/writing-a-policy.md" >"$scratch/page/mine.c"
	(cd "$scratch/page" && $ELVIS_CC -Wall -Wextra -Werror -shared -fPIC \
		$(elvis_plugin --cflags) mine.c -o mine.so 2>&1) || return 0
	"$ELVIS_DESTDIR$ELVIS_BINDIR/elvisctl" check-policy "$scratch/page/mine.so" 2>&1 |
		grep -v '^KEPT\|^yes' || true
}

broken_promises() {
	"$ELVIS_DESTDIR$ELVIS_BINDIR/elvisctl" check-policy "$scratch/my_policy/my_policy.so" \
		column=title steps=early,late,other,timeless 2>&1 | grep -v '^KEPT\|^yes' || true
}

their_symbols() {
	nm -D --defined-only "$scratch/my_policy/my_policy.so"
}

missing_modules() {
	for kind in policies sinks; do
		for built in "$ELVIS_BUILDDIR/$kind"/.libs/*.so; do
			[ ! -f "$built" ] || module_is_there "$kind" "${built##*/}"
		done
	done
}

module_is_there() {
	case $1 in
	policies) installed=$ELVIS_DESTDIR$ELVIS_POLICYDIR/$2 ;;
	sinks) installed=$ELVIS_DESTDIR$ELVIS_SINKDIR/$2 ;;
	esac
	[ -f "$installed" ] || echo "$installed"
}

left_by_libtool() {
	find "$ELVIS_DESTDIR$ELVIS_POLICYDIR" "$ELVIS_DESTDIR$ELVIS_SINKDIR" \
		"$ELVIS_DESTDIR$("$PG_CONFIG" --pkglibdir)" -name '*.la' 2>/dev/null
}

policydir() {
	[ "$(elvis_plugin --variable=policydir)" = "$ELVIS_POLICYDIR" ] ||
	[ "$(elvis_plugin --variable=policydir)" = "$ELVIS_DESTDIR$ELVIS_POLICYDIR" ] ||
		elvis_plugin --variable=policydir
}

echo 1..7
found_lines 'a policy builds with one include and nothing to link' 0 build_theirs
found_lines 'it shows one symbol' 1 their_symbols
found_lines 'it keeps the promises of the interface' 0 broken_promises
found_lines 'so does the one that writing-a-policy.md begins with' 0 build_page
found_lines 'pkg-config says where policies go' 0 policydir
found_lines 'every module built is installed' 0 missing_modules
found_lines 'nothing of libtool is left beside them' 0 left_by_libtool
rm -rf "$scratch"
