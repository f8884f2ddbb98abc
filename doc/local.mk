# doc/
EXTRA_DIST += doc/mplane.md doc/recording.md
