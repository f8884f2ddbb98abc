# detile/: a pure library, MIT, no I/O, no malloc, nothing of src/.
noinst_LIBRARIES += libdetile.a
libdetile_a_SOURCES = \
	detile/cpu.c detile/cpu.h \
	detile/detile.c detile/detile.h \
	detile/kernel.h \
	detile/layout.c detile/layout.h \
	detile/probe.c \
	detile/walk.h
libdetile_a_CPPFLAGS = $(AM_CPPFLAGS)
libdetile_a_LIBADD =
libdetile_a_DEPENDENCIES = $(libdetile_a_LIBADD)
EXTRA_DIST += detile/COPYING detile/Makefile detile/README.md

# One instruction set a file, each with flags of its own; all end up in libdetile.a.
EXTRA_LIBRARIES = libdetile_sse41.a libdetile_avx2.a libdetile_avx512.a libdetile_neon.a
libdetile_sse41_a_SOURCES = detile/x86/sse41.c
libdetile_sse41_a_CFLAGS = $(AM_CFLAGS) -msse4.1
libdetile_avx2_a_SOURCES = detile/x86/avx2.c
libdetile_avx2_a_CFLAGS = $(AM_CFLAGS) -mavx2
libdetile_avx512_a_SOURCES = detile/x86/avx512.c
libdetile_avx512_a_CFLAGS = $(AM_CFLAGS) -mavx512f -mavx512bw -mavx512vl
libdetile_neon_a_SOURCES = detile/arm/neon.c
if DETILE_X86
libdetile_a_CPPFLAGS += -DDETILE_HAVE_X86
libdetile_a_LIBADD += $(libdetile_sse41_a_OBJECTS) $(libdetile_avx2_a_OBJECTS) \
	$(libdetile_avx512_a_OBJECTS)
endif
if DETILE_ARM
libdetile_a_CPPFLAGS += -DDETILE_HAVE_NEON
libdetile_a_LIBADD += $(libdetile_neon_a_OBJECTS)
endif
