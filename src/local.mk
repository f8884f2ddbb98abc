# src/: the planecast program. Everything but main.c is a library, so that tests link it.
noinst_LIBRARIES += libplanecast.a
bin_PROGRAMS += planecast
PLANECAST_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(JSON_CFLAGS) $(PIXMAN_CFLAGS) $(PNG_CFLAGS) \
	$(VNC_CFLAGS) $(DRM_CFLAGS)
PLANECAST_LIBS = $(GLIB_LIBS) $(JSON_LIBS) $(PIXMAN_LIBS) $(PNG_LIBS) $(VNC_LIBS)

libplanecast_a_CFLAGS = $(PLANECAST_CFLAGS)
libplanecast_a_SOURCES = \
	kmod/brush.c kmod/brush.h \
	kmod/font.c kmod/font.h \
	kmod/pattern.c kmod/pattern.h \
	kmod/pattern_desktop.c kmod/pattern_desktop.h \
	kmod/pattern_static.c kmod/pattern_static.h \
	src/damage.c src/damage.h \
	src/frame.c src/frame.h \
	src/log.c src/log.h \
	src/plane.h \
	src/sink.h \
	src/source.h

planecast_CFLAGS = $(PLANECAST_CFLAGS)
planecast_SOURCES = src/main.c
planecast_LDADD = libplanecast.a $(PLANECAST_LIBS)
