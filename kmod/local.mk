# kmod/: mplane.ko, built by kbuild.
EXTRA_DIST += kmod/pattern.h
