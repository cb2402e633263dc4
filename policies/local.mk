# One file per policy, named as the configuration names it.  A policy is four lines.

policy_LTLIBRARIES += policies/apply_remote.la
policies_apply_remote_la_SOURCES  = %reldir%/apply_remote.c
policies_apply_remote_la_CPPFLAGS = $(MODULE_CPPFLAGS)
policies_apply_remote_la_LDFLAGS  = $(MODULE_LDFLAGS)

policy_LTLIBRARIES += policies/delete_wins.la
policies_delete_wins_la_SOURCES  = %reldir%/delete_wins.c
policies_delete_wins_la_CPPFLAGS = $(MODULE_CPPFLAGS)
policies_delete_wins_la_LDFLAGS  = $(MODULE_LDFLAGS)

policy_LTLIBRARIES += policies/delta.la
policies_delta_la_SOURCES  = %reldir%/delta.c
policies_delta_la_CPPFLAGS = $(MODULE_CPPFLAGS)
policies_delta_la_LDFLAGS  = $(MODULE_LDFLAGS)

policy_LTLIBRARIES += policies/keep_local.la
policies_keep_local_la_SOURCES  = %reldir%/keep_local.c
policies_keep_local_la_CPPFLAGS = $(MODULE_CPPFLAGS)
policies_keep_local_la_LDFLAGS  = $(MODULE_LDFLAGS)

policy_LTLIBRARIES += policies/last_writer_wins.la
policies_last_writer_wins_la_SOURCES  = %reldir%/last_writer_wins.c
policies_last_writer_wins_la_CPPFLAGS = $(MODULE_CPPFLAGS)
policies_last_writer_wins_la_LDFLAGS  = $(MODULE_LDFLAGS)

policy_LTLIBRARIES += policies/merge_columns.la
policies_merge_columns_la_SOURCES  = %reldir%/merge_columns.c
policies_merge_columns_la_CPPFLAGS = $(MODULE_CPPFLAGS)
policies_merge_columns_la_LDFLAGS  = $(MODULE_LDFLAGS)

policy_LTLIBRARIES += policies/skip.la
policies_skip_la_SOURCES  = %reldir%/skip.c
policies_skip_la_CPPFLAGS = $(MODULE_CPPFLAGS)
policies_skip_la_LDFLAGS  = $(MODULE_LDFLAGS)

policy_LTLIBRARIES += policies/strict.la
policies_strict_la_SOURCES  = %reldir%/strict.c
policies_strict_la_CPPFLAGS = $(MODULE_CPPFLAGS)
policies_strict_la_LDFLAGS  = $(MODULE_LDFLAGS)
