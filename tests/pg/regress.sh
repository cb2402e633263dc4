# Runs pg_regress ($kind regress) or pg_isolation_regress (isolation) on a server made for
# it and tells the result of each of $tests as TAP.  Sourced by the run.sh of both.
set -eu
. "$ELVIS_SRCDIR/tests/pg/lib.sh"

case $kind in
regress) runner=$pg_tests/regress/pg_regress ;;
isolation) runner=$pg_tests/isolation/pg_isolation_regress ;;
esac
[ -n "$tests" ] || skip_all "no $kind tests"
[ -x "$runner" ] || skip_all "no $runner (Debian: postgresql-server-dev-$PG_MAJOR)"
need_server
scratch_dir "$kind"
need_user

status=0
cd "$scratch"
as_user timeout -k 10 "$test_timeout" "$runner" \
	--bindir="$pg_bindir" \
	--inputdir="$ELVIS_SRCDIR/tests/$kind" \
	--outputdir="$scratch" \
	--temp-instance="$scratch/instance" \
	--temp-config="$ELVIS_SRCDIR/tests/pg/test.conf" \
	--no-locale --encoding=UTF8 \
	--load-extension=elvis \
	$tests >output 2>&1 || status=$?

# Up to 15: "test name    ... ok    12 ms"; from 16 on TAP, with times that we drop.
awk '
	/^(not )?ok +[0-9]/ {
		result = $1 == "not" ? "not ok" : "ok"
		name = $1 == "not" ? $5 : $4
		print result, ++n, "-", name
	}
	/ \.\.\. (ok|FAILED|failed)/ {
		result = /\.\.\. ok/ ? "ok" : "not ok"
		name = $1 == "test" ? $2 : $1
		print result, ++n, "-", name
	}
	END { print n + 0 > "told" }
' output
told=$(cat told)

if [ "$status" -ne 0 ]; then
	if [ -s regression.diffs ]; then
		show regression.diffs 400
	else
		show output
		[ ! -d log ] || show log/postmaster.log 100
	fi
fi
echo "1..$told"

# a run cut short must not pass for one without failures
if [ "$told" -ne "$(echo "$tests" | wc -w)" ]; then
	echo "Bail out! only $told of these were run: $tests"
fi
[ "$status" -ne 0 ] || rm -rf instance
