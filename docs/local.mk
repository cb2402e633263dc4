# Manual pages go into dist_man_MANS (docs/NAME.SECTION), what is read in the source tree
# or beside it into dist_doc_DATA.
dist_man_MANS += %reldir%/elvis.conf.5 %reldir%/elvisctl.1 %reldir%/elvisd.8
dist_doc_DATA += %reldir%/HACKING.md %reldir%/internals.md
