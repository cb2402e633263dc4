# The regress tests of tests/local.mk
kind=regress
tests=$ELVIS_REGRESS_TESTS
. "$ELVIS_SRCDIR/tests/pg/regress.sh"
