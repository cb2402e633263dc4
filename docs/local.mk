# Manual pages go into dist_man_MANS (docs/NAME.SECTION), what is read in the source tree
# or beside it into dist_doc_DATA.
dist_man_MANS += %reldir%/elvis.conf.5 %reldir%/elvisctl.1 %reldir%/elvisd.8 \
	%reldir%/elvis-policy.3 %reldir%/elvis-sink.3 \
	%reldir%/elvis-policies.7 %reldir%/elvis-sinks.7 %reldir%/elvis-sql.7
dist_doc_DATA += %reldir%/HACKING.md %reldir%/hazards.md %reldir%/internals.md %reldir%/writing-a-policy.md
