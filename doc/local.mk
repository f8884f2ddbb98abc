# doc/
EXTRA_DIST += CHANGELOG.md CONTRIBUTING.md doc/guest.png doc/guest-web.png doc/web.png doc/architecture.md doc/mplane.md doc/recording.md doc/status.md
dist_man_MANS = doc/planecast.1 doc/mplane.4
