# What the runners of server tests have in common; they source it.
#
# Results go to stdout as TAP.  From make come, all absolute:
#   ELVIS_SRCDIR ELVIS_BUILDDIR   the two trees
#   ELVIS_DESTDIR                 the private root, or empty: what is installed is tested
#   ELVIS_BINDIR ELVIS_POLICYDIR ELVIS_SINKDIR   where programs and modules are below it
#   PG_CONFIG
# and from the user, if he likes:
#   ELVIS_TEST_USER     who runs servers when root runs the tests
#   ELVIS_TEST_TIMEOUT  seconds that one test file may take

pg_bindir=$ELVIS_DESTDIR$("$PG_CONFIG" --bindir)
pg_tests=$("$PG_CONFIG" --pkglibdir)/pgxs/src/test
test_timeout=${ELVIS_TEST_TIMEOUT:-600}

skip_all() {	# skip_all REASON
	echo "1..0 # SKIP $*"
	exit 0
}

# scratch_dir NAME: sets $scratch to an empty directory of this test's own
scratch_dir() {
	scratch=$ELVIS_BUILDDIR/tests/tmp/$1
	rm -rf "$scratch"
	mkdir -p "$scratch"
}

need_server() {
	[ -x "$pg_bindir/initdb" ] ||
		skip_all "no server programs in $pg_bindir (Debian: postgresql-$PG_MAJOR)"
}

# as_user COMMAND...: runs it as somebody PostgreSQL serves.
#
# initdb refuses root.  Root therefore becomes $ELVIS_TEST_USER or whoever there is, and
# gives him the scratch directory; that he can read the trees is for him to find out.
as_user() {
	if [ "$(id -u)" -ne 0 ]; then
		"$@"
		return
	fi
	chown -R "$test_user" "$scratch"
	env HOME="$scratch" setpriv --reuid="$test_user" \
		--regid="$(id -g "$test_user")" --clear-groups "$@"
}

need_user() {
	if [ "$(id -u)" -ne 0 ]; then
		return
	fi
	for test_user in ${ELVIS_TEST_USER:-postgres nobody}; do
		if id "$test_user" >/dev/null 2>&1 &&
		   as_user test -r "$ELVIS_SRCDIR/tests/local.mk" -a -w "$scratch" \
				-a -x "$pg_bindir/initdb" 2>/dev/null; then
			return
		fi
	done
	skip_all "root runs no PostgreSQL, and ${ELVIS_TEST_USER:-nobody} cannot reach $ELVIS_BUILDDIR"
}

# show FILE: some of its lines as TAP comments, for the log
show() {
	if [ -s "$1" ]; then
		sed 's/^/# /' "$1" | head -n "${2:-200}"
	fi
}
