#!/bin/sh
# What modules show to the program that loads them: a plugin one symbol, the extension
# what the server looks for.
set -eu
. "$ELVIS_SRCDIR/tests/unit/tap.sh"

shown() {	# shown MODULE...: module and symbol
	for module in "$@"; do
		[ -f "$module" ] || continue
		nm -D --defined-only "$module" | awk -v module="$module" '{ print module, $3 }'
	done
}

plugins() {
	shown policies/.libs/*.so sinks/.libs/*.so
}

strange_in_plugins() {
	plugins | grep -v ' elvis_plugin$' || true
}

mute_plugins() {
	for module in policies/.libs/*.so sinks/.libs/*.so; do
		[ ! -f "$module" ] || shown "$module" | grep -q ' elvis_plugin$' ||
			echo "$module"
	done
}

strange_in_extension() {
	shown ext/.libs/elvis.so |
		grep -vE ' (_PG_init|_PG_fini|Pg_magic_func|pg_finfo_elvis_.*|elvis_.*)$' || true
}

magic() {
	shown ext/.libs/elvis.so | grep ' Pg_magic_func$' || true
}

cd "$ELVIS_BUILDDIR"
echo 1..4
found_lines 'plugins show nothing but elvis_plugin' 0 strange_in_plugins
found_lines 'every plugin shows elvis_plugin' 0 mute_plugins
found_lines 'the extension shows only what the server looks for' 0 strange_in_extension
found_lines 'the extension shows its magic' 1 magic
