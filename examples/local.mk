# Examples are installed as sources, to be copied and changed; tests/installed/plugin.sh
# builds them from there.
mypolicydir        = $(exampledir)/my_policy
dist_mypolicy_DATA = %reldir%/my_policy/Makefile %reldir%/my_policy/my_policy.c
