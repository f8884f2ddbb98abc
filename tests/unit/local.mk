# One program per room; each is a cmocka group.
if HAVE_CMOCKA
UNIT_TESTS =

UNIT_TESTS += tests/unit/test_address
tests_unit_test_address_SOURCES = tests/unit/test_address.c
tests_unit_test_address_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_address_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_bands
tests_unit_test_bands_SOURCES = tests/unit/test_bands.c
tests_unit_test_bands_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_bands_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_capture
tests_unit_test_capture_SOURCES = tests/unit/test_capture.c
tests_unit_test_capture_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_capture_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_card
tests_unit_test_card_SOURCES = tests/unit/test_card.c
tests_unit_test_card_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_card_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_damage
tests_unit_test_damage_SOURCES = tests/unit/test_damage.c
tests_unit_test_damage_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_damage_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_device
tests_unit_test_device_SOURCES = tests/unit/test_device.c
tests_unit_test_device_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_device_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_door
tests_unit_test_door_SOURCES = \
	tests/unit/test_door.c \
	tests/unit/rfb.c \
	tests/unit/rfb.h \
	tests/unit/stage.c \
	tests/unit/stage.h
tests_unit_test_door_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_door_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_frame
tests_unit_test_frame_SOURCES = tests/unit/test_frame.c
tests_unit_test_frame_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_frame_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_image
tests_unit_test_image_SOURCES = tests/unit/test_image.c
tests_unit_test_image_CFLAGS = $(UNIT_CFLAGS) $(PNG_CFLAGS)
tests_unit_test_image_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_pacer
tests_unit_test_pacer_SOURCES = tests/unit/test_pacer.c
tests_unit_test_pacer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pacer_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_pattern
tests_unit_test_pattern_SOURCES = tests/unit/test_pattern.c
tests_unit_test_pattern_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pattern_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_plane
tests_unit_test_plane_SOURCES = tests/unit/test_plane.c
tests_unit_test_plane_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_plane_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_screen
tests_unit_test_screen_SOURCES = tests/unit/test_screen.c
tests_unit_test_screen_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_screen_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_sim
tests_unit_test_sim_SOURCES = tests/unit/test_sim.c
tests_unit_test_sim_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_sim_options
tests_unit_test_sim_options_SOURCES = tests/unit/test_sim_options.c
tests_unit_test_sim_options_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_sim_options_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc
tests_unit_test_vnc_SOURCES = \
	tests/unit/test_vnc.c \
	tests/unit/rfb.c \
	tests/unit/rfb.h \
	tests/unit/stage.c \
	tests/unit/stage.h
tests_unit_test_vnc_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vnc_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc_parser
tests_unit_test_vnc_parser_SOURCES = tests/unit/test_vnc_parser.c
tests_unit_test_vnc_parser_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vnc_parser_LDADD = $(UNIT_LDADD)

EXTRA_DIST += tests/tsan.supp
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
