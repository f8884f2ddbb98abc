# One program per room; each is a cmocka group.
if HAVE_CMOCKA
UNIT_TESTS =

UNIT_TESTS += tests/unit/test_capture
tests_unit_test_capture_SOURCES = tests/unit/test_capture.c
tests_unit_test_capture_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_capture_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_device
tests_unit_test_device_SOURCES = tests/unit/test_device.c
tests_unit_test_device_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_device_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_pacer
tests_unit_test_pacer_SOURCES = tests/unit/test_pacer.c
tests_unit_test_pacer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pacer_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_plane
tests_unit_test_plane_SOURCES = tests/unit/test_plane.c
tests_unit_test_plane_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_plane_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_address
tests_unit_test_address_SOURCES = tests/unit/test_address.c
tests_unit_test_address_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_address_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_door
tests_unit_test_door_SOURCES = tests/unit/test_door.c tests/unit/rfb.c tests/unit/rfb.h \
	tests/unit/stage.c tests/unit/stage.h
tests_unit_test_door_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_door_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc
tests_unit_test_vnc_SOURCES = tests/unit/test_vnc.c tests/unit/rfb.c tests/unit/rfb.h \
	tests/unit/stage.c tests/unit/stage.h
tests_unit_test_vnc_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vnc_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc_parser
tests_unit_test_vnc_parser_SOURCES = tests/unit/test_vnc_parser.c
tests_unit_test_vnc_parser_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vnc_parser_LDADD = $(UNIT_LDADD)

# For trying viewers by hand.
check_PROGRAMS += tests/unit/vnc_server
tests_unit_vnc_server_SOURCES = tests/unit/vnc_server.c tests/unit/rfb.c tests/unit/rfb.h \
	tests/unit/stage.c tests/unit/stage.h
tests_unit_vnc_server_CFLAGS = $(UNIT_CFLAGS)
tests_unit_vnc_server_LDADD = $(UNIT_LDADD)

check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)
endif
EXTRA_DIST += tests/unit/unit.h
