#!/bin/sh
# What the programs say of themselves, the examples and the manual say too.
set -eu
. "$ELVIS_SRCDIR/tests/unit/tap.sh"

ctl=$ELVIS_BUILDDIR/elvisctl
docs=$ELVIS_SRCDIR/docs
etc=$ELVIS_SRCDIR/etc

# Settings of elvisd that the commented example does not have at their defaults
settings_missing() {
	"$ctl" options | awk 'NR > 1 { print $1 }' | while read -r name; do
		default=$("$ctl" options | awk -v name="$name" -F '  +' '$1 == name { print $2 }')
		case $default in
		-) wanted="#$name = [ ];" ;;
		true | false) wanted="#$name = $default;" ;;
		*) wanted="#$name = \"$default\";" ;;
		esac
		grep -qxF "$wanted" "$etc/elvis.conf" || echo "elvis.conf: $wanted"
		grep -qxF ".B $name" "$docs/elvis.conf.5" || echo "elvis.conf.5: $name"
		default=$(echo "$default" | sed 's/^-$/none/')
		awk -v name=".B $name" '$0 == name { on = 1; next } /^\.TP|^\.SH/ { on = 0 } on' \
			"$docs/elvis.conf.5" | tr '\n' ' ' | grep -qi "default:\{0,1\} $default\." ||
			echo "elvis.conf.5: the default of $name is $default"
	done
}

# Commented settings of the example, at the left margin, that elvisd does not know
settings_unknown() {
	sed -n 's/^#\([a-z_]*\) = .*/\1/p' "$etc/elvis.conf" | while read -r name; do
		"$ctl" options | grep -q "^$name " || echo "$name"
	done
}

# What --help lists, indented by two: commands and exit statuses
commands_missing() {
	"$ctl" --help | sed -n '/^commands:/,/^$/s/^  \([a-z][a-z-]*\) .*/\1/p' |
	while read -r command; do
		grep -q "^\.B $command\( \|\$\)" "$docs/elvisctl.1" || echo "$command"
		"$ctl" "$command" --help | sed -n 's/^  --\([a-z-]*\) .*/\1/p' |
		while read -r option; do
			awk -v command=".B $command" '
				$0 == command || index($0, command " ") == 1 { on = 1; next }
				on && /^\.TP$/ && !deep { on = 0 }
				/^\.RS/ { deep = 1 } /^\.RE/ { deep = 0 }
				on' "$docs/elvisctl.1" |
				grep -qF -- "\\-\\-$option" || [ "$command" = plan ] ||
				echo "$command --$option"
		done
	done
}

statuses_missing() {
	"$ctl" --help | sed -n '/^exit status:/,$s/^  \([0-9]\)  \(.*\)/\1 \2/p' |
	while read -r number text; do
		grep -A1 -xF ".B $number" "$docs/elvisctl.1" | grep -qxF "$text" ||
			echo "$number $text"
	done
}

# Options of a program that its page does not have
options_missing() {	# options_missing PROGRAM PAGE
	"$ELVIS_BUILDDIR/$1" --help | grep -oE -- '--[a-z][a-z-]*' | sort -u |
	while read -r option; do
		grep -qF -- "$(echo "$option" | sed 's/^--/\\-\\-/')" "$docs/$2" ||
			echo "$option"
	done
}

elvisd_options_missing() { options_missing elvisd elvisd.8; }
elvisctl_options_missing() { options_missing elvisctl elvisctl.1; }

# Examples that do not load; the databases they name need not be there
examples_refused() {
	for file in "$etc"/elvis.conf "$etc"/elvis-minimal.conf; do
		"$ctl" -c "$file" options >/dev/null || echo "$file"
	done
}

pages_ill() {
	command -v man >/dev/null 2>&1 || return 0
	for page in "$docs"/elvis.conf.5 "$docs"/elvisctl.1 "$docs"/elvisd.8; do
		man --warnings -l "$page" 2>&1 >/dev/null || true
	done
}

echo 1..8
found_lines 'the example and elvis.conf(5) have every setting at its default' 0 settings_missing
found_lines 'the example has no setting that there is not' 0 settings_unknown
found_lines 'elvisctl(1) has every command and its options' 0 commands_missing
found_lines 'elvisctl(1) has every exit status' 0 statuses_missing
found_lines 'elvisctl(1) has every option' 0 elvisctl_options_missing
found_lines 'elvisd(8) has every option' 0 elvisd_options_missing
found_lines 'the examples load' 0 examples_refused
found_lines 'the pages are sound' 0 pages_ill
