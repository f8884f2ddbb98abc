# bench/: measurements, built but never run by make check.
noinst_PROGRAMS += bench/detile_bench
bench_detile_bench_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
bench_detile_bench_SOURCES = bench/detile_bench.c bench/detile_bench.h \
	bench/detile_bench_reference.c bench/detile_bench_report.c bench/detile_bench_run.c
bench_detile_bench_LDADD = libplanecast.a libdetile.a $(GLIB_LIBS)

noinst_PROGRAMS += bench/serve_bench bench/serve_peer
bench_serve_bench_CFLAGS = $(AM_CFLAGS) $(GNUTLS_CFLAGS) $(JPEG_CFLAGS) $(PNG_CFLAGS) $(XCB_CFLAGS)
bench_serve_bench_SOURCES = bench/serve_bench.c bench/serve_bench.h \
	bench/serve_bench_carrier.c bench/serve_bench_report.c bench/serve_bench_run.c \
	bench/serve_bench_server.c bench/serve_bench_server.h bench/watch.c bench/watch.h \
	tests/unit/viewer.c tests/unit/viewer.h tests/unit/viewer_decode.c tests/unit/wire.h
bench_serve_bench_LDADD = libplanecast.a $(GNUTLS_LIBS) $(JPEG_LIBS) $(PNG_LIBS)

# The same pixels by other servers. X11 is wanted for those of desktops.
bench_serve_peer_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(GNUTLS_CFLAGS) $(VNC_CFLAGS) $(XCB_CFLAGS)
bench_serve_peer_SOURCES = bench/serve_peer.c bench/serve_peer.h bench/serve_peer_door.c
bench_serve_peer_LDADD = libplanecast.a libdetile.a $(PLANECAST_LIBS) $(XCB_LIBS)

# One measurement of vm_bench, inside its machine.
noinst_PROGRAMS += bench/vm_viewer
bench_vm_viewer_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(PIXMAN_CFLAGS) $(JPEG_CFLAGS) $(PNG_CFLAGS)
bench_vm_viewer_SOURCES = bench/vm_viewer.c bench/vm_painter.c bench/vm_painter.h \
	bench/cpu_time.c bench/cpu_time.h bench/watch.c bench/watch.h \
	tests/unit/viewer.c tests/unit/viewer.h tests/unit/viewer_decode.c tests/unit/wire.h
bench_vm_viewer_LDADD = libplanecast.a libdetile.a $(PLANECAST_LIBS) $(JPEG_LIBS) $(PNG_LIBS)

# gmmlib, built as its own users build it.
if HAVE_GMM
noinst_LIBRARIES += libbench_gmm.a
libbench_gmm_a_SOURCES = bench/detile_bench_gmm.c
libbench_gmm_a_CFLAGS = $(AM_CFLAGS) -msse4.1
bench_detile_bench_CFLAGS += -DBENCH_HAVE_GMM
bench_detile_bench_LDADD += libbench_gmm.a
endif

noinst_PROGRAMS += bench/pipeline_bench
bench_pipeline_bench_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS) $(JSON_CFLAGS) $(PIXMAN_CFLAGS) \
	$(DRM_CFLAGS)
bench_pipeline_bench_SOURCES = bench/pipeline_bench.c bench/detile_bench.h \
	bench/detile_bench_reference.c
bench_pipeline_bench_LDADD = libplanecast.a libdetile.a $(PLANECAST_LIBS)

# Of the whole program, from outside.
EXTRA_DIST += bench/attack_bench bench/compare bench/desktop_recording bench/run bench/scale_bench \
	bench/screenshot_bench bench/vm_bench bench/vm_scale bench/vm_spice.py
