# kmod/: mplane.ko, built by kbuild in a copy of what it is made of (kmod/Makefile).
# The test pictures belong to both: libplanecast.a (src/local.mk) and the module.
kmod_sources = \
	kmod/Kbuild kmod/Makefile kmod/dkms.conf \
	kmod/compat/compat.h kmod/compat/features.mk kmod/uapi/mplane.h \
	kmod/brush.c kmod/brush.h \
	kmod/config_space.c kmod/config_space.h \
	kmod/cursor.c kmod/cursor.h \
	kmod/damage.c kmod/damage.h \
	kmod/device.c kmod/device.h \
	kmod/dirty.c kmod/dirty.h \
	kmod/dmabuf.c kmod/dmabuf.h \
	kmod/edid.c kmod/edid.h \
	kmod/font.c kmod/font.h \
	kmod/format.c kmod/format.h \
	kmod/irq.c kmod/irq.h \
	kmod/main.c \
	kmod/memory.c kmod/memory.h \
	kmod/mmio.c kmod/mmio.h \
	kmod/painter.c kmod/painter.h \
	kmod/pattern.c kmod/pattern.h \
	kmod/pattern_desktop.c kmod/pattern_desktop.h \
	kmod/pattern_static.c kmod/pattern_static.h \
	kmod/pattern_text.c kmod/pattern_text.h \
	kmod/pattern_video.c kmod/pattern_video.h \
	kmod/plane.c kmod/plane.h \
	kmod/quirks.c kmod/quirks.h \
	kmod/region.c kmod/region.h \
	kmod/scanout.c kmod/scanout.h \
	kmod/status.c kmod/status.h \
	kmod/sysfs.c kmod/sysfs.h \
	kmod/types.c kmod/types.h
EXTRA_DIST += $(kmod_sources)

kmod_make = $(MAKE) -f $(abs_top_srcdir)/kmod/Makefile BUILD=$(abs_top_builddir)/kmod/build

if BUILD_KMOD
noinst_DATA += kmod/mplane.ko
endif

# By hand with other headers: make kmod/mplane.ko KDIR=DIR
kmod/mplane.ko: $(kmod_sources) detile/detile.h detile/layout.c detile/layout.h
	+$(AM_V_GEN)$(MKDIR_P) kmod && $(kmod_make) KDIR=$(KDIR) KFLAGS=-s modules >&2
	$(AM_V_at)cp kmod/build/mplane.ko $@
CLEANFILES += kmod/mplane.ko

clean-local: kmod-clean
kmod-clean:
	+-$(kmod_make) -s clean
.PHONY: kmod-clean
