# tests/: unit tests (cmocka), one per room.
UNIT_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(JSON_CFLAGS) $(PIXMAN_CFLAGS) $(DRM_CFLAGS) $(CMOCKA_CFLAGS)
UNIT_LDADD = libplanecast.a libdetile.a $(PLANECAST_LIBS) $(CMOCKA_LIBS)
include tests/unit/local.mk
include tests/checkdetile.mk
include tests/fuzz/local.mk
include tests/vm/local.mk
include tests/e2e/local.mk
