# data/: what goes beside the program.
bashcompletiondir = $(datadir)/bash-completion/completions
dist_noinst_DATA = data/planecast.bash
install-data-local: install-bash-completion
uninstall-local: uninstall-bash-completion
install-bash-completion:
	$(MKDIR_P) '$(DESTDIR)$(bashcompletiondir)'
	$(INSTALL_DATA) $(srcdir)/data/planecast.bash '$(DESTDIR)$(bashcompletiondir)/planecast'
uninstall-bash-completion:
	rm -f '$(DESTDIR)$(bashcompletiondir)/planecast'
.PHONY: install-bash-completion uninstall-bash-completion

# Under /usr and /usr/local systemd finds them.
systemdsystemunitdir = $(prefix)/lib/systemd/system
dist_systemdsystemunit_DATA = data/planecast@.socket
nodist_systemdsystemunit_DATA = data/planecast@.service
EXTRA_DIST += data/planecast@.service.in
CLEANFILES += data/planecast@.service
data/planecast@.service: data/planecast@.service.in Makefile
	$(AM_V_at)$(MKDIR_P) data
	$(AM_V_GEN)sed 's#[@]bindir[@]#$(bindir)#' $(srcdir)/data/planecast@.service.in >$@

# Run by others, who are told of them by a link: libvirt and mdevctl. README.md says how.
dist_pkgdata_SCRIPTS = data/libvirt-hook data/mdevctl-notifier
examplesdir = $(docdir)/examples
dist_examples_DATA = examples/kubernetes.yaml examples/websockify-tokens
