#!/bin/sh
# What the documents say about the sources is there: each `file: function` of a tour, and
# each source file named in backquotes.  Each hazard names a test.
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

untested_hazards() {
	awk '/^##/ { if (entry && !tested) print title; entry = /^###/; title = $0; tested = 0 }
	     /`tests\// { tested = 1 }
	     END { if (entry && !tested) print title }' docs/hazards.md
}

echo 1..6
cd "$ELVIS_SRCDIR"
found_lines 'every function of a tour exists' 0 lost_functions
found_lines 'every source file named exists' 0 lost_files
found_lines 'every hazard names a test that holds its cure' 0 untested_hazards

# A document that is out of date, to see that it would be noticed
wrong=$ELVIS_BUILDDIR/tests/tmp/docs
rm -rf "$wrong"
mkdir -p "$wrong/docs" "$wrong/src"
cd "$wrong"
printf 'void\nhere(void)\n{\n\tgone();\n}\n' >src/a.c
echo 'See `src/a.c: here`, `src/a.c: gone`, `src/b.c: here` and `src/c.h`.' >docs/a.md
found_lines 'a function that is only called, or whose file is gone, is noticed' 2 lost_functions
found_lines 'a file that is gone is noticed' 2 lost_files
printf '## Loss\n### One\n`tests/unit/a.c`\n### Two\nno test\n## Growth\n### Three\n' >docs/hazards.md
found_lines 'a hazard without a test is noticed' 2 untested_hazards
rm -rf "$wrong"
