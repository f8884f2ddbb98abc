# What the VNC sink is made of: of local.mk.
UNIT_TESTS += tests/unit/test_vnc
tests_unit_test_vnc_SOURCES = \
	tests/unit/test_vnc.c \
	tests/unit/rfb.c \
	tests/unit/rfb.h \
	tests/unit/stage.c \
	tests/unit/stage.h
tests_unit_test_vnc_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vnc_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc_clipboard
tests_unit_test_vnc_clipboard_SOURCES = \
	tests/unit/test_vnc_clipboard.c \
	tests/unit/rfb.c tests/unit/rfb.h \
	tests/unit/stage.c tests/unit/stage.h tests/unit/wire.h
tests_unit_test_vnc_clipboard_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vnc_clipboard_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc_continuous
tests_unit_test_vnc_continuous_SOURCES = \
	tests/unit/test_vnc_continuous.c \
	tests/unit/rfb.c tests/unit/rfb.h \
	tests/unit/stage.c tests/unit/stage.h \
	tests/unit/viewer.c tests/unit/viewer.h tests/unit/viewer_decode.c tests/unit/wire.h
tests_unit_test_vnc_continuous_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vnc_continuous_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc_fence
tests_unit_test_vnc_fence_SOURCES = tests/unit/test_vnc_fence.c
tests_unit_test_vnc_fence_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vnc_fence_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc_hostile
tests_unit_test_vnc_hostile_SOURCES = \
	tests/unit/test_vnc_hostile.c \
	tests/unit/rfb.c \
	tests/unit/rfb.h \
	tests/unit/stage.c \
	tests/unit/stage.h
tests_unit_test_vnc_hostile_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vnc_hostile_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc_input
tests_unit_test_vnc_input_SOURCES = \
	tests/unit/test_vnc_input.c \
	tests/unit/rfb.c \
	tests/unit/rfb.h \
	tests/unit/stage.c \
	tests/unit/stage.h
tests_unit_test_vnc_input_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vnc_input_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc_parser
tests_unit_test_vnc_parser_SOURCES = tests/unit/test_vnc_parser.c
tests_unit_test_vnc_parser_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vnc_parser_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc_pointer
tests_unit_test_vnc_pointer_SOURCES = \
	tests/unit/test_vnc_pointer.c \
	tests/unit/rfb.c \
	tests/unit/rfb.h \
	tests/unit/stage.c \
	tests/unit/stage.h
tests_unit_test_vnc_pointer_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vnc_pointer_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc_copies
tests_unit_test_vnc_copies_SOURCES = \
	tests/unit/test_vnc_copies.c \
	tests/unit/rfb.c tests/unit/rfb.h \
	tests/unit/stage.c tests/unit/stage.h \
	tests/unit/viewer.c tests/unit/viewer.h tests/unit/viewer_decode.c tests/unit/wire.h
tests_unit_test_vnc_copies_CFLAGS = $(UNIT_CFLAGS) $(JPEG_CFLAGS) $(PNG_CFLAGS)
tests_unit_test_vnc_copies_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc_layout
tests_unit_test_vnc_layout_SOURCES = \
	tests/unit/test_vnc_layout.c \
	tests/unit/rfb.c tests/unit/rfb.h \
	tests/unit/stage.c tests/unit/stage.h \
	tests/unit/viewer.c tests/unit/viewer.h tests/unit/viewer_decode.c tests/unit/wire.h
tests_unit_test_vnc_layout_CFLAGS = $(UNIT_CFLAGS) $(JPEG_CFLAGS) $(PNG_CFLAGS)
tests_unit_test_vnc_layout_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc_quality
tests_unit_test_vnc_quality_SOURCES = \
	tests/unit/test_vnc_quality.c \
	tests/unit/rfb.c tests/unit/rfb.h \
	tests/unit/stage.c tests/unit/stage.h \
	tests/unit/viewer.c tests/unit/viewer.h tests/unit/viewer_decode.c tests/unit/wire.h
tests_unit_test_vnc_quality_CFLAGS = $(UNIT_CFLAGS) $(JPEG_CFLAGS) $(PNG_CFLAGS)
tests_unit_test_vnc_quality_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc_stall
tests_unit_test_vnc_stall_SOURCES = \
	tests/unit/test_vnc_stall.c \
	tests/unit/rfb.c tests/unit/rfb.h \
	tests/unit/stage.c tests/unit/stage.h
tests_unit_test_vnc_stall_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vnc_stall_LDADD = $(UNIT_LDADD)

UNIT_TESTS += tests/unit/test_vnc_wish
tests_unit_test_vnc_wish_SOURCES = \
	tests/unit/test_vnc_wish.c \
	tests/unit/rfb.c \
	tests/unit/rfb.h \
	tests/unit/stage.c \
	tests/unit/stage.h
tests_unit_test_vnc_wish_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_vnc_wish_LDADD = $(UNIT_LDADD)
