#!/bin/sh
# What the extension sets for a call has, in the daemon's sessions, the very value already: so
# that no call of theirs has to set it and put it back.
set -eu
. "$ELVIS_SRCDIR/tests/unit/tap.sh"

# Names and values: of the extension's settings, but for the encoding, which is its own matter
wanted() {
	sed -nE 's/^\t+pin\("([^"]+)", "([^"]+)"\);$/\1 = \2/p' ext/pins.c
}

given() {
	sed -nE 's/^\t\{ "([^"]+)", "([^"]*)" \},$/\1 = \2/p' src/pg/conn.c
}

differing() {
	wanted | while read -r setting; do
		given | grep -qxF "$setting" || echo "$setting"
	done
}

echo 1..2
cd "$ELVIS_SRCDIR"
found_lines 'the extension sets six of them' 6 wanted
found_lines 'they are set for the session' 0 differing
