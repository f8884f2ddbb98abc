# detile/: a pure library, MIT, no I/O, no malloc, nothing of src/.
noinst_LIBRARIES += libdetile.a
libdetile_a_SOURCES = \
	detile/cpu.c detile/cpu.h \
	detile/detile.c detile/detile.h \
	detile/kernel.h \
	detile/layout.c detile/layout.h \
	detile/walk.h
EXTRA_DIST += detile/COPYING
