# doc/
EXTRA_DIST += doc/mplane.md
