# One file per policy, named as the configuration names it.  A policy is four lines:
#
#   policy_LTLIBRARIES += policies/NAME.la
#   policies_NAME_la_SOURCES  = %reldir%/NAME.c
#   policies_NAME_la_CPPFLAGS = $(MODULE_CPPFLAGS)
#   policies_NAME_la_LDFLAGS  = $(MODULE_LDFLAGS)
