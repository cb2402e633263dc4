# Configuration files to start from, installed with the documentation.
dist_example_DATA += %reldir%/elvis.conf %reldir%/elvis-minimal.conf

# Systemd looks below /usr/local/lib and /usr/lib; another prefix wants a link.
EXTRA_DIST += %reldir%/elvisd.service.in
if HAVE_SYSTEMD
systemdunitdir   = $(prefix)/lib/systemd/system
systemdunit_DATA = etc/elvisd.service
CLEANFILES      += etc/elvisd.service

etc/elvisd.service: %reldir%/elvisd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && $(SED) -e 's,@bindir[@],$(bindir),' \
		-e 's,@sysconfdir[@],$(sysconfdir),' $(srcdir)/etc/elvisd.service.in > $@
endif
