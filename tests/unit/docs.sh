#!/bin/sh
# What the documents say about the sources is there: each `file: function` of a tour, and
# each source file named in backquotes.
set -eu
. "$ELVIS_SRCDIR/tests/unit/tap.sh"

documents() {
	find README.md docs -name '*.md' 2>/dev/null
}

# `ext/capture.c: capture_row` -> ext/capture.c capture_row
tours() {
	documents | xargs -r grep -hoE '`[a-z]+/[A-Za-z0-9_./-]+\.[a-z]+: [A-Za-z_][A-Za-z0-9_]*(\(\))?`' |
		tr -d '`():' | sort -u
}

# A definition starts its line; a header, a script or SQL need only name it.
lost_functions() {
	tours | while read -r file function; do
		case $file in
		*.c) pattern="^$function\(|^[a-z].*[ *]$function\(" ;;
		*) pattern="(^|[^A-Za-z0-9_])$function([^A-Za-z0-9_]|\$)" ;;
		esac
		grep -qE "$pattern" "$file" 2>/dev/null || echo "$file: $function"
	done
}

lost_files() {
	documents |
		xargs -r grep -hoE '`(src|ext|policies|sinks|etc|tests|docs|bench|m4)/[A-Za-z0-9_./-]+\.[a-z0-9]+[:`]' |
		tr -d '`:' | sort -u |
		while read -r file; do
			[ -e "$file" ] || echo "$file"
		done
}

echo 1..4
cd "$ELVIS_SRCDIR"
found_lines 'every function of a tour exists' 0 lost_functions
found_lines 'every source file named exists' 0 lost_files

# A document that is out of date, to see that it would be noticed
wrong=$ELVIS_BUILDDIR/tests/tmp/docs
rm -rf "$wrong"
mkdir -p "$wrong/docs" "$wrong/src"
cd "$wrong"
printf 'void\nhere(void)\n{\n\tgone();\n}\n' >src/a.c
echo 'See `src/a.c: here`, `src/a.c: gone`, `src/b.c: here` and `src/c.h`.' >docs/a.md
found_lines 'a function that is only called, or whose file is gone, is noticed' 2 lost_functions
found_lines 'a file that is gone is noticed' 2 lost_files
rm -rf "$wrong"
