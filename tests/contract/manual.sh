#!/bin/sh
# elvis-policies(7) and elvis-sinks(7) against what the plugins say of themselves, and
# elvis-policy(3) against the headers.
set -eu
. "$ELVIS_SRCDIR/tests/unit/tap.sh"

docs=$ELVIS_SRCDIR/docs
ctl=$ELVIS_BUILDDIR/elvisctl

# copies, as the build tree may be writable by a group and would be refused
modules=$(mktemp -d)
trap 'rm -rf "$modules"' EXIT
umask 022
for la in $ELVIS_POLICIES $ELVIS_SINKS; do
	name=${la##*/}
	install -m 755 "$ELVIS_BUILDDIR/${la%/*}/.libs/${name%.la}.so" "$modules/"
done

ask() {
	"$ctl" --policy-dir "$modules" --sink-dir "$modules" "$@"
}

# The page as bare text, a paragraph a line, roff's quoting undone
page() {
	sed -e 's/^\.SS /SS /' -e 's/^\.BR \([a-z_]*\) "\(.*\)"$/OPTION \1\2/' -e '/^\./s/.*//' \
		-e 's/\\-/-/g' "$docs/$1" |
	awk '/^$|^SS |^OPTION / { if (line) print line; line = $0; if (/^SS |^OPTION /) {
			print line; line = "" } next }
		{ line = line ? line " " $0 : $0 } END { print line }'
}

# What a plugin says of itself, in the form of the page: name, summary, options with help
described() {	# described policies|sinks NAME
	ask "$1" "$2" | awk -v name="$2" -F '  +' '
		NR == 1 { sub(/^[^:]*: /, ""); print "SS " name; print; next }
		NR < 5 { next }
		{
			about = $3 == "yes" ? ", required" : $4 == "-" ? "" : ", default " $4
			print "OPTION " $1 " (" $2 about ")"
			print $5
		}'
}

undocumented() {	# undocumented policies|sinks LIST PAGE
	for la in $2; do
		name=${la##*/}
		page "$3" | awk -v ss="SS ${name%.la}" '$0 == ss { on = 1; print; next }
			/^SS / { on = 0 } on' >"$modules/section"
		described "$1" "${name%.la}" | while read -r line; do
			grep -qxF -- "$line" "$modules/section" || echo "${name%.la}: $line"
		done
	done
}

undocumented_policies() { undocumented policies "$ELVIS_POLICIES" elvis-policies.7; }
undocumented_sinks() { undocumented sinks "$ELVIS_SINKS" elvis-sinks.7; }

unconverging() {
	for la in $ELVIS_POLICIES; do
		name=${la##*/}
		said=$(ask policies | awk -v name="${name%.la}" -F '  +' '$1 == name { print $3 }')
		awk -v ss=".SS ${name%.la}" '$0 == ss { on = 1; next } /^\.S[SH]/ { on = 0 } on' \
			"$docs/elvis-policies.7" | grep -qxF "Converges: $said." ||
			echo "${name%.la}: $said"
	done
}

# Sections and options of plugins that are not there
imagined() {
	for page in elvis-policies.7 elvis-sinks.7; do
		sed -n 's/^\.SS //p' "$docs/$page" | while read -r name; do
			case " $ELVIS_POLICIES $ELVIS_SINKS " in
			*/"$name".la\ *) ;;
			*) echo "$page: $name" ;;
			esac
		done
	done
	for kind in policies sinks; do
		case $kind in
		policies) list=$ELVIS_POLICIES ;;
		sinks) list=$ELVIS_SINKS ;;
		esac
		for la in $list; do
			name=${la##*/}
			page "elvis-$kind.7" | awk -v ss="SS ${name%.la}" '$0 == ss { on = 1; next }
				/^SS / { on = 0 } on && /^OPTION / { print $2 }' |
			while read -r option; do
				described "$kind" "${name%.la}" | grep -q "^OPTION $option " ||
					echo "${name%.la}: $option"
			done
		done
	done
}

pages_ill() {
	command -v man >/dev/null 2>&1 || return 0
	for page in "$docs"/elvis-*.[37]; do
		man --warnings -l "$page" 2>&1 >/dev/null || true
	done
}

echo 1..5
found_lines 'elvis-policies(7) has every policy, option, default and help text' 0 \
	undocumented_policies
found_lines 'elvis-sinks(7) likewise' 0 undocumented_sinks
found_lines 'elvis-policies(7) says how far each converges' 0 unconverging
found_lines 'neither has one that is not there' 0 imagined
found_lines 'the pages are sound' 0 pages_ill
