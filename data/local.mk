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
