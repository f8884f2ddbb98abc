# tests/fuzz/: libFuzzer's targets, one program each, built by ./configure CC=clang --enable-fuzz and
# `make fuzz`; scripts/fuzz does all that. Their inputs: corpus/TARGET/, by seeds.py.
FUZZ_CFLAGS = $(UNIT_CFLAGS) $(GNUTLS_CFLAGS) $(SPICE_CFLAGS)
FUZZ_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer
FUZZ_LDADD = libplanecast.a libdetile.a $(PLANECAST_LIBS)
FUZZ_COMMON = tests/fuzz/fuzz.c tests/fuzz/fuzz.h

FUZZ_TARGETS = tests/fuzz/edid
tests_fuzz_edid_SOURCES = tests/fuzz/edid.c $(FUZZ_COMMON)
tests_fuzz_edid_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_edid_LDFLAGS = $(FUZZ_LDFLAGS) -Wl,--wrap=vfio_find_region \
	-Wl,--wrap=vfio_region_read,--wrap=vfio_region_write
tests_fuzz_edid_LDADD = $(FUZZ_LDADD)

FUZZ_TARGETS += tests/fuzz/http
tests_fuzz_http_SOURCES = tests/fuzz/http.c tests/fuzz/line.c tests/fuzz/line.h $(FUZZ_COMMON)
tests_fuzz_http_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_http_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_http_LDADD = $(FUZZ_LDADD)

FUZZ_TARGETS += tests/fuzz/plane
tests_fuzz_plane_SOURCES = tests/fuzz/plane.c $(FUZZ_COMMON)
tests_fuzz_plane_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_plane_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_plane_LDADD = $(FUZZ_LDADD)

FUZZ_TARGETS += tests/fuzz/qmp
tests_fuzz_qmp_SOURCES = tests/fuzz/qmp.c $(FUZZ_COMMON)
tests_fuzz_qmp_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_qmp_LDFLAGS = $(FUZZ_LDFLAGS) -Wl,--wrap=connect
tests_fuzz_qmp_LDADD = $(FUZZ_LDADD)

FUZZ_TARGETS += tests/fuzz/recording
tests_fuzz_recording_SOURCES = tests/fuzz/recording.c $(FUZZ_COMMON)
tests_fuzz_recording_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_recording_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_recording_LDADD = $(FUZZ_LDADD) -lz

if HAVE_CMOCKA
FUZZ_TARGETS += tests/fuzz/rfb
tests_fuzz_rfb_SOURCES = tests/fuzz/rfb.c tests/fuzz/line.c tests/fuzz/line.h $(FUZZ_COMMON) \
	tests/unit/rfb.c tests/unit/rfb.h tests/unit/stage.c tests/unit/stage.h
tests_fuzz_rfb_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_rfb_LDFLAGS = $(FUZZ_LDFLAGS) -Wl,--wrap=password_challenge
tests_fuzz_rfb_LDADD = $(FUZZ_LDADD) $(CMOCKA_LIBS)
endif

FUZZ_TARGETS += tests/fuzz/spice
tests_fuzz_spice_SOURCES = tests/fuzz/spice.c tests/fuzz/line.c tests/fuzz/line.h $(FUZZ_COMMON)
tests_fuzz_spice_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_spice_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_spice_LDADD = $(FUZZ_LDADD)

FUZZ_TARGETS += tests/fuzz/status_page
tests_fuzz_status_page_SOURCES = tests/fuzz/status_page.c $(FUZZ_COMMON)
tests_fuzz_status_page_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_status_page_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_status_page_LDADD = $(FUZZ_LDADD)

FUZZ_TARGETS += tests/fuzz/vnc_parser
tests_fuzz_vnc_parser_SOURCES = tests/fuzz/vnc_parser.c $(FUZZ_COMMON)
tests_fuzz_vnc_parser_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_vnc_parser_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_vnc_parser_LDADD = $(FUZZ_LDADD)

FUZZ_TARGETS += tests/fuzz/websocket
tests_fuzz_websocket_SOURCES = tests/fuzz/websocket.c $(FUZZ_COMMON)
tests_fuzz_websocket_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_websocket_LDFLAGS = $(FUZZ_LDFLAGS)
tests_fuzz_websocket_LDADD = $(FUZZ_LDADD)

FUZZ_TARGETS += tests/fuzz/words
tests_fuzz_words_SOURCES = tests/fuzz/words.c $(FUZZ_COMMON)
tests_fuzz_words_CFLAGS = $(FUZZ_CFLAGS)
tests_fuzz_words_LDFLAGS = $(FUZZ_LDFLAGS) -Wl,--wrap=bind,--wrap=getaddrinfo
tests_fuzz_words_LDADD = $(FUZZ_LDADD)

# Random viewers against a whole server: tests/e2e/test_random.py.
check_PROGRAMS += tests/fuzz/random_client
tests_fuzz_random_client_SOURCES = tests/fuzz/random_client.c tests/unit/wire.h
tests_fuzz_random_client_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
tests_fuzz_random_client_LDADD = $(GLIB_LIBS)

EXTRA_PROGRAMS = $(FUZZ_TARGETS)
if BUILD_FUZZ
fuzz: $(FUZZ_TARGETS)
# In this order, by scripts/fuzz.
fuzz-list:
	@echo $(notdir $(FUZZ_TARGETS))
else
fuzz fuzz-list:
	@echo "fuzz: ./configure CC=clang --enable-fuzz first (or use scripts/fuzz)" >&2; exit 1
endif
.PHONY: fuzz fuzz-list
EXTRA_DIST += tests/fuzz.py tests/fuzz/corpus tests/fuzz/seeds.py
