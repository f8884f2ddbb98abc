# scripts/: what a developer or CI runs from a checkout; scripts/lib/ is what they share.
EXTRA_DIST += \
	.ci/run \
	scripts/check-style scripts/demo scripts/qemu-probe scripts/setup scripts/test scripts/vm \
	scripts/lib/build.sh scripts/lib/kernel.sh scripts/lib/packages.sh \
	scripts/lib/toolchain.sh scripts/lib/vm-init
