# scripts/: what a developer or CI runs from a checkout; scripts/lib/ is what they share.
EXTRA_DIST += \
	.ci/run \
	scripts/build-deb scripts/check-style scripts/coverage scripts/demo scripts/fuzz \
	scripts/qemu-probe scripts/setup scripts/soak scripts/test scripts/vm \
	scripts/lib/build.sh scripts/lib/debian.sh scripts/lib/kernel.sh scripts/lib/packages.sh \
	scripts/lib/toolchain.sh scripts/lib/vm-init

# Debian's packages: scripts/build-deb.
EXTRA_DIST += \
	debian/changelog debian/control debian/copyright debian/rules debian/source/format \
	debian/mplane-dkms.dkms debian/mplane-dkms.docs debian/mplane-dkms.manpages \
	debian/planecast.dirs debian/planecast.docs debian/planecast.postrm \
	tests/deb_package.sh tests/stranger.sh
