# TAP from shell; sourced.
n=0

# found_lines NAME COUNT COMMAND: ok when the command prints that many lines
found_lines() {
	n=$((n + 1))
	found=$("$3")
	if [ "$(printf '%s' "$found" | grep -c '' || true)" -eq "$2" ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		printf '%s\n' "$found" | sed 's/^/# /'
	fi
}
