# The isolation tests of tests/local.mk
kind=isolation
tests=$ELVIS_ISOLATION_TESTS
. "$ELVIS_SRCDIR/tests/pg/regress.sh"
