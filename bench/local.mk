# bench/: measurements, built but never run by make check.
noinst_PROGRAMS += bench/detile_bench
bench_detile_bench_CFLAGS = $(AM_CFLAGS) $(GLIB_CFLAGS)
bench_detile_bench_SOURCES = bench/detile_bench.c bench/detile_bench.h \
	bench/detile_bench_reference.c bench/detile_bench_report.c bench/detile_bench_run.c
bench_detile_bench_LDADD = libplanecast.a libdetile.a $(GLIB_LIBS)
