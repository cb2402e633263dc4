#!/bin/sh
# run.sh FILE.pl: runs one TAP test with the server's Perl modules and ours in reach.
set -eu
. "$ELVIS_SRCDIR/tests/pg/lib.sh"

name=${1##*/}
name=${name%.pl}
file=$ELVIS_SRCDIR/tests/tap/t/$name.pl

[ -f "$pg_tests/perl/PostgreSQL/Test/Cluster.pm" ] ||
	skip_all "no PostgreSQL::Test::Cluster in $pg_tests/perl (PostgreSQL 15 and newer have it)"
perl -MIPC::Run -e 1 2>/dev/null ||
	skip_all "no Perl module IPC::Run (Debian: libipc-run-perl)"
need_server
scratch_dir "$name"
need_user

cd "$scratch"
status=0
as_user env \
	PATH="$pg_bindir:$PATH" \
	PERL5LIB="$ELVIS_SRCDIR/tests/tap:$pg_tests/perl${PERL5LIB:+:$PERL5LIB}" \
	PG_REGRESS="$pg_tests/regress/pg_regress" \
	PGAPPNAME="$name" \
	TESTDIR="$scratch" TESTDATADIR="$scratch/tmp_check" TESTLOGDIR="$scratch/tmp_check/log" \
	timeout -k 10 "$test_timeout" perl "$file" || status=$?
if [ "$status" -eq 124 ]; then
	echo "Bail out! $name took longer than $test_timeout s"
elif [ "$status" -ne 0 ]; then
	for log in "$scratch"/tmp_check/log/regress_log_* "$scratch"/tmp_check/log/elvisd_*; do
		[ ! -f "$log" ] || { echo "# $log ends:"; tail -n 40 "$log" | sed 's/^/# /'; }
	done
fi
exit "$status"
